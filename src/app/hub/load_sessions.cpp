// What sessions there are at start: those that are stored, with what their records say, then those of a file. What is
// stored is newer than the file, which only stands in for a definition that is lost.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "app/hub/definition.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/text.h"

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

// --------------------------------------------------------------------------------------------------------------- file

struct SessionsFile {
    std::string path;  // empty: none is given
    std::vector<Definition> definitions;
    std::vector<const Definition*> to_be_stored;
};

const Definition* find_definition(const SessionsFile& file, std::string_view id) {
    const auto found = std::find_if(file.definitions.begin(), file.definitions.end(),
                                    [id](const Definition& definition) { return definition.id == id; });
    return found == file.definitions.end() ? nullptr : &*found;
}

std::string place_in(const SessionsFile& file, size_t index) {
    return file.path + ": session " + std::to_string(index + 1);
}

size_t line_of(std::string_view text, size_t offset) {
    size_t line = 1;
    for (const char byte : text.substr(0, offset)) line += byte == '\n';
    return line;
}

bool read_definitions(const Json& json, SessionsFile* file, std::string* error) {
    std::unordered_set<std::string> seen;
    for (const Json& item : json.items()) {
        const std::string place = place_in(*file, seen.size());
        Definition definition;
        std::string why;
        if (!parse_definition(item, &definition, &why)) return fail(error, place + ": " + why);
        if (definition.id.empty()) return fail(error, place + ": id: missing");
        if (!seen.insert(definition.id).second) return fail(error, place + ": id: there already");
        file->definitions.push_back(std::move(definition));
    }
    return true;
}

bool read_sessions_file(SessionsFile* file, std::string* error) {
    if (file->path.empty()) return true;
    std::string text;
    if (!read_text_file(file->path, kDefinitionLimits.bytes, &text)) {
        return fail(error, file->path + ": " + std::strerror(errno));
    }
    Json json;
    JsonError json_error;
    if (!parse_json(text, kDefinitionLimits, &json, &json_error)) {
        const size_t line = line_of(text, json_error.offset);
        return fail(error, file->path + ":" + std::to_string(line) + ": " + json_error.why);
    }
    if (!json.is(JsonType::kArray)) return fail(error, file->path + ": not an array of sessions");
    return read_definitions(json, file, error);
}

bool add_sessions(Hub& hub, SessionsFile* file, std::string* error) {
    const uint32_t most = hub.options.session_max_count;
    for (size_t i = 0; i < file->definitions.size(); i++) {
        const Definition& definition = file->definitions[i];
        if (hub.sessions.contains(definition.id)) continue;
        if (most && hub.sessions.size() >= most) {
            return fail(error, place_in(*file, i) + ": more sessions than --max-sessions " + std::to_string(most));
        }
        hub.sessions.emplace(definition.id, make_session(definition, hub.store->make_history(definition.id)));
        file->to_be_stored.push_back(&definition);
    }
    return true;
}

void store_sessions(const Hub& hub, const SessionsFile& file) {
    for (const Definition* const definition : file.to_be_stored) {
        hub.store->save(definition->id, write_definition(*definition), [log = hub.log, id = definition->id](bool ok) {
            if (!ok && log) log->write(LogLevel::kError, "session not stored", {{"session", id}});
        });
    }
}

// -------------------------------------------------------------------------------------------------------------- store

// A definition that was lost or cannot be read, and that is not in the file either, leaves a session in which nobody
// can do anything yet.
Definition stored_definition(const Hub& hub, const StoredSession& stored, SessionsFile* file) {
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
    if (const Definition* const found = find_definition(*file, stored.id)) {
        file->to_be_stored.push_back(found);
        return *found;
    }
    Definition paused;
    paused.id = stored.id;
    paused.status = SessionStatus::kPaused;
    return paused;
}

Session& need_session(Hub& hub, const StoredSession& stored, SessionsFile* file) {
    std::unique_ptr<Session>& session = hub.sessions[stored.id];
    if (!session) session = make_session(stored_definition(hub, stored, file), nullptr);
    return *session;
}

void load_stored(Hub& hub, SessionsFile* file) {
    const LoadVisitor visit = [&](const StoredSession& stored, const std::shared_ptr<const Record>& record) {
        replay(hub, need_session(hub, stored, file), *record);
    };
    for (StoredSession& stored : hub.store->load(visit))
        set_history(need_session(hub, stored, file), std::move(stored.history));
}

}  // namespace

bool load_sessions(Hub& hub, const std::string& sessions_file, std::string* error) {
    SessionsFile file{.path = sessions_file, .definitions = {}, .to_be_stored = {}};
    if (!read_sessions_file(&file, error)) return false;
    load_stored(hub, &file);
    if (!add_sessions(hub, &file, error)) return false;
    store_sessions(hub, file);
    return true;
}

}  // namespace app::hub
