// Every deadline of a connection, with the clock in the test's hand.
#include "support/test_server.h"

using namespace test;

TEST_CASE("a ping goes out every 30 s, its pong tells the round trip, and other pongs tell nothing") {
    constexpr uint64_t kIntervalMs = 30000, kLateMs = kIntervalMs / 256;
    TestServer server;
    server.config.idle_timeout_ms = 0;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(server.info(conn).rtt_ms == UINT32_MAX);
    for (size_t round = 1; round <= 3; round++) {
        // 25 ms of each interval go by while the last round's pong is on its way.
        const uint64_t since = server.now_ms - (round == 1 ? 0 : 25);
        server.pass(since + kIntervalMs - 1 - server.now_ms);
        CHECK(client.input.empty());
        while (client.input.empty()) {
            REQUIRE(server.now_ms < since + kIntervalMs + kLateMs);
            server.pass(uint64_t(wsd_server_timeout(server)));
        }
        const Frame ping_frame = server.next_frame(client);
        REQUIRE(show(ping_frame).rfind("ping:", 0) == 0);
        client.send(pong("unasked"));
        server.pass(25);
        CHECK(server.pongs.size() == round - 1);
        client.send(pong(ping_frame.payload));
        CHECK(server.until([&] { return server.pongs.size() == round; }));
        CHECK(server.pongs.back() == 25);
        CHECK(server.info(conn).rtt_ms == 25);
    }
    CHECK(server.stats().pings_out == 3);
}

TEST_CASE("connections that opened at different times are pinged together, at most 1/256 of the interval late") {
    constexpr uint64_t kStepMs = 100;
    TestServer server;
    server.config.ping_interval_ms = 256 * kStepMs;
    server.start();
    REQUIRE(server.now_ms % kStepMs == 0);
    for (uint64_t opened = 0; opened < 10; opened++) {
        server.now_ms += kStepMs / 10;
        (void)server.open();
    }
    server.pass(255 * kStepMs);
    for (uint64_t round = 1; round <= 2; round++) {
        server.pass(kStepMs - 1);
        CHECK(server.stats().pings_out == (round - 1) * 10);
        server.pass(1);
        CHECK(server.stats().pings_out == round * 10);
        server.pass(255 * kStepMs);
    }
}

TEST_CASE("whoever is paused is pinged, so that a host that is gone is noticed, and a late pong tells no round trip") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_pause(server, conn) == WSD_OK);
    server.pass(31000);
    const Frame asked = server.next_frame(client);
    CHECK(show(asked).rfind("ping:", 0) == 0);
    client.send(pong(asked.payload));
    server.pass(20000);
    CHECK(server.stats().pings_out == 1);
    CHECK(wsd_resume(server, conn) == WSD_OK);
    CHECK(server.until([&] { return server.stats().pongs_in == 1; }));
    CHECK(server.pongs.empty());
    CHECK(server.info(conn).rtt_ms == UINT32_MAX);
}

TEST_CASE("a peer that says nothing for 120 s is dropped") {
    TestServer server;
    server.start();
    (void)server.open();
    server.pass(119999);
    CHECK(server.closed.empty());
    server.pass(1);
    REQUIRE(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_PING_TIMEOUT);
    CHECK(server.closed[0].error == WSD_E_PING_TIMEOUT);
    CHECK(server.closed[0].code == 1006);
    CHECK(server.stats().timeouts_ping == 1);
}

TEST_CASE("a pong is a sign of life, but no message: 5 min without one close with 1001") {
    TestServer server;
    server.start();
    Client& client = server.open();
    for (int i = 0; i < 9; i++) {
        server.pass(30000);
        client.send(pong("alive"));
    }
    CHECK(server.closed.empty());
    server.pass(30000);
    client.send(bye(1001));
    client.end();
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0].cause == WSD_CAUSE_IDLE);
    CHECK(server.closed[0].code == 1001);
    CHECK(server.closed[0].clean);
    CHECK(server.stats().timeouts_idle == 1);
}

TEST_CASE("a message either way puts the idle timeout off") {
    TestServer server;
    server.config.stale_timeout_ms = 0;
    server.config.ping_interval_ms = 0;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    server.pass(299999);
    client.send(text("in"));
    CHECK(server.next(client) == "text:in");
    server.pass(299999);
    CHECK(wsd_send(server, conn, WSD_TEXT, "out", 3) == WSD_OK);
    server.pass(299999);
    CHECK(server.closed.empty());
    server.pass(1);
    CHECK(server.next(client) == "text:out");
    CHECK(server.next(client) == "close:1001");
}

TEST_CASE("a message that stops half-way is given up after the read timeout") {
    TestServer server;
    server.config.stale_timeout_ms = 0;
    server.config.ping_interval_ms = 0;
    server.config.idle_timeout_ms = 0;
    server.start();
    Client& client = server.open();
    client.send(text("half of it").substr(0, 10));
    server.pass(599999);
    CHECK(client.input.empty());
    server.pass(1);
    CHECK(server.next(client) == "close:1001");
    server.pass(1000);
    REQUIRE(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_IDLE);
}

TEST_CASE("a peer that takes nothing for 10 s is dropped, and one that takes a little is not") {
    TestServer server;
    server.config.send_high_bytes = 64 << 20;
    server.config.send_high_count = 0;
    server.start_narrow();
    wsd_conn slow = 0, stuck = 0;
    Client& reader = server.open(&slow);
    Client& sleeper = server.open(&stuck);
    reader.reading = sleeper.reading = false;
    server.settle();
    const std::string large(16 << 20, 'x');
    CHECK(wsd_send(server, slow, WSD_BINARY, large.data(), large.size()) == WSD_OK);
    CHECK(wsd_send(server, stuck, WSD_BINARY, large.data(), large.size()) == WSD_OK);
    const uint64_t start = server.now_ms;
    while (server.closed.empty()) {
        REQUIRE(server.now_ms - start < 60000);  // the kernel itself may take something for the stuck one at first
        const size_t before = wsd_buffered(server, slow);
        reader.reading = true;
        CHECK(server.until([&] { return before == 0 || wsd_buffered(server, slow) < before; }));
        reader.reading = false;
        server.pass(1000);
    }
    CHECK(server.now_ms - start >= 10000);
    CHECK(server.closed[0].conn == stuck);
    CHECK(server.closed[0].cause == WSD_CAUSE_WRITE_TIMEOUT);
    CHECK(server.closed[0].error == WSD_E_WRITE_TIMEOUT);
    CHECK(server.stats().timeouts_write == 1);
    CHECK(server.stats().queued_bytes == wsd_buffered(server, slow));
}

TEST_CASE("a close that is not answered ends after close_timeout_ms") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_close(server, conn, 4000, "why", 3) == WSD_OK);
    CHECK(server.next(client) == "close:4000 why");
    server.pass(999);
    CHECK(server.closed.empty());
    server.pass(1);
    REQUIRE(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_LOCAL);
    CHECK(server.closed[0].code == 4000);
    CHECK_FALSE(server.closed[0].clean);
    CHECK(server.stats().timeouts_close == 1);
}

TEST_CASE("what is owed before a close has the write timeout, not the shorter one of the close") {
    TestServer server;
    server.config.send_high_bytes = 64 << 20;
    server.start_narrow();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    client.reading = false;
    const std::string large(16 << 20, 'x');
    CHECK(wsd_send(server, conn, WSD_BINARY, large.data(), large.size()) == WSD_OK);
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    server.pass(9999);
    CHECK(server.closed.empty());
    while (server.closed.empty()) {
        REQUIRE(server.now_ms < 1060000);  // the kernel itself may take something at first
        server.pass(1000);
    }
    CHECK(server.closed[0].cause == WSD_CAUSE_LOCAL);  // what began it
    CHECK_FALSE(server.closed[0].clean);
    CHECK(server.stats().timeouts_write == 1);
    CHECK(server.stats().timeouts_close == 0);
    CHECK(server.stats().queued_bytes == 0);
}

TEST_CASE("a peer that goes on talking does not put its close off") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    for (int i = 0; i < 10; i++) {
        client.send(text("more"));
        server.pass(100);
    }
    REQUIRE(server.closed.size() == 1);
    CHECK(server.messages.empty());
}

TEST_CASE("no request in 10 s is answered with 408, a half one too") {
    for (const char* said : {"", "GET / HTTP/1.1\r\nHos"}) {
        CAPTURE(said);
        TestServer server;
        server.start();
        Client& client = server.connect();
        client.send(said);
        server.pass(9999);
        CHECK(client.input.empty());
        server.pass(1);
        CHECK(server.response(client).status == 408);
        server.pass(1000);
        CHECK(client.ended);
        CHECK(server.stats().handshake_timeouts == 1);
        CHECK(server.stats().handshakes_failed == 1);
    }
}

TEST_CASE("a paused peer is not stale, nor idle, until it is listened to again") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    (void)server.open(&conn);
    CHECK(wsd_pause(server, conn) == WSD_OK);
    server.pass(3600000);
    CHECK(server.closed.empty());
    CHECK(wsd_resume(server, conn) == WSD_OK);
    server.pass(119999);
    CHECK(server.closed.empty());
    server.pass(1);
    CHECK(server.closed.size() == 1);
}

TEST_CASE("with every timeout off nothing happens for a year") {
    TestServer server;
    server.config.ping_interval_ms = server.config.stale_timeout_ms = server.config.idle_timeout_ms = 0;
    server.config.read_timeout_ms = server.config.write_timeout_ms = server.config.handshake_timeout_ms = 0;
    server.start();
    Client& client = server.open();
    (void)server.connect();
    server.pass(uint64_t(365) * 86400000);
    client.send(text("still here"));
    CHECK(server.next(client) == "text:still here");
}

TEST_CASE("what begins after the loop has slept for long is not late from the start") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    server.settle();
    server.now_ms += server.config.write_timeout_ms + 5000;  // in a foreign loop, with nothing to wake this one
    CHECK(wsd_now_ms(server) == server.now_ms);
    CHECK(wsd_send(server, conn, WSD_TEXT, "hi", 2) == WSD_OK);
    CHECK(server.next(client) == "text:hi");
    static int fired = 0;
    server.now_ms += 5000;
    wsd_timer_start(
        server, 1000, [](wsd_server*, void*) { fired++; }, nullptr, nullptr);
    server.settle();
    CHECK(fired == 0);
    server.pass(1000);
    CHECK(fired == 1);
}
