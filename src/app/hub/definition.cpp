// Definitions as JSON: read, judged and written. What they do to sessions is in definition_session.cpp.
#include "app/hub/definition.h"

#include <unordered_set>

#include "app/hub/fields.h"

namespace app::hub {
namespace {

bool parse_member(const Json& json, std::string path, Member* member, std::string* why) {
    Fields fields(json, std::move(path), why);
    size_t role = 0;
    fields.identifier("user_id", Need::kRequired, &member->user_id);
    if (fields.ok() && member->user_id == kSystemUser) fields.wrong("user_id", "the server's own");
    if (fields.word("role", Need::kRequired, {"instructor", "student"}, &role)) {
        member->role = role ? Role::kStudent : Role::kInstructor;
    }
    fields.text("name", Need::kOptional, &member->name);
    return fields.finish();
}

// False where there is no good list; absent is no error.
bool parse_members(Fields* fields, std::vector<Member>* members, std::string* why) {
    const Json* list = nullptr;
    if (!fields->array("members", kMemberMaxCount, &list)) return false;
    std::unordered_set<std::string> seen;
    members->reserve(list->items().size());
    for (const Json& item : list->items()) {
        const std::string path = fields->path_of("members", members->size());
        Member member;
        if (!parse_member(item, path, &member, why)) return fields->wrong_within();
        if (!seen.insert(member.user_id).second) return fields->wrong(path + ".user_id", "on the list already");
        members->push_back(std::move(member));
    }
    return true;
}

void parse_comparisons(Fields* fields, std::vector<Comparison>* comparisons, std::string* why) {
    const Json* list = nullptr;
    if (!fields->array("comparisons", kComparisonMaxCount, &list)) return;
    std::unordered_set<std::string> seen;
    for (const Json& item : list->items()) {
        const std::string path = fields->path_of("comparisons", comparisons->size());
        Comparison comparison;
        if (!parse_comparison(item, path, &comparison, why)) return (void)fields->wrong_within();
        if (!seen.insert(comparison.id).second) return (void)fields->wrong(path + ".id", "there already");
        comparisons->push_back(std::move(comparison));
    }
}

bool parse_status(Fields* fields, SessionStatus* status) {
    size_t place = 0;
    if (!fields->word("status", Need::kOptional, {"active", "paused"}, &place)) return false;
    *status = place ? SessionStatus::kPaused : SessionStatus::kActive;
    return true;
}

// Sets an optional where the reader has read something.
template <class T, class Read>
void read_change(std::optional<T>* out, const Read& read) {
    T value{};
    if (read(&value)) *out = std::move(value);
}

}  // namespace

const char* status_name(SessionStatus status) { return status == SessionStatus::kActive ? "active" : "paused"; }

bool parse_definition(const Json& json, Definition* definition, std::string* why) {
    *definition = {};
    Fields fields(json, "", why);
    fields.identifier("id", Need::kOptional, &definition->id);
    fields.text("name", Need::kOptional, &definition->name);
    fields.identifier("project_id", Need::kOptional, &definition->project_id);
    parse_status(&fields, &definition->status);
    parse_members(&fields, &definition->members, why);
    fields.flag("several_per_user", &definition->several_per_user);
    fields.flag("students_may_broadcast", &definition->students_may_broadcast);
    parse_comparisons(&fields, &definition->comparisons, why);
    return fields.finish();
}

bool parse_change(const Json& json, DefinitionChange* change, std::string* why) {
    *change = {};
    Fields fields(json, "", why);
    read_change(&change->name, [&](std::string* out) { return fields.text("name", Need::kOptional, out); });
    read_change(&change->status, [&](SessionStatus* out) { return parse_status(&fields, out); });
    read_change(&change->members, [&](std::vector<Member>* out) { return parse_members(&fields, out, why); });
    read_change(&change->several_per_user, [&](bool* out) { return fields.flag("several_per_user", out); });
    read_change(&change->students_may_broadcast, [&](bool* out) { return fields.flag("students_may_broadcast", out); });
    return fields.finish();
}

void change_definition(const DefinitionChange& change, Definition* definition) {
    if (change.name) definition->name = *change.name;
    if (change.status) definition->status = *change.status;
    if (change.members) definition->members = *change.members;
    if (change.several_per_user) definition->several_per_user = *change.several_per_user;
    if (change.students_may_broadcast) definition->students_may_broadcast = *change.students_may_broadcast;
}

void write_definition_fields(const Definition& definition, JsonWriter* writer) {
    writer->key("id").string(definition.id).key("name").string(definition.name);
    writer->key("project_id");
    if (definition.project_id.empty()) {
        writer->null();
    } else {
        writer->string(definition.project_id);
    }
    writer->key("status").string(status_name(definition.status));
    writer->key("members").begin_array();
    for (const Member& member : definition.members) {
        writer->begin_object().key("user_id").string(member.user_id);
        writer->key("role").string(role_name(member.role)).key("name").string(member.name).end_object();
    }
    writer->end_array();
    writer->key("several_per_user").boolean(definition.several_per_user);
    writer->key("students_may_broadcast").boolean(definition.students_may_broadcast);
    writer->key("comparisons").begin_array();
    for (const Comparison& comparison : definition.comparisons) write_comparison(comparison, writer);
    writer->end_array();
}

std::string write_definition(const Definition& definition) {
    JsonWriter writer;
    writer.begin_object();
    write_definition_fields(definition, &writer);
    return writer.end_object().take();
}

}  // namespace app::hub
