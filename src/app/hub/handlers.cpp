#include "app/hub/handlers.h"

#include <utility>

#include "app/hub/close_codes.h"
#include "app/hub/definition.h"
#include "app/hub/delivery.h"
#include "app/hub/outbox.h"
#include "app/hub/presence.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/hub/vote_news.h"
#include "app/json_writer.h"
#include "app/utf8.h"

namespace app::hub {
namespace {

constexpr size_t kStateMaxChars = 64;

Failure forbidden(std::string why) { return {ErrorCode::kForbidden, std::move(why), 0}; }
Failure invalid(std::string why) { return {ErrorCode::kInvalidMessage, std::move(why), 0}; }

// A field of `data`; null where there is none.
const Json* data_field(const Request& request, std::string_view name) {
    return request.message.data ? request.message.data->find(name) : nullptr;
}

std::string_view data_text(const Request& request) {
    return request.message.data ? request.message.data->text() : "{}";
}

// -------------------------------------------------------------------------------------------------------- not stored

std::string envelope_of(const Session& session, const Person& person, std::string_view type, std::string_view data) {
    Outgoing out = message_of(session, type, data);
    out.from = person.user_id;
    out.role = shown_role(person);
    return write_envelope(out);
}

void tell_typing(Hub& hub, Session& session, const Person& person, bool active, wsd_conn except) {
    const char* const data = active ? R"({"active":true})" : R"({"active":false})";
    tell(hub, session, envelope_of(session, person, "typing", data), except);
}

void end_typing(wsd_server*, void* arg) {
    Typing& typing = *static_cast<Typing*>(arg);
    tell_typing(*typing.hub, *typing.session, *typing.person, false, typing.conn);
    typing.person->typing.reset();
}

std::unique_ptr<Typing> start_typing(Hub& hub, const Connection& connection) {
    auto typing = std::make_unique<Typing>();
    typing->hub = &hub;
    typing->session = connection.session;
    typing->person = connection.person;
    typing->conn = connection.conn;
    const int started =
        wsd_timer_start(hub.server, hub.options.typing_timeout_ms, end_typing, typing.get(), &typing->timer);
    return started == WSD_OK ? std::move(typing) : nullptr;
}

Result handle_typing(Request& request) {
    const Json* const active = data_field(request, "active");
    if (!active || !active->is(JsonType::kBool)) return invalid("data.active is neither true nor false");
    Connection& connection = request.connection;
    Person& person = *connection.person;
    person.typing.reset();
    if (active->boolean()) {
        person.typing = start_typing(request.hub, connection);
        // What would never end is not begun.
        if (!person.typing) return Failure{ErrorCode::kInternal, "out of memory"};
    }
    tell_typing(request.hub, *connection.session, person, active->boolean(), connection.conn);
    return {};
}

Result handle_status(Request& request) {
    const Json* const state = data_field(request, "state");
    if (!state || !state->is(JsonType::kString)) return invalid("data.state is not a string");
    if (utf8_count(state->string()) > kStateMaxChars) return invalid("data.state is longer than 64 characters");
    const std::string data = JsonWriter().begin_object().key("state").string(state->string()).end_object().take();
    Connection& connection = request.connection;
    Session& session = *connection.session;
    tell(request.hub, session, envelope_of(session, *connection.person, "status", data), connection.conn);
    return {};
}

Result handle_heartbeat(Request& request) {
    Outgoing out = message_of(*request.connection.session, "heartbeat", {});
    out.id = request.message.id;
    answer(request.hub, request.connection, write_envelope(out));
    return {};
}

Result handle_ack(Request& request) {
    const Connection& connection = request.connection;
    take_ack(request.hub, *connection.session, connection.person->user_id, request.message.seq);
    return {};
}

Result handle_join(Request& request) {
    send_welcome(request.hub, request.connection, false);
    return {};
}

Result handle_leave(Request& request) {
    disconnect(request.hub, request.connection, kCloseNormal, "left the session", LeaveReason::kLeft);
    return {};
}

// ------------------------------------------------------------------------------------------------------------- stored

// What the sender is answered for. It borrows from the request.
Draft draft_of(const Request& request, std::string_view type, std::string_view data) {
    Draft draft;
    draft.type = type;
    draft.id = request.message.id;
    draft.from = request.connection.person->user_id;
    draft.role = request.connection.role;
    draft.ack = request.message.ack;
    draft.data = data;
    draft.origin = request.connection.conn;
    draft.answered = true;
    return draft;
}

// An instructor may address anyone; a student itself, instructors and, where the session allows, everyone.
Result judge_receivers(const Connection& sender, const Incoming& message) {
    Session& session = *sender.session;
    const Person* const receiver = message.to.empty() ? nullptr : find_person(session, message.to);
    if (!message.to.empty() && !receiver) {
        return Failure{ErrorCode::kNotFound, "the session knows no user " + std::string(message.to)};
    }
    if (sender.role == Role::kInstructor) return {};
    if (receiver) {
        if (receiver == sender.person || shown_role(*receiver) == Role::kInstructor) return {};
        return forbidden("a student may not address another student");
    }
    if (message.to_role) {
        if (*message.to_role == Role::kInstructor) return {};
        return forbidden("a student may not address all students");
    }
    if (session.students_may_broadcast) return {};
    return forbidden("students may not address everyone in this session");
}

Result handle_message(Request& request) {
    Session& session = *request.connection.session;
    if (session.status == SessionStatus::kPaused) return forbidden("the session is paused");
    if (Result refused = judge_receivers(request.connection, request.message)) return refused;
    Draft draft = draft_of(request, "message", data_text(request));
    draft.to = request.message.to;
    draft.to_role = request.message.to_role;
    (void)publish(request.hub, session, draft);
    return {};
}

Result handle_notice(Request& request) {
    if (request.connection.role != Role::kInstructor) return forbidden("only an instructor may send notices");
    (void)publish(request.hub, *request.connection.session, draft_of(request, "system_notice", data_text(request)));
    return {};
}

Result handle_vote(Request& request) {
    Session& session = *request.connection.session;
    const Person& person = *request.connection.person;
    if (session.status == SessionStatus::kPaused) return forbidden("the session is paused");
    if (!person.member) return forbidden("only who is on the session's list may vote");
    const Json* const field = data_field(request, "vote");
    if (!field || !field->is(JsonType::kObject)) return invalid("data.vote is not an object");
    Vote vote;
    std::string why;
    if (!parse_vote(*field, &vote, &why)) return invalid("data.vote." + why);
    if (Result refused = session.votes.judge(vote)) return refused;

    votes_will_change(session);
    const Consensus consensus = session.votes.cast(person.user_id, vote, session.members);
    const std::string data = session.votes.received_data(person.user_id, person.name, vote);
    (void)publish(request.hub, session, draft_of(request, "vote_received", data));
    publish_consensus(request.hub, session, vote.comparison_id, consensus);
    if (consensus != Consensus::kUnchanged) publish_progress(request.hub, session);
    return {};
}

Result handle_comparison(Request& request) {
    if (request.connection.role != Role::kInstructor) return forbidden("only an instructor may change comparisons");
    const Json* const field = data_field(request, "comparison");
    if (!field || !field->is(JsonType::kObject)) return invalid("data.comparison is not an object");
    Comparison comparison;
    std::string why;
    if (!parse_comparison(*field, "data.comparison", &comparison, &why)) return invalid(why);

    Session& session = *request.connection.session;
    if (!session.votes.find(comparison.id) && session.votes.comparisons().size() >= kComparisonMaxCount) {
        return forbidden("the session has as many comparisons as it may have");
    }
    votes_will_change(session);
    const Consensus consensus = session.votes.put(comparison);
    JsonWriter data;
    write_comparison(comparison, &data.begin_object().key("comparison"));
    const std::string text = data.end_object().take();
    Draft draft = draft_of(request, "comparison_update", text);
    draft.echoed = true;
    // The definition has it, too, as retention may take the message away.
    const std::weak_ptr<const bool> alive = session.alive;
    draft.done = [&hub = request.hub, &session, alive](uint64_t, bool ok) {
        if (ok && !alive.expired()) keep_definition(hub, session);
    };
    (void)publish(request.hub, session, draft);
    publish_consensus(request.hub, session, comparison.id, consensus);
    publish_progress(request.hub, session);
    return {};
}

Result refuse_server_type(Request&) { return forbidden("only the server sends messages of this type"); }

constexpr const char* kServerTypes[] = {
    "error",
    "system",
    "presence",
    "attendee_joined",
    "attendee_left",
    "vote_received",
    "consensus_reached",
    "consensus_lost",
    "session_progress",
};

}  // namespace

Typing::~Typing() {
    if (timer) (void)wsd_timer_stop(hub->server, timer);
}

void add_handlers(Router* router) {
    router->handle("message", handle_message);
    router->handle("ack", handle_ack);
    router->handle("typing", handle_typing);
    router->handle("status", handle_status);
    router->handle("heartbeat", handle_heartbeat);
    router->handle("join_session", handle_join);
    router->handle("leave_session", handle_leave);
    router->handle("vote_submitted", handle_vote);
    router->handle("comparison_update", handle_comparison);
    router->handle("system_notice", handle_notice);
    for (const char* const type : kServerTypes) router->handle(type, refuse_server_type);
}

}  // namespace app::hub
