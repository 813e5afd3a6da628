// What a session is, apart from what is said in it: as the control API, `--sessions` and the store have it, in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/hub/envelope.h"
#include "app/hub/hub.h"
#include "app/json.h"

namespace app::hub {

constexpr size_t kMemberMaxCount = 10000;

struct Member {
    std::string user_id;
    Role role = Role::kStudent;
    std::string name;  // empty: none
};

struct Definition {
    std::string id;  // empty: to be made up
    std::string name, project_id;
    SessionStatus status = SessionStatus::kActive;
    std::vector<Member> members;
    bool several_per_user = false;
    bool students_may_broadcast = true;
    std::vector<Comparison> comparisons;
};

// What PATCH may change; what is not there stays.
struct DefinitionChange {
    std::optional<std::string> name;
    std::optional<SessionStatus> status;
    std::optional<std::vector<Member>> members;
    std::optional<bool> several_per_user, students_may_broadcast;
};

// Both judge every field, and unknown ones are errors; false sets `*why` to what is wrong, naming the field.
[[nodiscard]] bool parse_definition(const Json& json, Definition* definition, std::string* why);
[[nodiscard]] bool parse_change(const Json& json, DefinitionChange* change, std::string* why);

Definition definition_of(const Session& session);
std::string write_definition(const Definition& definition);

// The same fields, into an object that has more of them.
void write_definition_fields(const Definition& definition, JsonWriter* writer);

const char* status_name(SessionStatus status);

void change_definition(const DefinitionChange& change, Definition* definition);

// A session that runs from a definition, with a history that is empty or stored; null: it follows by set_history().
// Members come to be people.
std::unique_ptr<Session> make_session(const Definition& definition, std::unique_ptr<History> history);
void set_history(Session& session, std::unique_ptr<History> history);

// Has a running session be what a change says. Votes follow the list: what changes with that is published. Students who
// are online and not on the list any more are disconnected with 4003; who is
// in keeps the role that it came with.
void apply_change(Hub& hub, Session& session, const DefinitionChange& change);

enum class ChangeResult : uint8_t { kDone, kNotStored, kEnded };

// Has a change stored and then applied, after those that were asked for before. `done`, which may be empty, is called
// in this turn or a later one, and must not end the session.
void change_session(Hub& hub, Session& session, DefinitionChange change, std::function<void(ChangeResult)> done);

// Stores a session as it is, for what has changed without the control API.
void keep_definition(Hub& hub, Session& session);

// A session is about to end: all changes that are on their way come to kEnded.
void forget_changes(Session& session);

// At start: all sessions that are stored, then those of `sessions_file` that are not (a JSON array of definitions).
// What the stored records said (votes, comparisons, ids that were taken, people) holds again; what retention has taken
// away does not. A stored session whose definition cannot be read is there, but paused and without members, so that it
// can be mended or ended. False sets `*error` to one line.
[[nodiscard]] bool load_sessions(Hub& hub, const std::string& sessions_file, std::string* error);

}  // namespace app::hub
