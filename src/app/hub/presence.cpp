#include "app/hub/presence.h"

#include <span>
#include <unordered_set>
#include <utility>

#include "app/hub/outbox.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/hub/turn.h"
#include "app/json_writer.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

void write_user(const Person& person, JsonWriter* writer) {
    writer->begin_object().key("user_id").string(person.user_id);
    writer->key("role").string(role_name(shown_role(person))).key("online").boolean(person.online());
    if (!person.online() && person.last_seen_ms) writer->key("last_seen").string(format_time(person.last_seen_ms));
    writer->end_object();
}

// How things stand now with users who came or went, each once. Empty where that is nobody.
std::string changes_message(const Session& session, std::span<const std::string> user_ids) {
    if (user_ids.empty()) return {};
    std::unordered_set<std::string_view> written;
    JsonWriter users;
    users.begin_array();
    for (const std::string& user_id : user_ids) {
        const auto found = session.people.find(user_id);
        if (found == session.people.end() || !written.insert(user_id).second) continue;
        write_user(*found->second, &users);
    }
    return presence_message(session, users.end_array().take());
}

std::string attendee_message(const Session& session, std::string_view type, const Person& person,
                             std::string_view reason) {
    JsonWriter data;
    data.begin_object().key("user_id").string(person.user_id).key("role").string(role_name(shown_role(person)));
    if (!reason.empty()) data.key("reason").string(reason);
    const std::string text = data.end_object().take();
    return write_envelope(message_of(session, type, text));
}

}  // namespace

Role shown_role(const Person& person) { return person.online() ? person.connections.back()->role : person.role; }

std::string presence_message(const Session& session, std::string_view users) {
    const std::string text = JsonWriter().begin_object().key("users").raw(users).end_object().take();
    return write_envelope(message_of(session, "presence", text));
}

std::string presence_users(const Session& session, bool gone) {
    JsonWriter users;
    users.begin_array();
    for (const auto& [user_id, person] : session.people) {
        if (person->online() || (gone && person->last_seen_ms)) write_user(*person, &users);
    }
    return users.end_array().take();
}

void presence_changed(Hub& hub, Session& session, const Person& person) {
    // A user may stand in the list several times: a snapshot in between has seen only the earlier ones.
    session.presence_changes.push_back(person.user_id);
    at_turn_end(hub, session);
}

void tell_presence(Hub& hub, Session& session) {
    const std::span<const std::string> changes = session.presence_changes;
    if (changes.empty()) return;
    const std::string envelope = changes_message(session, changes);
    wsd_prepared* const prepared = build(hub, envelope);
    for (Connection* const connection : session.connections) {
        const size_t seen = std::exchange(connection->presence_seen, 0);
        if (!connection->live) continue;
        if (seen == 0) {
            (void)send_built(hub, *connection, prepared, envelope);  // without room it gets a snapshot when it has
        } else if (seen < changes.size()) {
            (void)send_now(hub, *connection, changes_message(session, changes.subspan(seen)));
        }
    }
    wsd_prepared_release(prepared);
    session.presence_changes.clear();
}

void tell_joined(Hub& hub, Session& session, const Person& person, wsd_conn except) {
    tell(hub, session, attendee_message(session, "attendee_joined", person, {}), except);
}

void tell_left(Hub& hub, Session& session, const Person& person, std::string_view reason) {
    tell(hub, session, attendee_message(session, "attendee_left", person, reason), 0);
}

}  // namespace app::hub
