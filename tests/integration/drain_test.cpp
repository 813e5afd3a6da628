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

TEST_CASE("a drain gives a request that has its answer no second one, and ends the connection") {
    TestServer server;
    wsd_conn asked = 0;
    bool at_once = false;
    const auto answer_and_drain = [&] {
        CHECK(wsd_respond(server, asked, 200, nullptr, 0, "ok", 2) == WSD_OK);
        CHECK(wsd_server_drain(server, 5000) == WSD_OK);
    };
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        asked = conn;
        if (at_once) answer_and_drain();
    };
    server.start();
    Client& client = server.connect();
    SUBCASE("in on_request") { at_once = true; }
    SUBCASE("later") {}
    client.send(plain_request("GET /"));
    server.settle();
    if (!at_once) answer_and_drain();
    CHECK(server.response(client).status == 200);
    CHECK(server.rest(client) == "end");
}

TEST_CASE("whom a drain tells of a refusal is in a callback") {
    TestServer server;
    static int told = 0;
    server.callbacks.on_refused = [](wsd_server* own, wsd_conn, const wsd_request*, int, const char*) {
        CHECK(wsd_server_poll(own, 0) == WSD_E_INVALID);
        CHECK(wsd_server_free(own) == WSD_E_INVALID);
        told++;
    };
    server.start();
    Client& client = server.connect();
    client.send("GET / HTTP/1.1\r\n");
    server.settle();
    CHECK(wsd_server_drain(server, 1000) == WSD_OK);
    CHECK(told == 1);
}

TEST_CASE("a drain that begins after the loop has slept for long has its whole grace time") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    server.settle();
    server.now_ms += 20000;
    CHECK(wsd_server_drain(server, 5000) == WSD_OK);
    CHECK(server.next(client) == "close:1001");
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

TEST_CASE("however short the grace time beside the window, the last to be told has time for its close") {
    struct Row {
        uint32_t close_ms, window_and_grace_ms, told_ms;
    };
    for (const Row& row : {Row{200, 1000, 800}, Row{1000, 800, 400}, Row{0, 100, 90}}) {
        CAPTURE(row.window_and_grace_ms);
        TestServer server;
        server.config.close_timeout_ms = row.close_ms;
        server.start();
        Client& last = server.open();
        CHECK(wsd_server_drain_over(server, row.window_and_grace_ms, row.window_and_grace_ms) == WSD_OK);
        server.pass(row.told_ms - 1);
        last.send(text("still here"));
        CHECK(server.next(last) == "text:still here");
        server.pass(1);
        CHECK(server.next(last) == "close:1001");
        last.send(bye(1001));
        last.end();
        CHECK(server.until([&] { return server.closed.size() == 1; }));
        CHECK(server.closed[0].clean);
    }
}

TEST_CASE("a drain may be begun anew by whom it tells of a refusal") {
    TestServer server;
    static int told;
    static uint32_t window_ms;
    static bool always;
    told = 0;
    server.callbacks.on_refused = [](wsd_server* own, wsd_conn, const wsd_request*, int, const char*) {
        if (told++ == 0 || always) CHECK(wsd_server_drain_over(own, window_ms, 5000) == WSD_OK);
    };
    server.start();
    Client* clients[3];
    for (Client*& client : clients) {
        client = &server.connect();
        client->send("GET / HTTP/1.1\r\n");
        server.settle();
    }
    SUBCASE("over a window: the others have their time from there") {
        window_ms = 1000, always = false;
        CHECK(wsd_server_drain(server, 5000) == WSD_OK);
        CHECK(told == 1);
        server.pass(990);
        CHECK(told == 2);
        server.pass(10);
    }
    SUBCASE("at once, and by each of them") {
        window_ms = 0, always = true;
        CHECK(wsd_server_drain_over(server, 300, 5000) == WSD_OK);
        CHECK(told == 0);
        server.pass(100);
    }
    CHECK(told == 3);
    for (Client* const client : clients) CHECK(server.response(*client).status == 503);
}

TEST_CASE("a drain reaches who is held, and whose PROXY header has not come") {
    TestServer server;
    server.config.message_per_s = 1;
    server.proxy_protocol = WSD_PROXY_REQUIRED;
    server.start();
    Client& held = server.connect();
    held.send("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + upgrade_request());
    CHECK(server.response(held).status == 101);
    held.send(text("a") + text("b"));
    CHECK(server.next(held) == "text:a");
    Client& silent = server.connect();
    Client& torn = server.connect();
    torn.send("PROXY TCP4 192.0");
    server.settle();
    CHECK(wsd_server_drain(server, 5000) == WSD_OK);
    CHECK(server.response(silent).status == 503);
    CHECK(server.response(torn).status == 503);
    CHECK(server.next(held) == "close:1001");
    held.send(bye(1001));
    for (Client* const client : {&held, &silent, &torn}) client->end();
    CHECK(server.until([&] { return server.stats().connections_active == 0; }));
    REQUIRE(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_DRAIN);
    CHECK(server.closed[0].clean);
    CHECK(server.messages == std::vector<std::string>{"a"});
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
