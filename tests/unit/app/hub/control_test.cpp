// SPEC C14: who may call the control API, and sessions made, changed and ended by it.
#include "support/control_world.h"

using namespace app;
using namespace app::hub;
using namespace test;

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

TEST_CASE("a second Authorization beside the right one is refused, wherever it stands") {
    ControlWorld world;
    const std::string good = "Authorization: Bearer a key for tests\r\n", bad = "Authorization: Bearer no key\r\n";
    for (const std::string& authorization : {good + bad, bad + good}) {
        CAPTURE(authorization);
        world.admin->send(plain_request("GET /api/sessions", authorization));
        CHECK(world.server.response(*world.admin).status == 401);
    }
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
