// Accepting and refusing: what an application may say to a request, now or later, once.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

// Leaves every request undecided.
struct Undecided {
    explicit Undecided(TestServer& server) {
        server.on_request = [this](wsd_conn its_conn, const wsd_request* its_request) {
            conn = its_conn;
            request = its_request;
        };
        server.start();
    }
    wsd_conn conn = 0;
    const wsd_request* request = nullptr;
};

int accept(TestServer& server, wsd_conn conn, const char* subprotocol = nullptr) {
    return wsd_accept(server, conn, subprotocol, nullptr, 0);
}

int respond(TestServer& server, wsd_conn conn, int status) {
    return wsd_respond(server, conn, status, nullptr, 0, nullptr, 0);
}

}  // namespace

TEST_CASE("a request decided later stays readable, and what came behind it waits") {
    TestServer server;
    Undecided later(server);
    Client& client = server.connect();
    client.send(upgrade_request("X-Name: value\r\n") + text("one"));
    server.settle();
    client.send(text("two") + std::string(text(std::string(1000, 'x'))));
    server.settle();
    REQUIRE(later.request);
    CHECK(client.input.empty());
    CHECK(str(wsd_request_header(later.request, "x-name")) == "value");
    CHECK(accept(server, later.conn) == WSD_OK);
    CHECK(server.response(client).status == 101);
    CHECK(server.next(client) == "text:one");
    CHECK(server.next(client) == "text:two");
    CHECK(server.next(client) == "text:" + std::string(1000, 'x'));
}

TEST_CASE("an answer that comes in the turn in which its time is up is the only one") {
    TestServer server;
    static wsd_conn asked;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        asked = conn;
        auto* const answer =
            +[](wsd_server* s, void*) { CHECK(wsd_respond(s, asked, 200, nullptr, 0, "", 0) == WSD_OK); };
        wsd_timer_start(server, server.config.handshake_timeout_ms - 1, answer, nullptr, nullptr);
    };
    server.start();
    Client& client = server.connect();
    client.send(plain_request("GET /"));
    server.settle();
    server.now_ms += server.config.handshake_timeout_ms + 100;  // the loop is late
    CHECK(server.response(client).status == 200);
    server.settle();
    CHECK(client.input.empty());
}

TEST_CASE("a decision from a timer counts in the turn of the timer") {
    TestServer server;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        auto* const accept_later = +[](wsd_server* s, void* arg) {
            CHECK(wsd_accept(s, wsd_conn(reinterpret_cast<uintptr_t>(arg)), nullptr, nullptr, 0) == WSD_OK);
        };
        wsd_timer_start(server, 100, accept_later, reinterpret_cast<void*>(uintptr_t(conn)), nullptr);
    };
    server.start();
    Client& client = server.connect();
    client.send(upgrade_request() + text("hi"));
    server.pass(99);
    CHECK(client.input.empty());
    server.pass(1);
    CHECK(server.response(client).status == 101);
    CHECK(server.next(client) == "text:hi");
}

TEST_CASE("a request is decided once") {
    for (const bool accepted_first : {false, true}) {
        for (const bool in_callback : {false, true}) {
            CAPTURE(accepted_first);
            CAPTURE(in_callback);
            TestServer server;
            const auto decide = [&](wsd_conn conn) {
                CHECK((accepted_first ? accept(server, conn) : respond(server, conn, 403)) == WSD_OK);
                CHECK(accept(server, conn) == WSD_E_INVALID);
                CHECK(respond(server, conn, 200) == WSD_E_INVALID);
            };
            wsd_conn waiting = 0;
            server.on_request = [&](wsd_conn conn, const wsd_request*) {
                waiting = conn;
                if (in_callback) decide(conn);
            };
            server.start();
            Client& client = server.connect();
            client.send(upgrade_request());
            CHECK(server.until([&] { return waiting != 0; }));
            if (!in_callback) decide(waiting);
            CHECK(server.response(client).status == (accepted_first ? 101 : 403));
            if (!accepted_first) CHECK(server.rest(client) == "end");
            CHECK(server.opened.size() == (accepted_first ? 1 : 0));
        }
    }
}

TEST_CASE("a peer that leaves before the decision makes it WSD_E_CLOSED") {
    TestServer server;
    Undecided later(server);
    Client& client = server.connect();
    client.send(upgrade_request());
    CHECK(server.until([&] { return later.conn != 0; }));
    client.reset();
    CHECK(server.until([&] { return server.stats().connections_active == 0; }));
    CHECK(accept(server, later.conn) == WSD_E_CLOSED);
    CHECK(respond(server, later.conn, 200) == WSD_E_CLOSED);
    CHECK(server.stats().handshakes_failed == 1);
    CHECK(server.closed.empty());  // it was never opened
}

TEST_CASE("a peer that ended its half before the decision still gets the answer") {
    TestServer server;
    Undecided later(server);
    Client& client = server.connect();
    client.send(plain_request("GET /"));
    client.end();
    server.settle();
    CHECK(respond(server, later.conn, 200) == WSD_OK);
    CHECK(server.response(client).status == 200);
    CHECK(server.rest(client) == "end");
}

TEST_CASE("a decision that does not come in time is 503") {
    TestServer server;
    Undecided later(server);
    Client& client = server.connect();
    client.send(upgrade_request());
    server.pass(9999);
    CHECK(client.input.empty());
    server.pass(1);
    CHECK(server.response(client).status == 503);
    CHECK(accept(server, later.conn) == WSD_E_CLOSED);
}

TEST_CASE("a drain that begins in on_request answers the undecided with 503") {
    TestServer server;
    server.on_request = [&](wsd_conn, const wsd_request*) { CHECK(wsd_server_drain(server, 1000) == WSD_OK); };
    server.start();
    Client& client = server.connect();
    client.send(upgrade_request());
    CHECK(server.response(client).status == 503);
    CHECK(server.opened.empty());
}

TEST_CASE("wsd_close and wsd_abort end an undecided connection") {
    for (const bool aborted : {false, true}) {
        TestServer server;
        Undecided later(server);
        Client& client = server.connect();
        client.send(upgrade_request());
        CHECK(server.until([&] { return later.conn != 0; }));
        CHECK((aborted ? wsd_abort(server, later.conn) : wsd_close(server, later.conn, 1000, nullptr, 0)) == WSD_OK);
        CHECK(server.rest(client) == "end");
        CHECK(accept(server, later.conn) == WSD_E_CLOSED);
    }
}

TEST_CASE("a pointer may be attached from the request on, and is there until on_close returns") {
    TestServer server;
    int mark = 0;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        CHECK(wsd_user(server, conn) == nullptr);
        CHECK(wsd_set_user(server, conn, &mark) == WSD_OK);
        CHECK(accept(server, conn) == WSD_OK);
    };
    server.on_close = [&](const Closed& closed) {
        CHECK(wsd_user(server, closed.conn) == &mark);
        CHECK(server.info(closed.conn).open == 0);
    };
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(server.info(conn).open == 1);
    client.send(bye(1000));
    CHECK(server.rest(client) == "close:1000 end");
    client.close();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(wsd_user(server, conn) == nullptr);
    CHECK(wsd_set_user(server, conn, &mark) == WSD_E_CLOSED);
}

TEST_CASE("the application's choice of subprotocol wins, if the client offered it") {
    const struct {
        const char* choice;
        const char* written;
    } rows[] = {{nullptr, "a"}, {"b", "b"}, {"", "(none)"}};
    for (const auto& row : rows) {
        TestServer server;
        server.config.subprotocols = "a";
        server.on_request = [&](wsd_conn conn, const wsd_request*) {
            CHECK(accept(server, conn, "c") == WSD_E_INVALID);
            CHECK(accept(server, conn, "A") == WSD_E_INVALID);
            CHECK(accept(server, conn, row.choice) == WSD_OK);
        };
        server.start();
        Client& client = server.connect();
        client.send(upgrade_request("Sec-WebSocket-Protocol: a, b\r\n"));
        CHECK(server.response(client).header("Sec-WebSocket-Protocol") == row.written);
    }
}

TEST_CASE("headers of the application's are sent, and those that would break an answer are refused") {
    const wsd_header bad[] = {
        {"X", "a\r\nEvil: 1"}, {"X\r\nEvil: 1", "a"}, {"X", "a\nb"},  {"X", "a\x01"},          {"X Y", "a"}, {"", "a"},
        {"X:", "a"},           {nullptr, ""},         {"X", nullptr}, {"Connection", "close"},
    };
    const wsd_header bad_for_accept[] = {
        {"upgrade", "h2c"},
        {"Sec-WebSocket-Accept", "x"},
        {"sec-websocket-protocol", "x"},
        {"Sec-WebSocket-Extensions", "x"},
    };
    const wsd_header bad_for_respond[] = {{"content-length", "1"}, {"Transfer-Encoding", "chunked"}};
    const wsd_header good[] = {{"Set-Cookie", "a=b; c"}, {"X-Empty", ""}};
    for (const bool upgrade : {false, true}) {
        TestServer server;
        server.on_request = [&](wsd_conn conn, const wsd_request*) {
            const auto decide = [&](const wsd_header* headers, size_t count) {
                return upgrade ? wsd_accept(server, conn, nullptr, headers, count)
                               : wsd_respond(server, conn, 200, headers, count, "", 0);
            };
            for (const wsd_header& header : bad) CHECK(decide(&header, 1) == WSD_E_INVALID);
            for (const wsd_header& header : bad_for_accept) CHECK((!upgrade || decide(&header, 1) == WSD_E_INVALID));
            for (const wsd_header& header : bad_for_respond) CHECK((upgrade || decide(&header, 1) == WSD_E_INVALID));
            CHECK(decide(nullptr, 1) == WSD_E_INVALID);
            CHECK(decide(good, 2) == WSD_OK);
        };
        server.start();
        Client& client = server.connect();
        client.send(upgrade ? upgrade_request() : plain_request("GET /"));
        const Response response = server.response(client);
        CHECK(response.status == (upgrade ? 101 : 200));
        CHECK(response.header("Set-Cookie") == "a=b; c");
        CHECK(response.header("X-Empty") == "");
        CHECK(response.head.find("Evil") == std::string::npos);
    }
}

TEST_CASE("only statuses from 200 to 599 answer a request") {
    TestServer server;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        for (const int status : {-1, 0, 101, 199, 600, 65736}) CHECK(respond(server, conn, status) == WSD_E_INVALID);
        CHECK(wsd_respond(server, conn, 200, nullptr, 0, nullptr, 1) == WSD_E_INVALID);
        CHECK(respond(server, conn, 599) == WSD_OK);
    };
    server.start();
    Client& client = server.connect();
    client.send(plain_request("GET /"));
    CHECK(server.response(client).status == 599);
}

TEST_CASE("what is sent before on_open comes behind the 101, and a close then never opens") {
    TestServer server;
    bool close_at_once = false;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        CHECK(accept(server, conn) == WSD_OK);
        CHECK(wsd_send(server, conn, WSD_TEXT, "early", 5) == WSD_OK);
        if (close_at_once) CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    };
    server.start();
    Client& opened = server.open();
    CHECK(server.next(opened) == "text:early");
    close_at_once = true;
    Client& refused = server.connect();
    refused.send(upgrade_request());
    CHECK(server.response(refused).status == 101);
    CHECK(server.next(refused) == "text:early");
    CHECK(server.next(refused) == "close:1000");
    refused.send(bye(1000));
    CHECK(server.rest(refused) == "end");
    CHECK(server.opened.size() == 1);
}
