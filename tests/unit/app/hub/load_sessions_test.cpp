// What a hub knows again after a restart.
#include <doctest/doctest.h>

#include "app/hub/definition.h"
#include "app/hub/room.h"
#include "support/fake_store.h"
#include "support/scratch_file.h"

using namespace app;
using namespace app::hub;
using namespace test;

namespace {

constexpr char kTwo[] =
    R"({"id":"s","members":[{"user_id":"ada","role":"student"},{"user_id":"bob","role":"student"}],)"
    R"("comparisons":[{"id":"c","feature_a":{"id":"a","title":"A"},"feature_b":{"id":"b","title":"B"}}]})";

struct Stored {
    FakeDisk disk;
    Hub hub;
    std::string error;

    Stored() { hub.store = std::make_unique<FakeStore>(&disk); }

    // A message that session "s" has kept.
    void keep(std::string_view type, std::string_view from, std::string_view id, std::string_view data) {
        Records& records = disk.records["s"];
        auto record = std::make_shared<Record>();
        record->seq = records.size() + 1;
        record->time_ms = 1000 * int64_t(record->seq);
        record->route.from = from;
        Outgoing out;
        out.type = type;
        out.seq = record->seq;
        out.id = id;
        out.from = from;
        if (from != kSystemUser) out.role = from == "tom" ? Role::kInstructor : Role::kStudent;
        out.data = data;
        record->text = write_envelope(out);
        records.push_back(std::move(record));
    }

    void keep_vote(std::string_view from, std::string_view feature) {
        keep("vote_received", from, "",
             R"({"comparison_id":"c","user_id":")" + std::string(from) + R"(","name":"","preferred_feature_id":")" +
                 std::string(feature) + R"(","is_tie_vote":false})");
    }

    Session& load() {
        CHECK(load_sessions(hub, "", &error));
        REQUIRE(hub.sessions.contains("s"));
        return *hub.sessions.find("s")->second;
    }

    // What loading a file of sessions says; empty if it is good.
    std::string load_file(const std::string& text) {
        const ScratchFile file(text);
        if (load_sessions(hub, file.path(), &error)) return "";
        CHECK(error.starts_with(file.path() + ":"));
        return error.substr(file.path().size() + 1);
    }
};

}  // namespace

TEST_CASE("stored sessions go on from their last message") {
    Stored stored;
    stored.disk.definitions["s"] = kTwo;
    stored.keep("message", "ada", "m1", "{}");
    stored.keep("message", "tom", "m1", "{}");
    Session& session = stored.load();
    CHECK(session.members == std::vector<std::string>{"ada", "bob"});
    CHECK(session.history->last_seq() == 2);
    CHECK(session.staged_seq == 2);
    CHECK(session.seen_ids.find("ada\nm1")->second == 1);
    CHECK(session.seen_ids.find("tom\nm1")->second == 2);
}

TEST_CASE("who has spoken is known again, as who they were") {
    Stored stored;
    stored.disk.definitions["s"] = kTwo;
    stored.keep("message", "tom", "", "{}");
    stored.keep("message", "ada", "", "{}");
    stored.keep("system_notice", kSystemUser, "", "{}");
    Session& session = stored.load();
    REQUIRE(session.people.contains("tom"));
    CHECK(session.people.find("tom")->second->role == Role::kInstructor);
    CHECK_FALSE(session.people.find("tom")->second->member);
    CHECK(session.people.find("ada")->second->last_seen_ms == 2000);
    CHECK_FALSE(session.people.contains(kSystemUser));
}

TEST_CASE("votes hold again, the latest of each") {
    Stored stored;
    stored.disk.definitions["s"] = kTwo;
    stored.keep_vote("ada", "b");
    stored.keep_vote("bob", "a");
    stored.keep_vote("ada", "a");
    CHECK(stored.load().votes.progress().completed == 1);
}

TEST_CASE("a comparison that was changed has the votes since then only") {
    Stored stored;
    stored.disk.definitions["s"] = kTwo;
    stored.keep_vote("ada", "a");
    stored.keep("comparison_update", "tom", "",
                R"({"comparison":{"id":"c","feature_a":{"id":"a","title":"A"},)"
                R"("feature_b":{"id":"d","title":"D"}}})");
    stored.keep_vote("bob", "a");
    Session& session = stored.load();
    CHECK(session.votes.find("c")->b.title == "D");
    CHECK(session.votes.progress().completed == 0);
    CHECK(session.votes.cast("ada", {"c", "a"}, session.members) == Consensus::kReached);
}

TEST_CASE("a definition that is newer than the records leaves the same votes") {
    Stored stored;
    stored.disk.definitions["s"] = kTwo;
    stored.keep_vote("ada", "a");
    // The definition was stored after this.
    stored.keep("comparison_update", "tom", "",
                R"({"comparison":{"id":"c","feature_a":{"id":"a","title":"A"},)"
                R"("feature_b":{"id":"b","title":"B"}}})");
    stored.keep_vote("bob", "a");
    CHECK(stored.load().votes.progress().completed == 0);
}

TEST_CASE("records that make no sense any more change nothing") {
    Stored stored;
    stored.disk.definitions["s"] = kTwo;
    stored.keep_vote("ada", "z");
    stored.keep("vote_received", "bob", "", "{}");
    stored.keep("comparison_update", "tom", "", R"({"comparison":7})");
    auto broken = std::make_shared<Record>();
    broken->seq = 4;
    broken->text = "{";
    stored.disk.records["s"].push_back(broken);
    Session& session = stored.load();
    CHECK(session.votes.progress().completed == 0);
    CHECK(session.votes.comparisons().size() == 1);
    CHECK(session.history->last_seq() == 4);
}

TEST_CASE("a definition that cannot be read leaves a session that waits to be mended") {
    for (const char* definition : {"", "{", "[]", R"({"id":"t"})", R"({"id":"s","members":1})"}) {
        CAPTURE(definition);
        Stored stored;
        stored.disk.definitions["s"] = definition;
        stored.keep("message", "ada", "", "{}");
        Session& session = stored.load();
        CHECK(session.status == SessionStatus::kPaused);
        CHECK(session.members.empty());
        CHECK(session.history->last_seq() == 1);
        CHECK(stored.disk.definitions["s"] == definition);
    }
}

TEST_CASE("a session of the file comes to be where it is not stored") {
    Stored stored;
    stored.disk.definitions["s"] = R"({"id":"s","name":"stored"})";
    CHECK(stored.load_file(R"([{"id":"s","name":"file"},{"id":"t","name":"file"}])").empty());
    CHECK(stored.hub.sessions.size() == 2);
    CHECK(stored.hub.sessions.find("s")->second->name == "stored");
    CHECK(stored.hub.sessions.find("t")->second->name == "file");
    CHECK(stored.disk.definitions["t"].find(R"("name":"file")") != std::string::npos);
    CHECK(stored.disk.save_count == 1);
}

TEST_CASE("a definition that is lost is taken from the file, and stored again") {
    for (const char* definition : {"", "{"}) {
        CAPTURE(definition);
        Stored stored;
        stored.disk.definitions["s"] = definition;
        stored.keep("message", "ada", "m1", "{}");
        CHECK(stored.load_file(R"([{"id":"s","name":"file"}])").empty());
        const Session& session = *stored.hub.sessions.find("s")->second;
        CHECK(session.name == "file");
        CHECK(session.status == SessionStatus::kActive);
        CHECK(session.history->last_seq() == 1);
        CHECK(stored.disk.definitions["s"].find(R"("name":"file")") != std::string::npos);
    }
}

TEST_CASE("what is wrong with the file of sessions is named in a line") {
    const struct {
        const char* text;
        const char* error;
    } kRows[] = {
        {"{}", " not an array of sessions"},
        {"[1]", " session 1: not an object"},
        {R"([{"id":"s"},{"name":"t"}])", " session 2: id: missing"},
        {R"([{"id":"s","members":[{"user_id":"a"}]}])", " session 1: members[0].role: missing"},
        {R"([{"id":"s"},{"id":"s"}])", " session 2: id: there already"},
        {R"([{"id":"s"},{"id":"t"},{"id":"u"}])", " session 3: more sessions than --max-sessions 2"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.text);
        Stored stored;
        stored.hub.options.session_max_count = 2;
        CHECK(stored.load_file(row.text) == row.error);
    }
    Stored stored;
    CHECK(stored.load_file("[\n{\"id\":\n}]").starts_with("3: "));
    CHECK_FALSE(load_sessions(stored.hub, "/nowhere/sessions.json", &stored.error));
    CHECK(stored.error == "/nowhere/sessions.json: No such file or directory");
}
