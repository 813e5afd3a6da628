// SPEC C14: the control API over a real server, with a store that does what the test says.
#include "app/hub/control.h"

#include <doctest/doctest.h>

#include "app/hub/definition.h"
#include "app/hub/registry.h"
#include "support/fake_store.h"
#include "support/test_server.h"

using namespace app;
using namespace app::hub;
using namespace test;

namespace {

constexpr char kKey[] = "a key for tests";

struct ControlWorld {
    FakeDisk disk;
    Hub hub;
    TestServer server;
    Entry entering;  // of whoever opens a WebSocket next
    int last_status = -1;
    Client* admin = nullptr;

    ControlWorld() {
        hub.store = std::make_unique<FakeStore>(&disk);
        hub.admin_key = kKey;
        hub.resume_secret = std::string(32, 'r');
        server.on_request = [this](wsd_conn conn, const wsd_request* request) {
            if (wsd_request_is_upgrade(request)) {
                CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK);
            } else {
                last_status = control_request(hub, conn, request);
            }
        };
        server.on_open = [this](wsd_conn conn) {
            CHECK(enter(hub, *find_session(hub, entering.session_id), conn, entering));
        };
        server.on_message = [](wsd_conn, wsd_opcode, std::string_view) {};
        server.on_close = [this](const Closed& closed) {
            Connection* const connection = find_connection(hub, closed.conn);
            if (connection) leave(hub, connection, LeaveReason::kLeft);
        };
        server.start();
        hub.server = server;
        admin = &server.connect();
    }
    // The sessions go last, as what the server ends still leads to them.
    ~ControlWorld() { server.free(); }

    void ask(std::string_view line, std::string_view body = {}, std::string_view key = kKey) {
        std::string authorization;
        if (!key.empty()) authorization = "Authorization: Bearer " + std::string(key) + "\r\n";
        admin->send(plain_request(line, authorization, body));
    }

    Response call(std::string_view line, std::string_view body = {}, std::string_view key = kKey) {
        ask(line, body, key);
        return server.response(*admin, line.starts_with("HEAD"));
    }

    // "400 invalid_parameter": a refusal's status and code.
    std::string refused(std::string_view line, std::string_view body = {}) {
        const Response response = call(line, body);
        Json json;
        JsonError error;
        if (!parse_json(response.body, {}, &json, &error) || !json.find("error")) return "no refusal: " + response.body;
        return std::to_string(response.status) + " " + std::string(json.find("error")->find("code")->string());
    }

    Client& attendee(const std::string& user_id, Role role = Role::kStudent) {
        entering = {};
        entering.session_id = "s";
        entering.user_id = user_id;
        entering.role = role;
        return server.open();
    }
};

constexpr char kSession[] =
    R"({"id":"s","members":[{"user_id":"ada","role":"student","name":"Ada"},{"user_id":"bob","role":"student"}],)"
    R"("comparisons":[{"id":"c","feature_a":{"id":"a","title":"A"},"feature_b":{"id":"b","title":"B"}}]})";

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Turns until a frame with that text has come, and returns it.
std::string wait_for(TestServer& server, Client& client, std::string_view part) {
    for (int frames = 0; frames < 100; frames++) {
        const std::string frame = server.next(client);
        if (has(frame, part) || frame == "end") return frame;
    }
    return "too many frames";
}

}  // namespace

TEST_CASE("the control API's paths are those under /api") {
    for (const char* path : {"/api", "/api/", "/api/sessions", "/api/x/y"}) CHECK(is_control_path(path));
    for (const char* path : {"", "/", "/apis", "/hub", "/API", "api/"}) CHECK_FALSE(is_control_path(path));
}

TEST_CASE("who has no key learns nothing but that it takes one") {
    ControlWorld world;
    for (const char* key : {"", "a key for test", "a key for testS", "a key for testss"}) {
        for (const char* line : {"GET /api/sessions", "GET /api/none", "PUT /api/sessions", "DELETE /api/sessions/s"}) {
            CAPTURE(key);
            CAPTURE(line);
            const Response response = world.call(line, {}, key);
            CHECK(response.status == 401);
            CHECK(response.header("WWW-Authenticate") == "Bearer");
            CHECK(has(response.body, R"({"error":{"code":"unauthorized",)"));
        }
    }
    CHECK(world.call("GET /api/sessions").status == 200);
}

TEST_CASE("the scheme is Bearer in any case, and no other") {
    ControlWorld world;
    const auto status = [&world](const char* authorization) {
        world.admin->send(plain_request("GET /api/sessions", authorization));
        return world.server.response(*world.admin).status;
    };
    CHECK(status("Authorization: bearer a key for tests\r\n") == 200);
    CHECK(status("Authorization: Basic a key for tests\r\n") == 401);
    CHECK(status("Authorization: Bearer\r\n") == 401);
    CHECK(status("X-Authorization: Bearer a key for tests\r\n") == 401);
}

TEST_CASE("without a key there is no control API") {
    ControlWorld world;
    world.hub.admin_key.clear();
    CHECK(world.refused("GET /api/sessions") == "404 not_found");
    CHECK(world.call("GET /api/sessions", {}, "").status == 404);
}

TEST_CASE("a path that is none is not found, and a method that is none is told of the others") {
    ControlWorld world;
    for (const char* path : {"/api", "/api/", "/api/session", "/api/sessions/", "/api/sessions/s/none", "/api/stats/",
                             "/api/sessions/*/messages/x", "/api/sessions//messages"}) {
        CAPTURE(path);
        CHECK(world.refused(std::string("GET ") + path) == "404 not_found");
    }
    const struct {
        const char* line;
        const char* allow;
    } kRows[] = {{"PUT /api/sessions", "POST, GET, HEAD"},
                 {"POST /api/sessions/s", "GET, HEAD, PATCH, DELETE"},
                 {"GET /api/sessions/s/messages", "POST"},
                 {"DELETE /api/stats", "GET, HEAD"}};
    for (const auto& row : kRows) {
        CAPTURE(row.line);
        const Response response = world.call(row.line);
        CHECK(response.status == 405);
        CHECK(response.header("Allow") == row.allow);
    }
}

TEST_CASE("calls about a session that is none") {
    ControlWorld world;
    for (const char* line :
         {"GET /api/sessions/s", "PATCH /api/sessions/s", "DELETE /api/sessions/s", "POST /api/sessions/s/messages",
          "POST /api/sessions/s/disconnect", "GET /api/sessions/s/presence", "GET /api/sessions/s/history",
          "GET /api/sessions/s/progress", "GET /api/sessions/*"}) {
        CAPTURE(line);
        CHECK(world.refused(line) == "404 session_not_found");
    }
}

TEST_CASE("a session is there once it is stored") {
    ControlWorld world;
    world.disk.holding = true;
    world.ask("POST /api/sessions", kSession);
    CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
    CHECK(world.last_status == 0);
    CHECK(find_session(world.hub, "s") == nullptr);
    world.disk.release();
    const Response response = world.server.response(*world.admin);
    CHECK(response.status == 201);
    CHECK(response.header("Location") == "/api/sessions/s");
    CHECK(response.header("Content-Type") == "application/json");
    CHECK(has(response.body, R"({"id":"s","name":"","project_id":null,"status":"active",)"));
    CHECK(has(response.body, R"("online":0,"last_seq":0})"));
    CHECK(world.call("GET /api/sessions/s").body == response.body);
    CHECK(world.call("HEAD /api/sessions/s").status == 200);
    CHECK(world.call("GET /api/sessions").body ==
          R"({"sessions":[{"id":"s","name":"","status":"active","online":0,"last_seq":0}]})");
}

TEST_CASE("an id is taken from when it is asked for") {
    ControlWorld world;
    world.disk.holding = true;
    world.ask("POST /api/sessions", kSession);
    CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
    world.admin = &world.server.connect();
    CHECK(world.refused("POST /api/sessions", kSession) == "409 session_exists");
    world.disk.release();
    CHECK(world.refused("POST /api/sessions", kSession) == "409 session_exists");
}

TEST_CASE("sessions that are not named get names of their own") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", "{}").status == 201);
    CHECK(world.call("POST /api/sessions", "{}").status == 201);
    CHECK(world.hub.sessions.size() == 2);
}

TEST_CASE("what cannot be stored is not there") {
    ControlWorld world;
    world.disk.refuses = true;
    CHECK(world.refused("POST /api/sessions", kSession) == "500 internal");
    CHECK(world.hub.sessions.empty());
    world.disk.refuses = false;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    world.disk.refuses = true;
    CHECK(world.refused("PATCH /api/sessions/s", R"({"name":"x"})") == "500 internal");
    CHECK(find_session(world.hub, "s")->name.empty());
    CHECK(world.refused("POST /api/sessions/s/messages", R"({"data":{}})") == "500 internal");
}

TEST_CASE("there are no more sessions than there may be, those under way included") {
    ControlWorld world;
    world.hub.options.session_max_count = 1;
    world.disk.holding = true;
    world.ask("POST /api/sessions", kSession);
    CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
    world.admin = &world.server.connect();
    CHECK(world.refused("POST /api/sessions", "{}") == "503 server_full");
    world.disk.release();
    CHECK(world.refused("POST /api/sessions", "{}") == "503 server_full");
}

TEST_CASE("a body that is wrong is told why") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    CHECK(world.refused("POST /api/sessions") == "400 invalid_json");
    CHECK(world.refused("POST /api/sessions", "{") == "400 invalid_json");
    const struct {
        const char* line;
        const char* body;
        const char* why;
    } kRows[] = {
        {"POST /api/sessions", R"({"members":1})", "members: not an array"},
        {"PATCH /api/sessions/s", R"({"id":"t"})", "id: no such field"},
        {"POST /api/sessions/s/messages", "{}", "data: missing"},
        {"POST /api/sessions/s/messages", R"({"data":[]})", "data: not an object"},
        {"POST /api/sessions/s/messages", R"({"type":"typing","data":{}})", "type: not message or system_notice"},
        {"POST /api/sessions/s/messages", R"({"to":"ada","to_role":"student","data":{}})",
         "to_role: one receiver is named by `to` already"},
        {"POST /api/sessions/s/messages", R"({"from":"ada","data":{}})", "from: no such field"},
        {"POST /api/sessions/s/disconnect", "{}", "user_id: missing"},
        {"GET /api/sessions/s/history?limit=0", "", "limit: not a number from 1 to 1000"},
        {"GET /api/sessions/s/history?limit=1001", "", "limit: not a number from 1 to 1000"},
        {"GET /api/sessions/s/history?since=-1", "", "since: not a number"},
        {"GET /api/sessions/s/history?before=1", "", "the query takes since and limit only"},
        {"GET /api/sessions/s/history?since=1&since=2", "", "the query is malformed"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.line);
        CAPTURE(row.body);
        const Response response = world.call(row.line, row.body);
        CHECK(response.status == 400);
        JsonWriter expected;
        expected.begin_object().key("error").begin_object().key("code").string("invalid_parameter");
        expected.key("message").string(row.why).end_object().end_object();
        CHECK(response.body == expected.take());
    }
}

TEST_CASE("a change holds once it is stored, one after the other") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    world.disk.holding = true;
    Client& first = *world.admin;
    world.ask("PATCH /api/sessions/s", R"({"name":"Topology"})");
    CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
    Client& second = *(world.admin = &world.server.connect());
    world.ask("PATCH /api/sessions/s", R"({"students_may_broadcast":false,"status":"paused"})");
    world.server.settle();
    CHECK(world.disk.held.size() == 1);
    CHECK(find_session(world.hub, "s")->name.empty());
    world.disk.release();
    CHECK(has(world.server.response(first).body, R"("name":"Topology",)"));
    world.disk.release();
    const Response response = world.server.response(second);
    CHECK(response.status == 200);
    CHECK(has(response.body, R"("name":"Topology","project_id":null,"status":"paused",)"));
    CHECK(find_session(world.hub, "s")->status == SessionStatus::kPaused);
    CHECK(has(world.disk.definitions["s"], R"("name":"Topology","project_id":null,"status":"paused",)"));
    CHECK(has(world.disk.definitions["s"], R"("students_may_broadcast":false,)"));
}

TEST_CASE("a student who is taken off the list has to go") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    Client& ada = world.attendee("ada");
    Client& bob = world.attendee("bob");
    Client& tom = world.attendee("tom", Role::kInstructor);
    CHECK(has(world.call("GET /api/sessions").body, R"("online":3,)"));
    CHECK(world.call("PATCH /api/sessions/s", R"({"members":[{"user_id":"ada","role":"student"}]})").status == 200);
    CHECK(has(wait_for(world.server, bob, "close:"), "close:4003"));
    CHECK(has(wait_for(world.server, ada, "attendee_left"), R"("user_id":"bob")"));
    CHECK(has(wait_for(world.server, tom, "attendee_left"), R"("reason":"kicked")"));
    CHECK(has(world.call("GET /api/sessions").body, R"("online":2,)"));
}

TEST_CASE("consensus follows the list of members, and everyone is told") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    Client& ada = world.attendee("ada");
    Session& session = *find_session(world.hub, "s");
    (void)session.votes.cast("ada", {"c", "a"}, session.members);
    CHECK(world.call("PATCH /api/sessions/s", R"({"members":[{"user_id":"ada","role":"student"}]})").status == 200);
    CHECK(has(wait_for(world.server, ada, "consensus_"), R"("type":"consensus_reached")"));
    CHECK(has(wait_for(world.server, ada, "session_progress"), R"("completed":1)"));
    CHECK(world.call("PATCH /api/sessions/s", kSession).status == 400);
    CHECK(world
              .call("PATCH /api/sessions/s",
                    R"({"members":[{"user_id":"ada","role":"student"},{"user_id":"eva","role":"student"}]})")
              .status == 200);
    CHECK(has(wait_for(world.server, ada, "consensus_"), R"("type":"consensus_lost")"));
    CHECK(has(wait_for(world.server, ada, "session_progress"), R"("completed":0)"));
    CHECK(has(world.call("GET /api/sessions/s/progress").body,
              R"("comparisons":[{"id":"c","state":"open","votes":[{"user_id":"ada","preferred_feature_id":"a",)"));
}

TEST_CASE("ending a session tells everyone, answers what waits, and removes it") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    Client& ada = world.attendee("ada");
    world.server.settle();
    Client& other = world.server.connect();
    world.disk.holding = true;
    world.ask("PATCH /api/sessions/s", R"({"name":"late"})");
    CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
    Client& waiting = *std::exchange(world.admin, &other);
    world.ask("DELETE /api/sessions/s");
    CHECK(world.server.response(waiting).status == 404);
    CHECK(find_session(world.hub, "s") == nullptr);
    while (!world.disk.held.empty()) world.disk.release();
    const Response response = world.server.response(other);
    CHECK(response.status == 204);
    CHECK(response.body.empty());
    CHECK(has(wait_for(world.server, ada, "session_ended"), R"("type":"system")"));
    CHECK(has(wait_for(world.server, ada, "close:"), "close:4002"));
    CHECK(world.disk.definitions.empty());
    world.disk.holding = false;
    CHECK(world.refused("DELETE /api/sessions/s") == "404 session_not_found");
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
}

TEST_CASE("a message of the system is answered with its number once it is kept") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    Client& ada = world.attendee("ada");
    world.server.settle();
    world.disk.holding = true;
    world.ask("POST /api/sessions/s/messages", R"({"data":{"text":"hello"}})");
    CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
    CHECK(world.admin->input.empty());
    world.disk.release();
    world.disk.holding = false;
    const Response response = world.server.response(*world.admin);
    CHECK(response.status == 200);
    CHECK(response.body == R"({"seq":1})");
    const std::string message = wait_for(world.server, ada, R"("type":"message")");
    CHECK(has(message, R"("from":"system")"));
    CHECK(has(message, R"("data":{"text":"hello"})"));
    CHECK(world.call("POST /api/sessions/s/messages", R"({"type":"system_notice","to":"bob","data":{}})").body ==
          R"({"seq":2})");
    CHECK(world.refused("POST /api/sessions/s/messages", R"({"to":"eva","data":{}})") == "404 user_not_found");
}

TEST_CASE("an answer that comes after its connection has gone reaches nobody") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    world.disk.holding = true;
    const struct {
        const char* line;
        const char* body;
    } kRows[] = {{"POST /api/sessions/s/messages", R"({"data":{}})"},
                 {"PATCH /api/sessions/s", R"({"name":"x"})"},
                 {"DELETE /api/sessions/s", ""}};
    for (const auto& row : kRows) {
        CAPTURE(row.line);
        world.ask(row.line, row.body);
        CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
        world.admin->reset();
        world.server.settle();
        world.disk.release();
        world.server.settle();
        world.admin = &world.server.connect();
    }
    CHECK(world.disk.definitions.empty());
}

TEST_CASE("history comes in pages, as it was said") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    for (int i = 0; i < 8; i++) {
        CHECK(world.call("POST /api/sessions/s/messages", R"({"data":{"n":)" + std::to_string(i) + "}}").status == 200);
    }
    const std::string all = world.call("GET /api/sessions/s/history").body;
    std::string expected = R"({"messages":[)";
    for (const auto& record : world.disk.records["s"]) expected += (record->seq > 1 ? "," : "") + record->text;
    CHECK(all == expected + R"(],"last_seq":8})");
    const std::string page = world.call("GET /api/sessions/s/history?since=2&limit=4").body;
    CHECK_FALSE(has(page, R"("data":{"n":1})"));
    CHECK(has(page, R"("data":{"n":2})"));
    CHECK(has(page, R"("data":{"n":5})"));
    CHECK_FALSE(has(page, R"("data":{"n":6})"));
    CHECK(world.call("GET /api/sessions/s/history?since=8").body == R"({"messages":[],"last_seq":8})");
    CHECK(world.call("GET /api/sessions/s/history?since=99").body == R"({"messages":[],"last_seq":8})");
}

TEST_CASE("history tells what is missing, and fails where it cannot be read") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    for (int i = 0; i < 4; i++) {
        CHECK(world.call("POST /api/sessions/s/messages", R"({"data":{}})").status == 200);
    }
    Records& records = world.disk.records["s"];
    records.erase(records.begin() + 1, records.begin() + 3);
    CHECK(has(world.call("GET /api/sessions/s/history").body, R"(],"last_seq":4,"missing":[{"first":2,"last":3}]})"));
    world.disk.unreadable = true;
    CHECK(world.refused("GET /api/sessions/s/history") == "500 internal");
}

TEST_CASE("history that is being read when its session ends fails") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    CHECK(world.call("POST /api/sessions/s/messages", R"({"data":{}})").status == 200);
    world.disk.holding = true;
    world.ask("GET /api/sessions/s/history");
    CHECK(world.server.until([&] { return world.disk.held.size() == 1; }));
    Client& reader = *std::exchange(world.admin, &world.server.connect());
    world.ask("DELETE /api/sessions/s");
    CHECK(world.server.until([&] { return world.disk.held.size() == 2; }));
    while (!world.disk.held.empty()) world.disk.release();
    CHECK(world.server.response(reader).status == 500);
    CHECK(world.server.response(*world.admin).status == 204);
}

TEST_CASE("a user is disconnected, and presence tells who is there") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    CHECK(world.call("GET /api/sessions/s/presence").body == R"({"users":[]})");
    Client& ada = world.attendee("ada");
    CHECK(world.call("GET /api/sessions/s/presence").body ==
          R"({"users":[{"user_id":"ada","role":"student","online":true}]})");
    CHECK(world.call("POST /api/sessions/s/disconnect", R"({"user_id":"ada"})").body == R"({"disconnected":1})");
    CHECK(has(wait_for(world.server, ada, "close:"), "close:4003"));
    CHECK(world.refused("POST /api/sessions/s/disconnect", R"({"user_id":"ada"})") == "404 user_not_found");
}

TEST_CASE("statistics are of the hub and of its server") {
    ControlWorld world;
    CHECK(world.call("POST /api/sessions", kSession).status == 201);
    CHECK(world.call("POST /api/sessions", R"({"status":"paused"})").status == 201);
    (void)world.attendee("ada");
    const std::string stats = world.call("GET /api/stats").body;
    CHECK(has(stats, R"({"total_connections":1,"active_sessions":1,"sessions":2,"users_online":1,"pool":{)"));
    CHECK(has(stats, R"("connections_open":1,)"));
}
