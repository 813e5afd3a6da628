// The control API over a real server, with a store that does what the test says.
//
//     ControlWorld world;
//     CHECK(world.call("POST /api/sessions", kSession).status == 201);
//     Client& ada = world.attendee("ada");
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "app/hub/control.h"
#include "app/hub/registry.h"
#include "support/fake_store.h"
#include "support/test_server.h"

namespace test {

inline constexpr char kAdminKey[] = "a key for tests";

struct ControlWorld {
    FakeDisk disk;
    app::hub::Hub hub;
    TestServer server;
    app::hub::Entry entering;  // of whoever opens a WebSocket next
    int last_status = -1;
    Client* admin = nullptr;

    ControlWorld() {
        hub.store = std::make_unique<FakeStore>(&disk);
        hub.admin_key = kAdminKey;
        hub.resume_secret = std::string(32, 'r');
        server.on_request = [this](wsd_conn conn, const wsd_request* request) {
            if (wsd_request_is_upgrade(request)) {
                CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK);
            } else {
                last_status = app::hub::control_request(hub, conn, request);
            }
        };
        server.on_open = [this](wsd_conn conn) {
            CHECK(app::hub::enter(hub, *app::hub::find_session(hub, entering.session_id), conn, entering));
        };
        server.on_message = [](wsd_conn, wsd_opcode, std::string_view) {};
        server.on_close = [this](const Closed& closed) {
            app::hub::Connection* const connection = app::hub::find_connection(hub, closed.conn);
            if (connection) app::hub::leave(hub, connection, app::hub::LeaveReason::kLeft);
        };
        server.start();
        hub.server = server;
        admin = &server.connect();
    }
    // The sessions go last, as what the server ends still leads to them.
    ~ControlWorld() { server.free(); }

    void ask(std::string_view line, std::string_view body = {}, std::string_view key = kAdminKey) {
        std::string authorization;
        if (!key.empty()) authorization = "Authorization: Bearer " + std::string(key) + "\r\n";
        admin->send(plain_request(line, authorization, body));
    }

    Response call(std::string_view line, std::string_view body = {}, std::string_view key = kAdminKey) {
        ask(line, body, key);
        return server.response(*admin, line.starts_with("HEAD"));
    }

    // "400 invalid_parameter": a refusal's status and code.
    std::string refused(std::string_view line, std::string_view body = {}) {
        const Response response = call(line, body);
        app::Json json;
        app::JsonError error;
        if (!app::parse_json(response.body, {}, &json, &error) || !json.find("error"))
            return "no refusal: " + response.body;
        return std::to_string(response.status) + " " + std::string(json.find("error")->find("code")->string());
    }

    Client& attendee(const std::string& user_id, app::hub::Role role = app::hub::Role::kStudent) {
        entering = {};
        entering.session_id = "s";
        entering.user_id = user_id;
        entering.role = role;
        return server.open();
    }
};

inline constexpr char kSession[] =
    R"({"id":"s","members":[{"user_id":"ada","role":"student","name":"Ada"},{"user_id":"bob","role":"student"}],)"
    R"("comparisons":[{"id":"c","feature_a":{"id":"a","title":"A"},"feature_b":{"id":"b","title":"B"}}]})";

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Turns until a frame with that text has come, and returns it.
inline std::string wait_for(TestServer& server, Client& client, std::string_view part) {
    for (int frames = 0; frames < 100; frames++) {
        const std::string frame = server.next(client);
        if (has(frame, part) || frame == "end") return frame;
    }
    return "too many frames";
}

}  // namespace test
