// What the hub says of itself to one connection: hello, and that a session is over.
#include "app/hub/definition.h"
#include "app/hub/outbox.h"
#include "app/hub/presence.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/json_writer.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

std::string system_message(const Session& session, std::string_view data) {
    return write_envelope(message_of(session, "system", data));
}

void write_session(const Session& session, JsonWriter* writer) {
    writer->begin_object().key("id").string(session.id).key("name").string(session.name);
    writer->key("status").string(status_name(session.status));
    writer->key("members").begin_array();
    for (const std::string& user_id : session.members) {
        const auto found = session.people.find(user_id);
        if (found == session.people.end()) continue;
        const Person& person = *found->second;
        writer->begin_object().key("user_id").string(user_id).key("role").string(role_name(person.role));
        if (!person.name.empty()) writer->key("name").string(person.name);
        writer->end_object();
    }
    writer->end_array().key("comparisons").begin_array();
    for (const Comparison& comparison : session.votes.comparisons()) write_comparison(comparison, writer);
    writer->end_array().end_object();
}

}  // namespace

std::string session_ended_message(const Session& session) {
    return system_message(session, R"({"event":"session_ended"})");
}

void send_welcome(Hub& hub, Connection& connection, bool resumed) {
    if (connection.closing) return;
    const Session& session = *connection.session;
    const std::string& user_id = connection.person->user_id;
    const int64_t now_s = (wall_ms() + 999) / 1000;  // up, so that none is good for less than was asked for
    const ResumeClaim claim{session.id, user_id, connection.id, now_s + hub.options.resume_timeout_s};
    JsonWriter data;
    data.begin_object().key("event").string("welcome").key("connection_id").string(connection.id);
    data.key("user_id").string(user_id).key("role").string(role_name(connection.role)).key("session");
    write_session(session, &data);
    data.key("resume_token").string(make_resume_token(claim, hub.resume_secret)).key("resumed").boolean(resumed);
    data.key("last_seq").number(session.history->last_seq());
    data.key("heartbeat_s").number(uint64_t(hub.heartbeat_s)).end_object();
    answer(hub, connection, system_message(session, data.take()));
}

}  // namespace app::hub
