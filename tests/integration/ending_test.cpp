// Ways to end: each opened connection gets exactly one on_close, with its cause.
#include "support/test_server.h"

using namespace test;

namespace {

const Closed& ended(TestServer& server) {
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    return server.closed[0];
}

}  // namespace

TEST_CASE("the peer closes: its code and reason are told, and its code is the answer") {
    TestServer server;
    server.start();
    Client& client = server.open();
    client.send(bye(4321,
                    "gr\xc3\xbc\xc3\x9f"
                    "e"));
    CHECK(server.next(client) == "close:4321");
    client.end();
    const Closed& closed = ended(server);
    CHECK(closed.cause == WSD_CAUSE_PEER);
    CHECK(closed.code == 4321);
    CHECK(closed.reason ==
          "gr\xc3\xbc\xc3\x9f"
          "e");
    CHECK(closed.clean);
    CHECK(server.stats().close_codes[15] == 1);
}

TEST_CASE("a close without a code is answered without one, and told as 1005") {
    TestServer server;
    server.start();
    Client& client = server.open();
    client.send(frame(0x88, ""));
    CHECK(server.next_frame(client).payload.empty());
    client.end();
    CHECK(ended(server).code == 1005);
}

TEST_CASE("nothing is delivered after the peer's close frame, though it came in the same segment") {
    TestServer server;
    server.start();
    Client& client = server.open();
    client.send(text("before") + bye(1000) + text("after") + ping("after"));
    CHECK(server.rest(client) == "text:before close:1000 end");
    CHECK(server.messages == std::vector<std::string>{"before"});
}

TEST_CASE("wsd_close and the peer's answer make a clean end with the peer's code") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_E_CLOSED);
    CHECK(wsd_send(server, conn, WSD_TEXT, "x", 1) == WSD_E_CLOSED);
    CHECK(server.next(client) == "close:1000");
    client.send(bye(3999, "fine"));
    client.end();
    const Closed& closed = ended(server);
    CHECK(closed.cause == WSD_CAUSE_LOCAL);
    CHECK(closed.code == 3999);
    CHECK(closed.reason == "fine");
    CHECK(closed.clean);
}

TEST_CASE("what was queued before wsd_close goes out first") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    for (int i = 0; i < 50; i++) CHECK(wsd_send(server, conn, WSD_TEXT, "queued", 6) == WSD_OK);
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    for (int i = 0; i < 50; i++) CHECK(server.next(client) == "text:queued");
    CHECK(server.next(client) == "close:1000");
}

TEST_CASE("codes that may not be sent, reasons too long or not UTF-8 are refused") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    (void)server.open(&conn);
    for (const int code : {1, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
        CHECK(wsd_close(server, conn, uint16_t(code), nullptr, 0) == WSD_E_INVALID);
    }
    CHECK(wsd_close(server, conn, 1000, std::string(124, 'x').data(), 124) == WSD_E_INVALID);
    CHECK(wsd_close(server, conn, 1000, "\xff", 1) == WSD_E_INVALID);
    CHECK(wsd_close(server, conn, 0, "x", 1) == WSD_E_INVALID);
    CHECK(wsd_close(server, conn, 0, nullptr, 0) == WSD_OK);
}

TEST_CASE("wsd_abort says nothing more") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_send(server, conn, WSD_TEXT, "lost", 4) == WSD_OK);
    CHECK(wsd_abort(server, conn) == WSD_OK);
    CHECK(wsd_abort(server, conn) == WSD_E_CLOSED);
    CHECK(server.closed.empty());  // not before the call returns
    const Closed& closed = ended(server);
    CHECK(closed.cause == WSD_CAUSE_ABORTED);
    CHECK(closed.code == 1006);
    CHECK(server.rest(client) == "end");
}

TEST_CASE("an end of stream and a reset without a close frame are a peer that vanished") {
    for (const bool reset : {false, true}) {
        CAPTURE(reset);
        TestServer server;
        server.start();
        Client& client = server.open();
        reset ? client.reset() : client.end();
        const Closed& closed = ended(server);
        CHECK(closed.cause == WSD_CAUSE_VANISHED);
        CHECK(closed.error == WSD_E_VANISHED);
        CHECK(closed.code == 1006);
        CHECK_FALSE(closed.clean);
    }
}

TEST_CASE("a peer that ends its half after its messages still gets their answers") {
    TestServer server;
    server.start_narrow();
    Client& client = server.open();
    client.reading = false;
    const std::string large(300000, 'x');
    client.send(binary(large));
    CHECK(server.until([&] { return server.messages.size() == 1; }));
    client.end();
    server.settle();
    CHECK(server.closed.empty());
    client.reading = true;
    CHECK(server.rest(client) == show(Frame{0x82, large}) + " end");
    CHECK(ended(server).cause == WSD_CAUSE_VANISHED);
}

TEST_CASE("freeing the server ends what is open, with its on_close") {
    TestServer server;
    server.start();
    (void)server.open();
    (void)server.open();
    server.on_close = [&](const Closed&) { CHECK(wsd_server_free(server) == WSD_E_INVALID); };
    server.free();
    CHECK(server.closed.size() == 2);
    CHECK(server.closed[0].cause == WSD_CAUSE_ABORTED);
}

TEST_CASE("a name is dead after on_close, also when its slot serves another") {
    TestServer server;
    server.start();
    wsd_conn first = 0, second = 0;
    server.open(&first).reset();
    (void)ended(server);
    (void)server.open(&second);
    CHECK(uint32_t(first) == uint32_t(second));  // the same slot
    CHECK(first != second);
    CHECK(wsd_send(server, first, WSD_TEXT, "x", 1) == WSD_E_CLOSED);
    CHECK(wsd_send_fragment(server, first, WSD_TEXT, "x", 1, 1) == WSD_E_CLOSED);
    CHECK(wsd_ping(server, first, nullptr, 0) == WSD_E_CLOSED);
    CHECK(wsd_close(server, first, 1000, nullptr, 0) == WSD_E_CLOSED);
    CHECK(wsd_abort(server, first) == WSD_E_CLOSED);
    CHECK(wsd_pause(server, first) == WSD_E_CLOSED);
    CHECK(wsd_resume(server, first) == WSD_E_CLOSED);
    CHECK(wsd_set_user(server, first, &server) == WSD_E_CLOSED);
    CHECK(wsd_user(server, first) == nullptr);
    CHECK(wsd_buffered(server, first) == 0);
    CHECK(wsd_accept(server, first, nullptr, nullptr, 0) == WSD_E_CLOSED);
    CHECK(wsd_respond(server, first, 200, nullptr, 0, nullptr, 0) == WSD_E_CLOSED);
    wsd_conn_info info = {};
    info.size = sizeof info;
    CHECK(wsd_conn_info_get(server, first, &info) == WSD_E_CLOSED);
    CHECK(wsd_send(server, 0, WSD_TEXT, "x", 1) == WSD_E_CLOSED);
}

TEST_CASE("every callback may end its own connection and every other, and use what is ended") {
    // Callback by action; the sanitizers see what is touched after it is gone.
    enum Action { kCloseOwn, kAbortOwn, kAbortOther, kCloseAll, kSendAll, kPauseOwn, kActions };
    for (int where = 0; where < 6; where++) {
        for (int action = 0; action < kActions; action++) {
            CAPTURE(where);
            CAPTURE(action);
            std::vector<wsd_conn> all;
            int depth = 0;
            bool armed = false;
            TestServer server;
            const auto act = [&](wsd_conn own) {
                if (++depth > 20) return;
                CHECK(wsd_server_run(server) == WSD_E_INVALID);
                CHECK(wsd_server_poll(server, 0) == WSD_E_INVALID);
                CHECK(wsd_server_free(server) == WSD_E_INVALID);
                for (const wsd_conn conn : all) {
                    if (action == kCloseAll || (action == kCloseOwn && conn == own))
                        wsd_close(server, conn, 1000, nullptr, 0);
                    if ((action == kAbortOwn && conn == own) || (action == kAbortOther && conn != own))
                        wsd_abort(server, conn);
                    if (action == kSendAll) (void)wsd_send(server, conn, WSD_TEXT, "to all", 6);
                    if (action == kPauseOwn && conn == own) (void)wsd_pause(server, conn);
                }
            };
            const auto at = [&](int place, wsd_conn conn) {
                if (armed && where == place) act(conn);
            };
            server.on_message = [&](wsd_conn conn, wsd_opcode, std::string_view) { at(0, conn); };
            server.on_open = [&](wsd_conn conn) { all.push_back(conn), at(1, conn); };
            server.on_close = [&](const Closed& closed) { at(2, closed.conn); };
            server.on_pong = [&](wsd_conn conn, uint32_t) { at(3, conn); };
            server.on_request = [&](wsd_conn conn, const wsd_request*) {
                at(4, conn);
                (void)wsd_accept(server, conn, nullptr, nullptr, 0);
                at(4, conn);
            };
            server.on_drain = [&](wsd_conn conn) { at(5, conn); };
            server.config.send_high_bytes = server.config.send_low_bytes = 1000;
            server.start();
            Client& one = server.open();
            Client& two = server.open();
            armed = true;
            one.send(text("a") + text("b"));
            two.send(text("c") + text("d"));
            Client& three = server.connect();
            three.send(upgrade_request() + text("early"));
            server.settle();
            for (const wsd_conn conn : all)
                (void)wsd_send(server, conn, WSD_BINARY, std::string(5000, 'x').data(), 5000);
            server.pass(30000);
            one.send(pong(std::string("\0\0\0\1", 4)));
            two.send(bye(1000));
            server.settle();
            three.reset();
            server.settle();
        }
    }
}
