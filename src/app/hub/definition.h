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

// A session that runs from a definition, with a history that is empty or stored. Members come to be people.
std::unique_ptr<Session> make_session(const Definition& definition, std::unique_ptr<History> history);

// Has a running session be what a change says. Votes follow the list: what changes with that is published.
void apply_change(Hub& hub, Session& session, const DefinitionChange& change);

// At start: all sessions that are stored, then those of `sessions_file` that are not (a JSON array of definitions).
// What the stored records said (votes, comparisons, ids that were taken, people) holds again. False sets `*error`.
[[nodiscard]] bool load_sessions(Hub& hub, const std::string& sessions_file, std::string* error);

}  // namespace app::hub
