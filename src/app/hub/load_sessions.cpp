// What sessions there are at start: those that are stored, with what their records say, then those of a file.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "app/hub/definition.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"

namespace app::hub {
namespace {

// Of a file of definitions, and of one that is stored: far above what the limits of definitions come to in practice.
constexpr JsonLimits kDefinitionLimits{256u << 20, 16};
// An envelope is a client's message with what the server adds to it.
constexpr JsonLimits kRecordLimits{4 * kEnvelopeMaxBytes, kEnvelopeMaxDepth + 1};

bool fail(std::string* error, std::string text) {
    *error = std::move(text);
    return false;
}

// ---------------------------------------------------------------------------------------------------------- replaying

void replay_sender(Hub& hub, Session& session, const Record& record, const Json& envelope) {
    const Json* const role_text = envelope.find("role");
    const auto role = role_text && role_text->is(JsonType::kString) ? parse_role(role_text->string()) : std::nullopt;
    if (!role) return;  // the server's own
    Person& person = need_person(session, record.route.from);
    if (!person.member) person.role = *role;
    person.last_seen_ms = record.time_ms;
    forget_guests(hub, session, person);
}

void replay_vote(Session& session, const Record& record, const Json& data) {
    Vote vote;
    std::string why;
    // Of a comparison that has changed since, and whose change retention has taken away.
    if (!parse_vote(data, &vote, &why) || session.votes.judge(vote)) return;
    (void)session.votes.cast(record.route.from, vote, session.members);  // what came of it is in the records, too
}

void replay_comparison(Session& session, const Json& data) {
    const Json* const json = data.find("comparison");
    Comparison comparison;
    std::string why;
    if (json && parse_comparison(*json, &comparison, &why)) (void)session.votes.put(comparison);
}

void replay_effect(Session& session, const Record& record, const Json& envelope) {
    const Json* const type = envelope.find("type");
    const Json* const data = envelope.find("data");
    if (!type || !type->is(JsonType::kString) || !data) return;
    if (type->string() == "vote_received") replay_vote(session, record, *data);
    if (type->string() == "comparison_update") replay_comparison(session, *data);
}

void replay(Hub& hub, Session& session, const Record& record) {
    Json envelope;
    JsonError error;
    if (!parse_json(record.text, kRecordLimits, &envelope, &error)) return;  // whatever it is, it is passed on as it is
    replay_sender(hub, session, record, envelope);
    replay_effect(session, record, envelope);
    const Json* const id = envelope.find("id");
    if (id && id->is(JsonType::kString)) remember_id(hub, session, record.route.from, id->string(), record.seq);
}

// -------------------------------------------------------------------------------------------------------------- store

// A definition that was lost or cannot be read leaves a session in which nobody can do anything yet.
Definition stored_definition(const Hub& hub, const StoredSession& stored) {
    Json json;
    JsonError json_error;
    Definition definition;
    std::string why;
    if (!parse_json(stored.definition, kDefinitionLimits, &json, &json_error)) {
        why = json_error.why;
    } else if (parse_definition(json, &definition, &why) && definition.id != stored.id) {
        why = "it is another session's";
    }
    if (why.empty()) return definition;
    if (hub.log) {
        hub.log->write(LogLevel::kError, "definition unreadable", {{"session", stored.id}, {"why", why}});
    }
    Definition paused;
    paused.id = stored.id;
    paused.status = SessionStatus::kPaused;
    return paused;
}

Session& need_session(Hub& hub, const StoredSession& stored) {
    std::unique_ptr<Session>& session = hub.sessions[stored.id];
    if (!session) session = make_session(stored_definition(hub, stored), nullptr);
    return *session;
}

void load_stored(Hub& hub) {
    const LoadVisitor visit = [&hub](const StoredSession& stored, const std::shared_ptr<const Record>& record) {
        replay(hub, need_session(hub, stored), *record);
    };
    for (StoredSession& stored : hub.store->load(visit))
        set_history(need_session(hub, stored), std::move(stored.history));
}

// --------------------------------------------------------------------------------------------------------------- file

bool read_file(const std::string& path, std::string* text, std::string* error) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    if (file) content << file.rdbuf();
    if (!file) return fail(error, path + ": " + std::strerror(errno));
    *text = content.str();
    return true;
}

size_t line_of(std::string_view text, size_t offset) {
    size_t line = 1;
    for (const char byte : text.substr(0, offset)) line += byte == '\n';
    return line;
}

// One session of the file. `name` is the file's and the place in it, for errors.
bool read_session(const Json& json, const std::string& name, Definition* definition, std::string* error) {
    std::string why;
    if (!parse_definition(json, definition, &why)) return fail(error, name + ": " + why);
    return !definition->id.empty() || fail(error, name + ": id: missing");
}

bool add_session(Hub& hub, const Definition& definition, const std::string& name, std::string* error) {
    const uint32_t most = hub.options.session_max_count;
    if (most && hub.sessions.size() >= most) {
        return fail(error, name + ": more sessions than --max-sessions " + std::to_string(most));
    }
    Log* const log = hub.log;
    hub.store->save(definition.id, write_definition(definition), [log, id = definition.id](bool ok) {
        if (!ok && log) log->write(LogLevel::kError, "session not stored", {{"session", id}});
    });
    hub.sessions.emplace(definition.id, make_session(definition, hub.store->make_history(definition.id)));
    return true;
}

bool load_file(Hub& hub, const std::string& path, std::string* error) {
    std::string text;
    if (!read_file(path, &text, error)) return false;
    Json json;
    JsonError json_error;
    if (!parse_json(text, kDefinitionLimits, &json, &json_error)) {
        return fail(error, path + ":" + std::to_string(line_of(text, json_error.offset)) + ": " + json_error.why);
    }
    if (!json.is(JsonType::kArray)) return fail(error, path + ": not an array of sessions");
    std::unordered_set<std::string> seen;
    for (const Json& item : json.items()) {
        const std::string name = path + ": session " + std::to_string(seen.size() + 1);
        Definition definition;
        if (!read_session(item, name, &definition, error)) return false;
        if (!seen.insert(definition.id).second) return fail(error, name + ": id: there already");
        // What is stored is newer than the file.
        if (hub.sessions.contains(definition.id)) continue;
        if (!add_session(hub, definition, name, error)) return false;
    }
    return true;
}

}  // namespace

bool load_sessions(Hub& hub, const std::string& sessions_file, std::string* error) {
    load_stored(hub);
    return sessions_file.empty() || load_file(hub, sessions_file, error);
}

}  // namespace app::hub
