// Definitions and running sessions: one is made from the other, and follows its changes.
#include <deque>
#include <utility>

#include "app/hub/close_codes.h"
#include "app/hub/definition.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/hub/vote_news.h"

namespace app::hub {

// Changes are stored one by one, as each is made from what the one before it has come to. The first is on its way.
struct PendingChanges {
    struct Pending {
        DefinitionChange change;
        std::function<void(ChangeResult)> done;
    };
    std::deque<Pending> pending;
};

namespace {

void set_members(Session& session, const std::vector<Member>& members) {
    for (const std::string& user_id : session.members) session.people.find(user_id)->second->member = false;
    session.members.clear();
    for (const Member& member : members) {
        Person& person = need_person(session, member.user_id);
        person.member = true;
        person.name = member.name;
        person.role = member.role;
        session.members.push_back(member.user_id);
    }
}

void disconnect_strangers(Hub& hub, Session& session) {
    const std::vector<Connection*> connections = session.connections;  // the list shrinks on the way
    for (Connection* const connection : connections) {
        if (connection->role != Role::kStudent || connection->person->member) continue;
        disconnect(hub, *connection, kCloseKicked, "not on the session's list any more", LeaveReason::kKicked);
    }
}

// ------------------------------------------------------------------------------------------------------------ storing

void store_next(Hub& hub, Session& session);

void stored(Hub& hub, Session& session, bool ok) {
    std::deque<PendingChanges::Pending>& pending = session.changes->pending;
    const PendingChanges::Pending first = std::move(pending.front());
    if (ok) apply_change(hub, session, first.change);
    if (first.done) first.done(ok ? ChangeResult::kDone : ChangeResult::kNotStored);
    pending.pop_front();
    if (!pending.empty()) store_next(hub, session);
}

void store_next(Hub& hub, Session& session) {
    Definition definition = definition_of(session);
    change_definition(session.changes->pending.front().change, &definition);
    const std::weak_ptr<PendingChanges> changes = session.changes;
    hub.store->save(session.id, write_definition(definition), [&hub, &session, changes](bool ok) {
        const std::shared_ptr<PendingChanges> there = changes.lock();
        if (there && !there->pending.empty()) stored(hub, session, ok);  // else the session has ended
    });
}

}  // namespace

Definition definition_of(const Session& session) {
    Definition definition;
    definition.id = session.id;
    definition.name = session.name;
    definition.project_id = session.project_id;
    definition.status = session.status;
    for (const std::string& user_id : session.members) {
        const Person& person = *session.people.find(user_id)->second;
        definition.members.push_back({user_id, person.role, person.name});
    }
    definition.several_per_user = session.several_per_user;
    definition.students_may_broadcast = session.students_may_broadcast;
    definition.comparisons = session.votes.comparisons();
    return definition;
}

std::unique_ptr<Session> make_session(const Definition& definition, std::unique_ptr<History> history) {
    auto session = std::make_unique<Session>();
    session->id = definition.id;
    session->name = definition.name;
    session->project_id = definition.project_id;
    session->status = definition.status;
    session->several_per_user = definition.several_per_user;
    session->students_may_broadcast = definition.students_may_broadcast;
    set_members(*session, definition.members);
    for (const Comparison& comparison : definition.comparisons) (void)session->votes.put(comparison);  // all are new
    if (history) set_history(*session, std::move(history));
    return session;
}

void set_history(Session& session, std::unique_ptr<History> history) {
    session.staged_seq = history->last_seq();
    session.history = std::move(history);
}

void apply_change(Hub& hub, Session& session, const DefinitionChange& change) {
    if (change.name) session.name = *change.name;
    if (change.status) session.status = *change.status;
    if (change.several_per_user) session.several_per_user = *change.several_per_user;
    if (change.students_may_broadcast) session.students_may_broadcast = *change.students_may_broadcast;
    if (!change.members) return;
    const std::vector<std::string> before = session.members;
    set_members(session, *change.members);
    disconnect_strangers(hub, session);
    for (const std::string& user_id : before) {
        if (Person* const person = find_person(session, user_id)) forget_guests(hub, session, *person);
    }
    settle_votes(hub, session);
}

void change_session(Hub& hub, Session& session, DefinitionChange change, std::function<void(ChangeResult)> done) {
    if (!session.changes) session.changes = std::make_shared<PendingChanges>();
    std::deque<PendingChanges::Pending>& pending = session.changes->pending;
    pending.push_back({std::move(change), std::move(done)});
    if (pending.size() == 1) store_next(hub, session);
}

void keep_definition(Hub& hub, Session& session) { change_session(hub, session, {}, nullptr); }

void forget_changes(Session& session) {
    if (!session.changes) return;
    for (const PendingChanges::Pending& pending : std::exchange(session.changes->pending, {})) {
        if (pending.done) pending.done(ChangeResult::kEnded);
    }
}

}  // namespace app::hub
