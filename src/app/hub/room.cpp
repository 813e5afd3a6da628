#include "app/hub/room.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/hub/definition.h"
#include "app/hub/delivery.h"
#include "app/hub/outbox.h"
#include "app/hub/pump.h"
#include "app/hub/registry.h"
#include "app/hub/turn.h"
#include "app/hub/vote_news.h"

namespace app::hub {
namespace {

// Neither part can have a line feed in front of the first one, as users are identifiers.
std::string seen_key(std::string_view user_id, std::string_view id) {
    std::string key;
    key.reserve(user_id.size() + 1 + id.size());
    return key.append(user_id).append(1, '\n').append(id);
}

// --------------------------------------------------------------------------------------------------------- committed

void commit(Hub& hub, Session& session) {
    std::vector<Staged> committed = std::exchange(session.under_way, {});
    session.under_way_votes.reset();
    // Not when they are taken back, as what came of it would find the history as it is then: refusing.
    if (std::exchange(session.votes_taken_back, false)) {
        settle_votes(hub, session);
        keep_definition(hub, session);  // it may have been stored with comparisons that were not kept
    }
    fan_out(hub, session, committed);
    for (Staged& staged : committed) {
        if (staged.wants_acks) await_acks(hub, session, staged.record, staged.id);
        report(hub, staged, true);
    }
    if (!session.staged.empty()) at_turn_end(hub, session);
}

// -------------------------------------------------------------------------------------------------------------- failed

void forget_ids(Session& session, uint64_t after_seq) {
    while (!session.seen_order.empty()) {
        const auto newest = session.seen_ids.find(*session.seen_order.back());
        if (newest->second <= after_seq) return;
        session.seen_order.pop_back();
        session.seen_ids.erase(newest);
    }
}

// Answers what a connection sent and what was not kept.
void refuse_unkept(Hub& hub, Connection& connection, uint64_t last_seq) {
    static const Failure kNotStored{ErrorCode::kInternal, "the message could not be stored"};
    const auto first = connection.owed.upper_bound(last_seq);
    for (auto owed = first; owed != connection.owed.end(); owed++) {
        for (uint32_t i = 0; i < owed->second.ack_count; i++) {
            answer(hub, connection, write_error(owed->second.id, kNotStored));
        }
    }
    connection.owed.erase(first, connection.owed.end());
    settle_reading(hub, connection);
}

// What was not kept has never been: neither that which was refused, nor what was numbered after it.
void rewind(Hub& hub, Session& session) {
    std::vector<Staged> failed = std::exchange(session.under_way, {});
    std::vector<Staged> after = std::exchange(session.staged, {});
    failed.insert(failed.end(), std::make_move_iterator(after.begin()), std::make_move_iterator(after.end()));
    std::optional<Votes> votes = std::exchange(session.under_way_votes, std::nullopt);
    std::optional<Votes> later_votes = std::exchange(session.staged_votes, std::nullopt);
    if (!votes) votes = std::move(later_votes);
    if (votes) {
        session.votes = std::move(*votes);
        session.votes_taken_back = true;
    }
    const uint64_t last_seq = session.history->last_seq();
    session.staged_seq = last_seq;
    forget_ids(session, last_seq);
    for (Connection* const connection : session.connections) refuse_unkept(hub, *connection, last_seq);
    for (Staged& staged : failed) report(hub, staged, false);
}

std::shared_ptr<const Record> make_record(const Session& session, const Draft& draft, uint64_t seq) {
    auto record = std::make_shared<Record>();
    record->seq = seq;
    record->route = {std::string(draft.from), std::string(draft.to), draft.to_role};
    Outgoing out = message_of(session, draft.type, draft.data);
    record->time_ms = out.time_ms;
    out.seq = seq;
    out.id = draft.id;
    out.from = draft.from;
    out.role = draft.role;
    out.to = draft.to;
    out.to_role = draft.to_role;
    out.ack = draft.ack;
    record->text = write_envelope(out);
    return record;
}

}  // namespace

// --------------------------------------------------------------------------------------------------------- publishing

uint64_t publish(Hub& hub, Session& session, const Draft& draft) {
    if (session.ended) {
        if (draft.done) call_later(hub, [done = draft.done] { done(0, false); });
        return 0;
    }
    if (session.staged.empty() && session.under_way.empty()) session.staged_seq = session.history->last_seq();
    const uint64_t seq = ++session.staged_seq;
    Staged staged;
    staged.record = make_record(session, draft, seq);
    staged.id = draft.id;
    staged.wants_acks = draft.ack;
    staged.done = draft.done;
    Connection* const origin = find_connection(hub, draft.origin);
    session.staged.push_back(std::move(staged));
    if (origin) {
        origin->owed.emplace(seq, Owed{std::string(draft.id), draft.answered, draft.echoed});
        settle_reading(hub, *origin);
    }
    if (draft.answered) remember_id(hub, session, draft.from, draft.id, seq);
    at_turn_end(hub, session);
    return seq;
}

void report(Hub& hub, Staged& staged, bool ok) {
    if (!staged.done) return;
    call_later(hub, [done = std::move(staged.done), seq = staged.record->seq, ok] { done(seq, ok); });
}

void votes_will_change(Session& session) {
    if (!session.staged_votes) session.staged_votes = session.votes;
}

void flush(Hub& hub, Session& session) {
    if (session.staged.empty() || !session.under_way.empty()) return;  // the answer to that one leads here again
    session.under_way = std::exchange(session.staged, {});
    session.under_way_votes = std::exchange(session.staged_votes, std::nullopt);
    std::vector<std::shared_ptr<const Record>> records;
    records.reserve(session.under_way.size());
    for (const Staged& staged : session.under_way) records.push_back(staged.record);
    const std::weak_ptr<const bool> alive = session.alive;
    session.history->append(std::move(records), [&hub, &session, alive](bool ok) {
        if (alive.expired()) return;
        if (ok)
            commit(hub, session);
        else
            rewind(hub, session);
    });
}

// -------------------------------------------------------------------------------------------------- taken once by id

void remember_id(Hub& hub, Session& session, std::string_view user_id, std::string_view id, uint64_t seq) {
    if (id.empty()) return;
    const auto [entry, added] = session.seen_ids.emplace(seen_key(user_id, id), seq);
    if (!added) return;
    session.seen_order.push_back(&entry->first);  // stays where it is, whatever else comes to the map
    if (session.seen_order.size() <= hub.options.seen_id_max_count) return;
    session.seen_ids.erase(session.seen_ids.find(*session.seen_order.front()));
    session.seen_order.pop_front();
}

bool taken_before(Hub& hub, Connection& connection, std::string_view id) {
    if (id.empty()) return false;
    Session& session = *connection.session;
    const auto found = session.seen_ids.find(seen_key(connection.person->user_id, id));
    if (found == session.seen_ids.end()) return false;
    const uint64_t seq = found->second;
    if (seq < connection.next_seq)
        answer(hub, connection, ack_envelope(session, id, seq));
    else
        connection.owed.try_emplace(seq, Owed{std::string(id), 0, true}).first->second.ack_count++;
    return true;
}

}  // namespace app::hub
