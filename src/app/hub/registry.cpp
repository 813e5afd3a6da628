#include "app/hub/registry.h"

#include <algorithm>
#include <utility>

#include "app/hub/close_codes.h"
#include "app/hub/delivery.h"
#include "app/hub/outbox.h"
#include "app/hub/presence.h"
#include "app/hub/pump.h"
#include "app/hub/random_bytes.h"
#include "app/hub/room.h"
#include "app/hub/turn.h"
#include "app/hub/users.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

constexpr int64_t kExpiryMaxS = 10LL * 365 * 86400;  // a token that is good for longer does not need a timer

// ------------------------------------------------------------------------------------------- being in lists or not

Connection& add_connection(Hub& hub, Session& session, wsd_conn conn, const Entry& entry) {
    std::unique_ptr<Connection>& owned = hub.connections[conn];
    owned = std::make_unique<Connection>();
    Connection& connection = *owned;
    connection.hub = &hub;
    connection.conn = conn;
    connection.session = &session;
    connection.person = &need_person(session, entry.user_id);
    if (!connection.person->member) connection.person->role = entry.role;  // a member's is that of the list
    connection.person->connection_count++;
    connection.role = entry.role;
    connection.id = random_name();  // a token to resume names it
    connection.index = session.connections.size();
    session.connections.push_back(&connection);
    session.connection_count++;
    connection.person->connections.push_back(&connection);
    if (connection.person->connections.size() == 1) user_came(hub, entry.user_id);
    hub.connections_total++;
    return connection;
}

// Takes a connection out of every list, so that it is sent nothing more. True if it was its user's last.
bool remove_connection(Hub& hub, Connection& connection) {
    Session& session = *connection.session;
    Person& person = *connection.person;
    connection.closing = true;
    connection.live = false;
    connection.ahead.clear();
    connection.held.clear();
    connection.owed.clear();
    if (connection.expiry) (void)wsd_timer_stop(hub.server, std::exchange(connection.expiry, 0));
    Connection* const moved = session.connections.back();
    session.connections[connection.index] = moved;
    moved->index = connection.index;
    session.connections.pop_back();
    std::erase(person.connections, &connection);
    if (person.online()) return false;
    person.typing.reset();  // who has left is not waited for
    if (!person.member) person.role = connection.role;
    person.last_seen_ms = wall_ms();
    user_left(hub, person.user_id);
    return true;
}

void close_socket(Hub& hub, const Connection& connection, uint16_t code, std::string_view why) {
    (void)wsd_resume(hub.server, connection.conn);  // or the peer's close frame would not be read
    const int result = wsd_close(hub.server, connection.conn, code, why.data(), why.size());
    if (result != WSD_OK && result != WSD_E_CLOSED) (void)wsd_abort(hub.server, connection.conn);
}

// Takes a connection out, and tells the others where that was its user's last.
void depart(Hub& hub, Connection& connection, LeaveReason reason) {
    Session& session = *connection.session;
    if (!remove_connection(hub, connection) || session.ended) return;
    tell_left(hub, session, *connection.person, leave_reason_name(reason));
    presence_changed(hub, session, *connection.person);
}

// ------------------------------------------------------------------------------------------------------------ entering

void expire(wsd_server*, void* arg) {
    Connection& connection = *static_cast<Connection*>(arg);
    connection.expiry = 0;
    disconnect(*connection.hub, connection, kCloseTokenExpired, "token expired", LeaveReason::kTimeout);
}

bool start_expiry(Hub& hub, Connection& connection, int64_t expires_s) {
    if (expires_s == 0 || expires_s - wall_ms() / 1000 > kExpiryMaxS) return true;
    const uint64_t delay_ms = uint64_t(std::max<int64_t>(0, expires_s * 1000 - wall_ms()));
    return wsd_timer_start(hub.server, delay_ms, expire, &connection, &connection.expiry) == WSD_OK;
}

// In which role somebody is shown to the others; none while offline.
std::optional<Role> shown_before(Session& session, std::string_view user_id) {
    const Person* const person = find_person(session, user_id);
    return person && person->online() ? std::optional(shown_role(*person)) : std::nullopt;
}

// What of the token to take up again holds here; none for one that is expired or another's, which is no error.
std::optional<ResumeClaim> read_claim(const Hub& hub, const Entry& entry) {
    if (entry.resume_token.empty()) return std::nullopt;
    auto claim = read_resume_token(entry.resume_token, hub.resume_secret, wall_ms() / 1000);
    if (claim && (claim->session_id != entry.session_id || claim->user_id != entry.user_id)) return std::nullopt;
    return claim;
}

// Closes those whose place the new connection takes: all of its user where the session has one for each, else the one
// that it resumes.
void replace(Hub& hub, const Connection& newer, const std::optional<ResumeClaim>& claim) {
    const std::vector<Connection*> connections = newer.person->connections;
    for (Connection* const older : connections) {
        const bool resumed = claim && older->id == claim->connection_id;
        if (older == &newer || (newer.session->several_per_user && !resumed)) continue;
        disconnect(hub, *older, kCloseReplaced, "replaced by a newer connection", LeaveReason::kReplaced);
    }
}

// Without a word to anybody: all of its session ends.
void dismiss(Hub& hub, Connection& connection, std::string_view farewell) {
    (void)send_now(hub, connection, farewell);  // who has no room for it knows by the close code
    (void)remove_connection(hub, connection);
    close_socket(hub, connection, kCloseSessionEnded, "session ended");
}

void abandon(Hub& hub, std::vector<Staged>& all) {
    for (Staged& staged : all) report(hub, staged, false);
    all.clear();
}

void move_to_ended(Hub& hub, const Session& session) {
    const auto found = hub.sessions.find(session.id);
    if (found == hub.sessions.end() || found->second.get() != &session) return;
    hub.ended_sessions.push_back(std::move(found->second));
    hub.sessions.erase(found);
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------- finding

Session* find_session(Hub& hub, std::string_view id) {
    const auto found = hub.sessions.find(id);
    return found == hub.sessions.end() ? nullptr : found->second.get();
}

Person* find_person(Session& session, std::string_view user_id) {
    const auto found = session.people.find(user_id);
    return found == session.people.end() ? nullptr : found->second.get();
}

Person& need_person(Session& session, std::string_view user_id) {
    if (Person* const person = find_person(session, user_id)) return *person;
    auto person = std::make_unique<Person>();
    person->user_id = user_id;
    return *session.people.emplace(user_id, std::move(person)).first->second;
}

Connection* find_connection(Hub& hub, wsd_conn conn) {
    const auto found = hub.connections.find(conn);
    return found == hub.connections.end() ? nullptr : found->second.get();
}

// ------------------------------------------------------------------------------------------------------------ entering

std::optional<Refusal> admit(Hub& hub, const Entry& entry, Session** session) {
    *session = nullptr;
    Session* const found = find_session(hub, entry.session_id);
    if (!found) return Refusal{404, "session_not_found", "no such session, or it has ended"};
    if (!entry.project_id.empty() && entry.project_id != found->project_id) {
        return Refusal{401, "wrong_project", "the session belongs to another project"};
    }
    if (found->status != SessionStatus::kActive) return Refusal{401, "session_inactive", "the session is paused"};
    const Person* const person = find_person(*found, entry.user_id);
    if (entry.role == Role::kStudent && !(person && person->member)) {
        return Refusal{403, "not_a_member", "the user is not on the session's list"};
    }
    *session = found;
    return std::nullopt;
}

Connection* enter(Hub& hub, Session& session, wsd_conn conn, const Entry& entry) {
    if (session.ended) {
        (void)wsd_close(hub.server, conn, kCloseSessionEnded, "session ended", 13);
        return nullptr;
    }
    const std::optional<ResumeClaim> claim = read_claim(hub, entry);
    const std::optional<Role> before = shown_before(session, entry.user_id);
    Connection& connection = add_connection(hub, session, conn, entry);
    place_cursor(connection, claim ? entry.since : std::nullopt);
    if (!before) tell_joined(hub, session, *connection.person, conn);
    if (before != connection.role) presence_changed(hub, session, *connection.person);
    replace(hub, connection, claim);
    send_welcome(hub, connection, claim.has_value());
    if (!start_expiry(hub, connection, entry.expires_s)) {
        disconnect(hub, connection, kCloseInternal, "out of memory", LeaveReason::kError);
        return nullptr;
    }
    pump(hub, connection);
    return &connection;
}

// ------------------------------------------------------------------------------------------------------------- leaving

const char* leave_reason_name(LeaveReason reason) {
    switch (reason) {
        case LeaveReason::kLeft: return "left";
        case LeaveReason::kReplaced: return "replaced";
        case LeaveReason::kTimeout: return "timeout";
        case LeaveReason::kError: return "error";
        case LeaveReason::kKicked: return "kicked";
        case LeaveReason::kSlow: return "slow";
    }
    return "error";
}

LeaveReason leave_reason(const wsd_close_info& info) {
    switch (info.cause) {
        case WSD_CAUSE_PEER:
        case WSD_CAUSE_LOCAL:
        case WSD_CAUSE_DRAIN: return LeaveReason::kLeft;
        case WSD_CAUSE_PING_TIMEOUT:
        case WSD_CAUSE_IDLE: return LeaveReason::kTimeout;
        case WSD_CAUSE_WRITE_TIMEOUT:  // it took nothing of what it was owed
        case WSD_CAUSE_SLOW: return LeaveReason::kSlow;
        case WSD_CAUSE_ABORTED:
        case WSD_CAUSE_VANISHED:
        case WSD_CAUSE_PROTOCOL:
        case WSD_CAUSE_POLICY:
        case WSD_CAUSE_NOMEM: return LeaveReason::kError;
    }
    return LeaveReason::kError;
}

void leave(Hub& hub, Connection* connection, LeaveReason reason) {
    Session& session = *connection->session;
    Person& person = *connection->person;
    if (!connection->closing) depart(hub, *connection, reason);
    session.connection_count--;
    person.connection_count--;
    hub.connections.erase(connection->conn);
    if (session.ended)
        at_turn_end(hub, session);
    else
        forget_guests(hub, session, person);
}

void forget_guests(Hub& hub, Session& session, Person& person) {
    const auto gone = [](const Person& one) { return !one.member && one.connection_count == 0; };
    if (!gone(person) || person.guest_listed) return;
    person.guest_listed = true;
    session.guests.push_back(person.user_id);
    if (session.guests.size() <= hub.options.guest_max_count) return;
    const auto oldest = session.people.find(session.guests.front());
    session.guests.pop_front();
    oldest->second->guest_listed = false;
    if (gone(*oldest->second)) session.people.erase(oldest);  // else it is listed anew when it leaves
}

void disconnect(Hub& hub, Connection& connection, uint16_t code, std::string_view why, LeaveReason reason) {
    if (connection.closing) return;
    depart(hub, connection, reason);
    close_socket(hub, connection, code, why);
}

size_t disconnect_user(Hub& hub, Session& session, std::string_view user_id) {
    const Person* const person = find_person(session, user_id);
    if (!person) return 0;
    const std::vector<Connection*> connections = person->connections;
    for (Connection* const connection : connections) {
        disconnect(hub, *connection, kCloseKicked, "disconnected by an administrator", LeaveReason::kKicked);
    }
    return connections.size();
}

void end_session(Hub& hub, Session& session) {
    if (session.ended) return;
    session.ended = true;
    session.alive.reset();
    forget_deliveries(hub, session);
    abandon(hub, session.under_way);
    abandon(hub, session.staged);
    const std::string farewell = session_ended_message(session);
    const std::vector<Connection*> connections = session.connections;
    for (Connection* const connection : connections) dismiss(hub, *connection, farewell);
    session.history.reset();
    move_to_ended(hub, session);
    at_turn_end(hub, session);
}

}  // namespace app::hub
