// Field by field what another configuration for a running server changes, and from when; what is left of them after
// reconfigure_test.cpp.
#include <doctest/doctest.h>

#include "support/deflate_talk.h"

using namespace test;

namespace {

// Changes one thing of what the server was started with.
template <class Change>
void change(TestServer& server, Change to) {
    to(server.config);
    CHECK(wsd_server_reconfigure(server, &server.config) == WSD_OK);
}

// It has not happened a millisecond before, and then it has.
template <class Happened>
void comes_after(TestServer& server, uint64_t ms, Happened happened) {
    server.pass(ms - 1);
    CHECK_FALSE(happened());
    server.pass(1);
    CHECK(server.until(happened));
}

int ask(TestServer& server, const std::string& request, const char* from = nullptr) {
    Client& client = server.connect(from);
    client.send(request);
    return server.response(client).status;
}

}  // namespace

TEST_CASE("a shorter timeout of a request counts from when that began") {
    TestServer server;
    server.start();
    Client& client = server.connect();
    client.send("GET / HTTP/1.1\r\n");
    server.pass(1000);
    SUBCASE("in all") {
        change(server, [](wsd_config& c) { c.handshake_timeout_ms = 3000; });
        comes_after(server, 2000, [&] { return server.stats().handshake_timeouts == 1; });
    }
    SUBCASE("by its rate") {
        change(server, [](wsd_config& c) { c.handshake_bytes_per_s = 1000, c.handshake_grace_ms = 1500; });
        comes_after(server, 500, [&] { return server.stats().handshakes_slow == 1; });
    }
    CHECK(server.response(client).status == 408);
}

TEST_CASE("a shorter timeout of an open connection counts from when its time began") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    const auto ended = [&] { return server.closed.size() == 1; };
    wsd_cause cause = {};
    SUBCASE("between pings") {
        server.pass(100);
        change(server, [](wsd_config& c) { c.ping_interval_ms = 512; });
        comes_after(server, 412, [&] { return server.stats().pings_out == 1; });
        return;
    }
    SUBCASE("of silence") {
        server.pass(1000);
        change(server, [](wsd_config& c) { c.stale_timeout_ms = 3000; });
        comes_after(server, 2000, ended);
        cause = WSD_CAUSE_PING_TIMEOUT;
    }
    SUBCASE("in the middle of a message") {
        client.send(text("half of it").substr(0, 10));
        server.pass(1000);
        change(server, [](wsd_config& c) { c.read_timeout_ms = 3000; });
        comes_after(server, 2000, [&] { return server.stats().timeouts_idle == 1; });
        CHECK(server.next(client) == "close:1001");
        client.close();
        cause = WSD_CAUSE_IDLE;
    }
    SUBCASE("for the answer to a close") {
        CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
        server.pass(100);
        change(server, [](wsd_config& c) { c.close_timeout_ms = 300; });
        comes_after(server, 200, ended);
        cause = WSD_CAUSE_LOCAL;
    }
    REQUIRE(server.until(ended));
    CHECK(server.closed[0].cause == cause);
}

TEST_CASE("a full queue is judged by the marks and the write timeout in force") {
    TestServer server;
    server.start_narrow();
    wsd_conn conn = 0;
    server.open(&conn).reading = false;
    const std::string large(4 << 20, 'x');
    CHECK(wsd_send(server, conn, WSD_BINARY, large.data(), large.size()) == WSD_OK);
    change(server, [](wsd_config& c) { c.send_high_bytes = SIZE_MAX, c.send_high_count = 1; });
    CHECK(wsd_send(server, conn, WSD_TEXT, "x", 1) == WSD_E_AGAIN);
    change(server, [](wsd_config& c) { c.send_high_count = 2; });
    CHECK(wsd_send(server, conn, WSD_TEXT, "x", 1) == WSD_OK);
    CHECK(wsd_send(server, conn, WSD_TEXT, "x", 1) == WSD_E_AGAIN);
    change(server, [](wsd_config& c) { c.write_timeout_ms = 200; });
    const uint64_t start = server.now_ms;
    while (server.closed.empty()) {
        REQUIRE(server.now_ms - start < 5000);  // the kernel itself may take something at first
        server.pass(100);
    }
    CHECK(server.closed[0].cause == WSD_CAUSE_WRITE_TIMEOUT);
}

TEST_CASE("a message of too many fragments is one by the number in force when a fragment comes") {
    TestServer server;
    server.start();
    Client& client = server.open();
    client.send(frame(0x01, "a") + frame(0x00, "b"));
    server.settle();
    change(server, [](wsd_config& c) { c.fragment_max_count = 3; });
    client.send(frame(0x80, "c"));
    CHECK(server.next(client) == "text:abc");
    client.send(frame(0x01, "a") + frame(0x00, "b"));
    server.settle();
    change(server, [](wsd_config& c) { c.fragment_max_count = 2; });
    client.send(frame(0x80, "c"));
    CHECK(server.next(client) == "close:1008");
}

TEST_CASE("what a request may be, and who is believed in which header, is asked of the next one") {
    const std::string old = Request{.line = "GET / HTTP/1.0"}.str();
    const std::string body = plain_request("POST /", "", "12345");
    TestServer server;
    server.config.trusted_proxies = "127.0.0.1";
    server.config.origins = "https://example.com";
    server.start();
    CHECK(ask(server, old) != 101);
    CHECK(ask(server, body) == 426);
    CHECK(ask(server, upgrade_request()) == 101);
    change(server, [](wsd_config& c) { c.allow_http10 = 1, c.body_max_bytes = 4, c.forwarded_header = WSD_FORWARDED; });
    CHECK(ask(server, old) == 101);
    CHECK(ask(server, body) == 413);
    wsd_conn conn = 0;
    server.open(&conn, "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2\r\n");
    CHECK(std::string(server.info(conn).peer) == "192.0.2.2:0");
    change(server, [](wsd_config& c) { c.origins_required = 1; });
    CHECK(ask(server, upgrade_request()) == 403);
}

TEST_CASE("compression is agreed to as the configuration says at the request, and its threshold holds at once") {
    TestServer server;
    allow(server, false);
    server.start();
    const std::string plain(100, 'a');
    wsd_conn before = 0, with = 0, without = 0;
    Client& client = server.open(&before, kOffer);
    client.send(text(plain));
    CHECK(server.next_frame(client).first == 0xc1);  // compressed
    change(server, [](wsd_config& c) {
        c.deflate_threshold_bytes = 101;
        c.deflate_server_takeover = c.deflate_client_takeover = 1;
        c.deflate_server_window_bits = 10;
        c.deflate_client_window_bits = 11;
    });
    client.send(text(plain));
    CHECK(server.next(client) == "text:" + plain);
    server.open(&with, kOffer);
    change(server, [](wsd_config& c) { c.deflate_memory_max_bytes = 1; });
    server.open(&without, kOffer);
    CHECK(server.info(before).deflate_server_bits == 15);
    CHECK(server.info(before).deflate_server_takeover == 0);
    CHECK(server.info(with).deflate_server_bits == 10);
    CHECK(server.info(with).deflate_client_bits == 11);
    CHECK(server.info(with).deflate_server_takeover == 1);
    CHECK(server.info(with).deflate_client_takeover == 1);
    CHECK(server.info(without).deflate_server_takeover == 0);
    CHECK(server.info(without).deflate_client_takeover == 0);
}

TEST_CASE("lower counts of topics and sessions take nothing away, and hold for what comes next") {
    TestServer server;
    int over = 0;
    server.on_session_end = [&](wsd_session, wsd_session_reason reason) { over += reason == WSD_SESSION_EXPIRED; };
    server.start();
    wsd_conn conns[3] = {};
    for (wsd_conn& conn : conns) server.open(&conn);
    wsd_session first = 0, second = 0, third = 0;
    REQUIRE(wsd_session_create(server, wsd_str_of("ada"), 0, &first) == WSD_OK);
    for (const char* topic : {"a", "b"}) CHECK(wsd_subscribe(server, conns[0], wsd_str_of(topic)) == WSD_OK);
    for (const int i : {0, 1}) CHECK(wsd_session_attach(server, first, conns[i]) == WSD_OK);
    change(server, [](wsd_config& c) {
        c.subscription_max_count = c.session_connection_max_count = 1;
        c.session_max_count = 2;
        c.session_timeout_ms = 1000;
    });
    CHECK(wsd_subscribe(server, conns[0], wsd_str_of("c")) == WSD_E_LIMIT);
    CHECK(wsd_publish(server, wsd_str_of("b"), WSD_TEXT, "x", 1, nullptr) == 1);
    CHECK(wsd_session_attach(server, first, conns[2]) == WSD_E_LIMIT);
    CHECK(wsd_session_of(server, conns[1]) == first);
    CHECK(wsd_session_create(server, wsd_str_of("bob"), 0, &second) == WSD_OK);
    CHECK(wsd_session_create(server, wsd_str_of("eve"), 0, &third) == WSD_E_LIMIT);
    comes_after(server, 1000, [&] { return over == 1; });
    server.pass(10000);
    CHECK(over == 1);  // the first has the time that it was made with ...
    CHECK(wsd_session_touch(server, first, 0) == WSD_OK);
    comes_after(server, 1000, [&] { return over == 2; });  // ... until it is touched
}

TEST_CASE("bursts, what happens to a message over its rate, and the dry run are those in force") {
    TestServer server;
    server.config.message_per_s = server.config.message_burst_count = 1;
    server.config.ip_connect_per_min = server.config.ip_connect_burst_count = 1;
    server.start();
    CHECK(ask(server, upgrade_request()) == 101);
    CHECK(ask(server, upgrade_request()) == 429);
    change(server, [](wsd_config& c) { c.message_burst_count = 2, c.ip_connect_burst_count = 2; });
    Client& client = server.connect("127.0.0.2");
    client.send(upgrade_request() + text("1") + text("2") + text("3"));
    CHECK(server.response(client).status == 101);
    server.settle();
    CHECK(server.messages.size() == 2);
    CHECK(ask(server, upgrade_request(), "127.0.0.2") == 101);
    CHECK(ask(server, upgrade_request(), "127.0.0.2") == 429);
    server.pass(1000);
    CHECK(server.messages.size() == 3);
    change(server, [](wsd_config& c) { c.limits_dry_run = 1; });
    client.send(text("4"));
    CHECK(server.until([&] { return server.messages.size() == 4; }));
    CHECK(ask(server, upgrade_request(), "127.0.0.2") == 101);
    change(server, [](wsd_config& c) { c.limits_dry_run = 0, c.message_over_rate = WSD_OVER_RATE_CLOSE; });
    client.send(text("5"));
    REQUIRE(server.until([&] { return !client.input.empty(); }));
    for (const char* got : {"text:1", "text:2", "text:3", "text:4", "close:1008"}) CHECK(server.next(client) == got);
}
