// Shutting down in order: what was queued, the close, and the end of those who do not answer; at once or over a window.
#include <map>

#include "support/descriptors.h"
#include "support/test_server.h"

using namespace test;

TEST_CASE("a drain sends what is queued, then 1001, and cuts who does not answer") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& good = server.open(&conn);
    Client& silent = server.open();
    Client& waiting = server.connect();
    Client& half = server.connect();
    half.send("GET / HTTP/1.1\r\n");
    server.settle();
    CHECK(wsd_send(server, conn, WSD_TEXT, "owed", 4) == WSD_OK);
    server.config.close_timeout_ms = 0;
    CHECK(wsd_server_drain(server, 500) == WSD_OK);
    CHECK(wsd_server_listen(server, "127.0.0.1:0") == WSD_E_INVALID);
    CHECK(server.next(good) == "text:owed");
    CHECK(server.next(good) == "close:1001");
    CHECK(server.next(silent) == "close:1001");
    CHECK(server.response(waiting).status == 503);
    CHECK(server.response(half).status == 503);
    waiting.end();
    half.end();
    good.send(bye(1001));
    good.end();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0].cause == WSD_CAUSE_DRAIN);
    CHECK(server.closed[0].clean);
    CHECK(wsd_server_poll(server, 0) == 1);
    server.pass(500);
    CHECK(server.closed.size() == 2);
    CHECK(wsd_server_poll(server, 0) == 0);
    CHECK(wsd_server_run(server) == WSD_OK);
}

TEST_CASE("a drain with no grace cuts at once") {
    TestServer server;
    server.start();
    (void)server.open();
    CHECK(wsd_server_drain(server, 0) == WSD_OK);
    CHECK(wsd_server_run(server) == WSD_OK);
    REQUIRE(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_DRAIN);
}

TEST_CASE("a drain over a window tells one after the other, evenly, and serves the rest meanwhile") {
    TestServer server;
    server.config.close_timeout_ms = 0;
    server.start();
    std::vector<Client*> clients;
    for (int i = 0; i < 8; i++) clients.push_back(&server.open());
    CHECK(wsd_server_drain_over(server, 801, 800) == WSD_E_INVALID);
    CHECK(wsd_server_drain_over(server, 800, 1000) == WSD_OK);
    for (int told = 1; told < 8; told++) {
        CAPTURE(told);
        server.pass(100);
        server.settle();
        CHECK(server.next(*clients[size_t(told) - 1]) == "close:1001");
        clients.back()->send(text("still here"));
        CHECK(server.next(*clients.back()) == "text:still here");
        if (told < 7) {
            clients[size_t(told)]->send(text("not yet"));
            CHECK(server.next(*clients[size_t(told)]) == "text:not yet");
        }
    }
    server.pass(100);
    CHECK(server.next(*clients.back()) == "close:1001");
    server.pass(199);
    CHECK(wsd_server_poll(server, 0) == 1);
    server.pass(1);
    CHECK(wsd_server_poll(server, 0) == 0);
}

TEST_CASE("who leaves during the window is not waited for, and a second drain tells the rest at once") {
    TestServer server;
    server.start();
    std::vector<Client*> clients;
    for (int i = 0; i < 4; i++) clients.push_back(&server.open());
    CHECK(wsd_server_drain_over(server, 10000, 20000) == WSD_OK);
    clients[0]->reset();
    clients[3]->reset();
    CHECK(server.until([&] { return server.closed.size() == 2; }));
    server.pass(2500);
    CHECK(server.next(*clients[1]) == "close:1001");
    clients[2]->send(text("still here"));
    CHECK(server.next(*clients[2]) == "text:still here");
    CHECK(wsd_server_drain_over(server, 0, 20000) == WSD_OK);
    CHECK(server.next(*clients[2]) == "close:1001");
    for (Client* const client : {clients[1], clients[2]}) {
        client->send(bye(1001));
        client->end();
    }
    CHECK(server.until([&] { return server.closed.size() == 4; }));
    CHECK(wsd_server_poll(server, 0) == 0);
}

TEST_CASE("under 1,000 busy clients a drain over a window keeps back no reply") {
    constexpr int kClients = 1000, kMessages = 20;
    const DescriptorRoom room(2 * kClients + 100);  // both ends are here
    TestServer server;
    std::map<wsd_conn, int> echoed;
    server.on_message = [&](wsd_conn conn, wsd_opcode opcode, std::string_view data) {
        CHECK(data == std::to_string(echoed[conn]++));
        CHECK(wsd_send(server, conn, opcode, data.data(), data.size()) == WSD_OK);
    };
    server.start();
    std::vector<Client*> clients(kClients);
    std::vector<wsd_conn> conns(kClients);
    for (size_t i = 0; i < kClients; i++) clients[i] = &server.open(&conns[i]);
    for (int round = 0; round < kMessages; round++) {
        for (Client* const client : clients) client->send(text(std::to_string(round)));
        if (round == kMessages / 4) CHECK(wsd_server_drain_over(server, 100, 10000) == WSD_OK);
        server.pass(10);
    }
    int cut_short = 0;
    for (size_t i = 0; i < kClients; i++) {
        CAPTURE(i);
        for (int n = 0; n < echoed[conns[i]]; n++) CHECK(server.next(*clients[i]) == "text:" + std::to_string(n));
        CHECK(server.next(*clients[i]) == "close:1001");
        cut_short += echoed[conns[i]] < kMessages;
        clients[i]->send(bye(1001));
        clients[i]->end();
    }
    CHECK(cut_short == kClients);  // all were told while they were talking
    CHECK(server.until([&] { return server.closed.size() == kClients; }));
    CHECK(wsd_server_poll(server, 0) == 0);
}
