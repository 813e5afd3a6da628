#include "app/hub/pump.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/hub/close_codes.h"
#include "app/hub/outbox.h"
#include "app/hub/presence.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/json_writer.h"

namespace app::hub {
namespace {

constexpr size_t kReadBytes = 65536;  // of history at a time, for each connection that is behind

// ------------------------------------------------------------------------------------------------- the next record

void advance(Connection& connection) {
    if (connection.ahead.empty()) {
        connection.next_seq++;
        return;
    }
    connection.ahead.pop_front();
    connection.next_seq = connection.ahead.empty() ? connection.ahead_end : connection.ahead.front()->seq;
}

// Sends the record at the cursor if it is for this connection, and moves on. False: it has to wait for room.
bool offer(Hub& hub, Connection& connection, const Record& record, wsd_prepared* prepared) {
    const auto owed = connection.owed.find(record.seq);
    const bool ack_only = owed != connection.owed.end() && !owed->second.message;
    if (!ack_only && may_see(record.route, connection.role, connection.person->user_id)) {
        if (!send_built(hub, connection, prepared, record.text)) return false;
        if (!connection.complete) connection.replayed_count++;
    }
    advance(connection);
    return true;
}

// Acknowledges what the cursor has passed, be it sent, told as missing or left out for the ack.
void acknowledge_passed(Hub& hub, Connection& connection) {
    while (!connection.owed.empty() && connection.owed.begin()->first < connection.next_seq) {
        const auto owed = connection.owed.extract(connection.owed.begin());
        const std::string ack = ack_envelope(*connection.session, owed.mapped().id, owed.key());
        for (uint32_t i = 0; i < owed.mapped().ack_count; i++) answer(hub, connection, ack);
    }
}

// The oldest number that is not gone; where all are, the next one.
uint64_t oldest_seq(const History& history) {
    const uint64_t first = history.first_seq();
    return first ? first : history.last_seq() + 1;
}

const Fresh* find_fresh(const Session& session, uint64_t seq) {
    if (session.fresh.empty() || seq < session.fresh.front().record->seq) return nullptr;
    const uint64_t index = seq - session.fresh.front().record->seq;  // numbers have no gap
    return index < session.fresh.size() ? &session.fresh[index] : nullptr;
}

// ---------------------------------------------------------------------------------------------------- reading ahead

// Where the records that are in memory begin, looking no further back than `from`.
uint64_t recent_begin(const History& history, uint64_t from) {
    uint64_t begin = history.last_seq() + 1;
    while (begin > from && history.recent(begin - 1)) begin--;
    return begin;
}

void take_chunk(Connection& connection, Chunk chunk) {
    const History& history = *connection.session->history;
    connection.missing.insert(connection.missing.end(), chunk.missing.begin(), chunk.missing.end());
    const uint64_t unread = chunk.records.empty() ? connection.next_seq : chunk.records.back()->seq + 1;
    uint64_t end = chunk.next_seq;
    if (chunk.failed || (chunk.records.empty() && end <= connection.next_seq)) {
        // The disk gives nothing more. What memory has is still good, and what lies before that is told as missing.
        end = std::max(unread, recent_begin(history, unread));
        if (end > unread) connection.missing.push_back({unread, end - 1});
    }
    connection.ahead.assign(std::make_move_iterator(chunk.records.begin()),
                            std::make_move_iterator(chunk.records.end()));
    connection.ahead_end = std::max(end, unread);
    connection.next_seq = connection.ahead.empty() ? connection.ahead_end : connection.ahead.front()->seq;
}

void read_ahead(Hub& hub, Connection& connection) {
    connection.reading = true;
    const auto done = [&hub, conn = connection.conn](Chunk chunk) {
        Connection* const reader = find_connection(hub, conn);
        if (!reader || reader->closing) return;
        reader->reading = false;
        take_chunk(*reader, std::move(chunk));
        pump(hub, *reader);
    };
    connection.session->history->read(connection.next_seq, kReadBytes, done);
}

// ------------------------------------------------------------------------------------------------------- being live

std::string history_told(const Connection& connection) {
    JsonWriter data;
    data.begin_object().key("event").string(connection.missing.empty() ? "history_complete" : "history_unavailable");
    data.key("count").number(connection.replayed_count);
    write_missing(connection.missing, &data);
    const std::string text = data.end_object().take();
    return write_envelope(message_of(*connection.session, "system", text));
}

// The cursor is at the end: from here on the connection sees what is not stored, too. Who has been here before and only
// lagged is not told again that its history is complete.
void become_live(Hub& hub, Connection& connection) {
    if (connection.live) return;
    if (!connection.complete || !connection.missing.empty()) answer(hub, connection, history_told(connection));
    connection.complete = true;
    connection.missing.clear();
    if (!connection.held.empty()) return;
    const Session& session = *connection.session;
    const bool again = connection.told_who;  // so that it may have missed that somebody left
    if (!send_now(hub, connection, presence_message(session, presence_users(session, again)))) return;
    connection.told_who = true;
    connection.presence_seen = session.presence_changes.size();
    connection.live = true;
}

// Takes the cursor one record further. False: that is all for now.
bool step(Hub& hub, Connection& connection) {
    if (connection.closing || connection.full || connection.reading || !connection.held.empty()) return false;
    acknowledge_passed(hub, connection);
    if (!connection.ahead.empty()) {
        const std::shared_ptr<const Record> record = connection.ahead.front();
        return offer(hub, connection, *record, nullptr);
    }
    const Session& session = *connection.session;
    const uint64_t seq = connection.next_seq;
    if (seq > session.history->last_seq()) {
        become_live(hub, connection);
        return false;
    }
    if (const Fresh* const fresh = find_fresh(session, seq)) {
        return offer(hub, connection, *fresh->record, fresh->prepared);
    }
    if (seq < oldest_seq(*session.history)) {
        disconnect(hub, connection, kCloseSlow, "slow", LeaveReason::kSlow);
        return false;
    }
    if (const std::shared_ptr<const Record> record = session.history->recent(seq)) {
        return offer(hub, connection, *record, nullptr);
    }
    read_ahead(hub, connection);
    return !connection.reading;  // what is in memory may have been read at once
}

}  // namespace

void pump(Hub& hub, Connection& connection) {
    if (connection.pumping) return;  // a read that was done at once; the loop below goes on with it
    connection.pumping = true;
    while (step(hub, connection)) {
    }
    connection.pumping = false;
    settle_reading(hub, connection);
}

void place_cursor(Connection& connection, std::optional<uint64_t> since) {
    const History& history = *connection.session->history;
    const uint64_t first = oldest_seq(history);
    connection.next_seq = first;
    if (!since) return;
    // Who has seen more than there is saw what a crash has taken: nothing can be shown again, and all that comes is
    // new.
    const uint64_t seen = std::min(*since, history.last_seq());
    if (seen + 1 < first) connection.missing.push_back({seen + 1, first - 1});  // retention was faster
    connection.next_seq = std::max(seen + 1, first);
}

void fan_out(Hub& hub, Session& session, std::span<const Staged> committed) {
    for (const Staged& staged : committed) session.fresh.push_back({staged.record, build(hub, staged.record->text)});
    // A copy, as pumping may close a connection and so take it out of the list. None is freed by that.
    const std::vector<Connection*> connections = session.connections;
    for (Connection* const connection : connections) pump(hub, *connection);
    for (const Fresh& fresh : session.fresh) wsd_prepared_release(fresh.prepared);
    session.fresh.clear();
}

}  // namespace app::hub
