// The control API's calls that make, show, change and end sessions. What changes one is answered once it is stored.
#include <algorithm>

#include "app/hub/control_call.h"
#include "app/hub/definition.h"
#include "app/hub/random_bytes.h"
#include "app/hub/registry.h"

namespace app::hub {
namespace {

size_t online_count(const Session& session) {
    return size_t(std::count_if(session.connections.begin(), session.connections.end(), [](const Connection* one) {
        return one == one->person->connections.front();  // of each user one
    }));
}

void write_state(const Session& session, JsonWriter* writer) {
    writer->key("online").number(uint64_t{online_count(session)});
    writer->key("last_seq").number(uint64_t{session.history->last_seq()});
}

std::string session_text(const Session& session) {
    JsonWriter writer;
    writer.begin_object();
    write_definition_fields(definition_of(session), &writer);
    write_state(session, &writer);
    return writer.end_object().take();
}

Answer not_stored() { return refusal(500, "internal", "the session could not be stored: nothing was changed"); }

void log_session(const Hub& hub, std::string_view event, std::string_view session_id) {
    if (hub.log) hub.log->write(LogLevel::kInfo, event, {{"session", std::string(session_id)}});
}

// ----------------------------------------------------------------------------------------------------------- creating

bool is_taken(const Hub& hub, const std::string& id) {
    return hub.sessions.contains(id) || hub.sessions_to_be.contains(id);
}

Answer created(Hub& hub, const Definition& definition, bool ok) {
    hub.sessions_to_be.erase(definition.id);
    if (!ok) return not_stored();
    const auto made =
        hub.sessions.emplace(definition.id, make_session(definition, hub.store->make_history(definition.id)));
    log_session(hub, "session created", definition.id);
    return {201, session_text(*made.first->second), "/api/sessions/" + definition.id, {}};
}

}  // namespace

CallResult create_session(ControlCall& call) {
    Hub& hub = call.hub;
    Definition definition;
    std::string why;
    if (!parse_definition(call.body, &definition, &why)) return refusal(400, "invalid_parameter", why);
    if (definition.id.empty()) definition.id = random_name();
    if (is_taken(hub, definition.id)) return refusal(409, "session_exists", "id: there is a session of that name");
    const uint32_t most = hub.options.session_max_count;
    if (most && hub.sessions.size() + hub.sessions_to_be.size() >= most) {
        return refusal(503, "server_full", "there are as many sessions as may be");
    }
    hub.sessions_to_be.insert(definition.id);
    hub.store->save(definition.id, write_definition(definition), [&hub, conn = call.conn, definition](bool ok) {
        send_answer(hub, conn, created(hub, definition, ok));
    });
    return std::nullopt;
}

// ------------------------------------------------------------------------------------------------------------ showing

CallResult list_sessions(ControlCall& call) {
    std::vector<const Session*> sessions;
    sessions.reserve(call.hub.sessions.size());
    for (const auto& [id, session] : call.hub.sessions) {
        if (!session->ended) sessions.push_back(session.get());
    }
    std::sort(sessions.begin(), sessions.end(), [](const Session* a, const Session* b) { return a->id < b->id; });
    JsonWriter writer;
    writer.begin_object().key("sessions").begin_array();
    for (const Session* const session : sessions) {
        writer.begin_object().key("id").string(session->id).key("name").string(session->name);
        writer.key("status").string(status_name(session->status));
        write_state(*session, &writer);
        writer.end_object();
    }
    return Answer{200, writer.end_array().end_object().take(), {}, {}};
}

CallResult show_session(ControlCall& call) { return Answer{200, session_text(*call.session), {}, {}}; }

// ------------------------------------------------------------------------------------------------- changing and ending

CallResult patch_session(ControlCall& call) {
    DefinitionChange change;
    std::string why;
    if (!parse_change(call.body, &change, &why)) return refusal(400, "invalid_parameter", why);
    Session& session = *call.session;
    const auto answer = [&hub = call.hub, conn = call.conn, &session](ChangeResult result) {
        if (result == ChangeResult::kEnded) return send_answer(hub, conn, no_such_session());
        if (result == ChangeResult::kNotStored) return send_answer(hub, conn, not_stored());
        send_answer(hub, conn, {200, session_text(session), {}, {}});
    };
    change_session(call.hub, session, std::move(change), answer);
    return std::nullopt;
}

CallResult delete_session(ControlCall& call) {
    const std::string id = call.session->id;
    forget_changes(*call.session);
    end_session(call.hub, *call.session);
    log_session(call.hub, "session ended", id);
    call.hub.store->remove(id, [&hub = call.hub, conn = call.conn](bool ok) {
        send_answer(hub, conn,
                    ok ? Answer{204, {}, {}, {}}
                       : refusal(500, "internal", "the session has ended, but could not be removed from the store"));
    });
    return std::nullopt;
}

}  // namespace app::hub
