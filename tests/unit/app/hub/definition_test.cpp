#include "app/hub/definition.h"

#include <doctest/doctest.h>

using namespace app;
using namespace app::hub;

namespace {

constexpr char kWhole[] =
    R"({"id":"s","name":"Algebra","project_id":"p","status":"paused","members":[)"
    R"({"user_id":"ada","role":"student","name":"Ada"},{"user_id":"tom","role":"instructor","name":""}],)"
    R"("several_per_user":true,"students_may_broadcast":false,"comparisons":[)"
    R"({"id":"c","feature_a":{"id":"a","title":"A"},"feature_b":{"id":"b","title":"B"}}]})";

template <class T>
bool parses(bool (*parse)(const Json&, T*, std::string*), std::string_view text, T* out, std::string* why) {
    Json json;
    JsonError error;
    REQUIRE(parse_json(text, {4u << 20, 16}, &json, &error));
    return parse(json, out, why);
}

std::string members_text(size_t count) {
    std::string text = R"({"members":[)";
    for (size_t i = 0; i < count; i++) {
        text += (i ? ",{\"user_id\":\"u" : "{\"user_id\":\"u") + std::to_string(i) + R"(","role":"student"})";
    }
    return text + "]}";
}

std::string comparisons_text(size_t count) {
    std::string text = R"({"comparisons":[)";
    for (size_t i = 0; i < count; i++) {
        text += (i ? ",{\"id\":\"c" : "{\"id\":\"c") + std::to_string(i) +
                R"(","feature_a":{"id":"a","title":""},"feature_b":{"id":"b","title":""}})";
    }
    return text + "]}";
}

}  // namespace

TEST_CASE("a definition is written as it was read") {
    Definition definition;
    std::string why;
    REQUIRE(parses(parse_definition, kWhole, &definition, &why));
    CHECK(definition.status == SessionStatus::kPaused);
    CHECK(definition.members[1].role == Role::kInstructor);
    CHECK(write_definition(definition) == kWhole);
}

TEST_CASE("a definition may say nothing, and null says nothing") {
    Definition definition;
    std::string why;
    for (const char* text : {"{}", R"({"id":null,"name":null,"project_id":null,"members":null,"status":null})"}) {
        CAPTURE(text);
        REQUIRE(parses(parse_definition, text, &definition, &why));
        CHECK(write_definition(definition) ==
              R"({"id":"","name":"","project_id":null,"status":"active","members":[],"several_per_user":false,)"
              R"("students_may_broadcast":true,"comparisons":[]})");
    }
}

TEST_CASE("what is wrong with a definition is named by its path") {
    const struct {
        const char* text;
        const char* why;
    } kRows[] = {
        {"[]", "not an object"},
        {R"({"id":"a b"})", "id: not 1 to 64 characters of A-Z a-z 0-9 _ - ."},
        {R"({"id":""})", "id: not 1 to 64 characters of A-Z a-z 0-9 _ - ."},
        {R"({"id":1})", "id: not 1 to 64 characters of A-Z a-z 0-9 _ - ."},
        {R"({"project_id":"a/b"})", "project_id: not 1 to 64 characters of A-Z a-z 0-9 _ - ."},
        {R"({"name":1})", "name: not a string"},
        {R"({"status":"asleep"})", "status: not active or paused"},
        {R"({"several_per_user":1})", "several_per_user: neither true nor false"},
        {R"({"members":1})", "members: not an array"},
        {R"({"members":[1]})", "members[0]: not an object"},
        {R"({"members":[{"role":"student"}]})", "members[0].user_id: missing"},
        {R"({"members":[{"user_id":"ada"}]})", "members[0].role: missing"},
        {R"({"members":[{"user_id":"a","role":"student"},{"user_id":"b","role":"x"}]})",
         "members[1].role: not instructor or student"},
        {R"({"members":[{"user_id":"a","role":"student"},{"user_id":"a","role":"student"}]})",
         "members[1].user_id: on the list already"},
        {R"({"members":[{"user_id":"system","role":"student"}]})", "members[0].user_id: the server's own"},
        {R"({"members":[{"user_id":"a","role":"student","age":7}]})", "members[0].age: no such field"},
        {R"({"comparisons":[{"id":"c"}]})", "comparisons[0].feature_a: missing"},
        {R"({"comparisons":[{"id":"c","feature_a":{"id":"a","title":1},"feature_b":{}}]})",
         "comparisons[0].feature_a.title: not a string"},
        {R"({"comparisons":[{"id":"c","feature_a":{"id":"a","title":""},"feature_b":{"id":"b","title":""}},)"
         R"({"id":"c","feature_a":{"id":"a","title":""},"feature_b":{"id":"b","title":""}}]})",
         "comparisons[1].id: there already"},
        {R"({"colour":"red"})", "colour: no such field"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.text);
        Definition definition;
        std::string why;
        CHECK_FALSE(parses(parse_definition, row.text, &definition, &why));
        CHECK(why == row.why);
    }
}

TEST_CASE("names have 256 characters at most, whatever their bytes") {
    Definition definition;
    std::string why;
    std::string name;
    for (int i = 0; i < 256; i++) name += "ö";
    CHECK(parses(parse_definition, R"({"name":")" + name + R"("})", &definition, &why));
    CHECK(definition.name == name);
    CHECK_FALSE(parses(parse_definition, R"({"name":")" + name + R"(x"})", &definition, &why));
    CHECK(why == "name: longer than 256 characters");
}

TEST_CASE("lists are bounded") {
    Definition definition;
    std::string why;
    CHECK(parses(parse_definition, members_text(10000), &definition, &why));
    CHECK(definition.members.size() == 10000);
    CHECK_FALSE(parses(parse_definition, members_text(10001), &definition, &why));
    CHECK(why == "members: more than 10000");
    CHECK(parses(parse_definition, comparisons_text(1000), &definition, &why));
    CHECK_FALSE(parses(parse_definition, comparisons_text(1001), &definition, &why));
    CHECK(why == "comparisons: more than 1000");
}

TEST_CASE("a change has what it says, and nothing else") {
    DefinitionChange change;
    std::string why;
    REQUIRE(parses(parse_change, "{}", &change, &why));
    CHECK_FALSE((change.name || change.status || change.members || change.several_per_user));
    CHECK_FALSE(change.students_may_broadcast);
    REQUIRE(parses(parse_change, R"({"name":"","status":"paused","members":[],"students_may_broadcast":false})",
                   &change, &why));
    CHECK(change.name == "");
    CHECK(change.status == SessionStatus::kPaused);
    CHECK(change.members->empty());
    CHECK_FALSE(change.several_per_user);
    CHECK(change.students_may_broadcast == false);
}

TEST_CASE("a change has no other fields than may be changed") {
    for (const char* field : {"id", "project_id", "comparisons"}) {
        CAPTURE(field);
        DefinitionChange change;
        std::string why;
        CHECK_FALSE(parses(parse_change, std::string("{\"") + field + R"(":"x"})", &change, &why));
        CHECK(why == std::string(field) + ": no such field");
    }
}

TEST_CASE("a session has the definition that it was made from") {
    Definition definition;
    std::string why;
    REQUIRE(parses(parse_definition, kWhole, &definition, &why));
    const std::unique_ptr<Session> session = make_session(definition, nullptr);
    CHECK(write_definition(definition_of(*session)) == kWhole);
    CHECK(session->people.find("ada")->second->member);
    CHECK(session->votes.progress().total == 1);
}
