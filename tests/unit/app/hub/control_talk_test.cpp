// SPEC C14: messages, history, presence and statistics of the control API.
#include "support/control_world.h"

using namespace app;
using namespace app::hub;
using namespace test;

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
