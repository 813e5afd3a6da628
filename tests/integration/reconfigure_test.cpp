// Another configuration for a running server: what takes effect and when, what stays, and that an error changes
// nothing.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

// Changes one thing of what the server was started with.
template <class Change>
int change(TestServer& server, Change to) {
    to(server.config);
    return wsd_server_reconfigure(server, &server.config);
}

// The status that a new client is told, which stays connected if it is let in.
int knock(TestServer& server, std::string_view more_headers = {}) {
    Client& client = server.connect();
    client.send(upgrade_request(more_headers));
    return server.response(client).status;
}

std::string echoed(TestServer& server, Client& client, const std::string& what) {
    client.send(text(what));
    return server.next(client);
}

}  // namespace

TEST_CASE("a wrong configuration, or none, changes nothing") {
    TestServer server;
    server.config.connection_max_count = 1;
    server.start();
    Client& client = server.open();
    CHECK(wsd_server_reconfigure(server, nullptr) == WSD_E_INVALID);
    CHECK(wsd_server_reconfigure(nullptr, &server.config) == WSD_E_INVALID);
    wsd_config wrong = server.config;
    wrong.connection_max_count = 0;
    wrong.origins = "https://example.com/path";
    CHECK(wsd_server_reconfigure(server, &wrong) == WSD_E_INVALID);
    CHECK(knock(server) == 503);
    CHECK(echoed(server, client, "still here") == "text:still here");
}

TEST_CASE("a lower limit of connections puts nobody out, and a higher one lets more in") {
    TestServer server;
    server.start();
    Client& first = server.open();
    server.open();
    CHECK(change(server, [](wsd_config& c) { c.connection_max_count = 1; }) == WSD_OK);
    CHECK(knock(server) == 503);
    CHECK(echoed(server, first, "in") == "text:in");
    CHECK(change(server, [](wsd_config& c) { c.connection_max_count = 3; }) == WSD_OK);
    CHECK(knock(server) == 101);
    CHECK(knock(server) == 503);
}

TEST_CASE("bounds of frames and messages hold from the next frame on") {
    TestServer server;
    server.start();
    Client& client = server.open();
    CHECK(echoed(server, client, "12345") == "text:12345");
    CHECK(change(server, [](wsd_config& c) { c.message_max_bytes = 4; }) == WSD_OK);
    CHECK(echoed(server, client, "1234") == "text:1234");
    client.send(text("12345"));
    CHECK(server.next(client) == "close:1009");
    Client& other = server.open();
    CHECK(change(server, [](wsd_config& c) { c.message_max_bytes = 100, c.frame_max_bytes = 10; }) == WSD_OK);
    CHECK(echoed(server, other, "1234567890") == "text:1234567890");
    other.send(text("1234567890!"));
    CHECK(server.next(other) == "close:1009");
}

TEST_CASE("a message that has begun is held to a bound that came down meanwhile") {
    TestServer server;
    server.config.deflate = 1;
    server.start();
    Client& plain = server.open();
    plain.send(frame(0x01, std::string(60, 'a')));
    Client& packed = server.open(nullptr, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    // A stored block (RFC 1951 3.2.4) of 60 bytes, then one that would be the rest of the message.
    const std::string block = std::string("\x00\x3c\x00\xc3\xff", 5) + std::string(60, 'b');
    packed.send(frame(0x41, block));
    server.settle();
    CHECK(change(server, [](wsd_config& c) { c.message_max_bytes = 50; }) == WSD_OK);
    plain.send(frame(0x80, "a"));
    CHECK(server.next(plain) == "close:1009");
    packed.send(frame(0x80, block));
    CHECK(server.next(packed) == "close:1009");
}

TEST_CASE("a request that has begun keeps the bounds of its head, the next has the new ones") {
    TestServer server;
    server.config.head_max_count = 5;
    server.start();
    const std::string padded = "Cookie: " + std::string(300, 'x') + "\r\n";
    Client& begun = server.connect();
    begun.send(upgrade_request().substr(0, 60));
    Client& few = server.connect();
    few.send(upgrade_request("A: b\r\n").substr(0, 60));
    server.settle();
    CHECK(change(server, [](wsd_config& c) { c.head_max_bytes = 256, c.head_max_count = 1000; }) == WSD_OK);
    begun.send(upgrade_request().substr(60));
    CHECK(server.response(begun).status == 101);
    few.send(upgrade_request("A: b\r\n").substr(60));
    CHECK(server.response(few).status == 431);
    CHECK(knock(server, padded) == 431);
    CHECK(change(server, [](wsd_config& c) { c.head_max_bytes = 4096; }) == WSD_OK);
    CHECK(knock(server, padded) == 101);
}

TEST_CASE("a timeout that became shorter is seen in time, one that became longer is waited for, off is off") {
    TestServer server;
    server.config.ping_interval_ms = server.config.stale_timeout_ms = 0;
    server.config.idle_timeout_ms = 0;
    server.start();
    Client& client = server.open();
    server.pass(1000000);
    CHECK(change(server, [](wsd_config& c) { c.idle_timeout_ms = 2000000; }) == WSD_OK);
    server.pass(999000);
    CHECK(server.closed.empty());
    CHECK(change(server, [](wsd_config& c) { c.idle_timeout_ms = 3000000; }) == WSD_OK);
    server.pass(2000);
    CHECK(server.closed.empty());
    CHECK(change(server, [](wsd_config& c) { c.idle_timeout_ms = 2002000; }) == WSD_OK);
    server.pass(1000);
    CHECK(server.next(client) == "close:1001");
    server.open();
    CHECK(change(server, [](wsd_config& c) { c.idle_timeout_ms = 0; }) == WSD_OK);
    server.pass(100000000);
    CHECK(server.closed.size() == 1);
}

TEST_CASE("origins, subprotocols and who is believed are those of the next request") {
    TestServer server;
    server.config.origins = "https://old.example.com";
    server.start();
    CHECK(knock(server, "Origin: https://new.example.com\r\n") == 403);
    char origins[] = "https://new.example.com";
    CHECK(change(server, [&](wsd_config& c) { c.origins = origins, c.subprotocols = "new"; }) == WSD_OK);
    origins[8] = 'x';  // it was copied
    CHECK(knock(server, "Origin: https://new.example.com\r\n") == 101);
    CHECK(knock(server, "Origin: https://old.example.com\r\n") == 403);
    wsd_conn conn = 0;
    server.open(&conn, "Origin: https://new.example.com\r\nSec-WebSocket-Protocol: new\r\n");
    CHECK(server.info(conn).subprotocol == std::string("new"));
    CHECK(change(server, [&](wsd_config& c) {
              c.origins = c.subprotocols = nullptr;
              c.trusted_proxies = "127.0.0.0/8";
          }) == WSD_OK);
    CHECK(server.info(conn).subprotocol == std::string("new"));
    server.open(&conn, "X-Forwarded-For: 192.0.2.1\r\nSec-WebSocket-Protocol: new\r\n");
    CHECK(std::string(server.info(conn).peer) == "192.0.2.1:0");
    CHECK(server.info(conn).subprotocol == nullptr);
    CHECK(change(server, [&](wsd_config& c) { c.trusted_proxies = nullptr; }) == WSD_OK);
    server.open(&conn, "X-Forwarded-For: 192.0.2.1\r\n");
    CHECK(std::string(server.info(conn).peer).substr(0, 10) == "127.0.0.1:");
}

TEST_CASE("a listener that believes only known proxies keeps them known") {
    TestServer server;
    server.config.trusted_proxies = "127.0.0.1";
    server.proxy_protocol = WSD_PROXY_OPTIONAL;
    server.start();
    wsd_config none = server.config;
    none.trusted_proxies = nullptr;
    CHECK(wsd_server_reconfigure(server, &none) == WSD_E_INVALID);
    Client& client = server.connect();
    client.send("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + upgrade_request());
    CHECK(server.response(client).status == 101);
    CHECK(std::string(server.info(server.opened.back()).peer) == "192.0.2.1:1");
    CHECK(wsd_server_drain_over(server, 10000, 20000) == WSD_OK);  // it does not listen any more
    CHECK(wsd_server_reconfigure(server, &none) == WSD_OK);
}

TEST_CASE("what was taken before is owed at a new rate of messages, and a wait becomes shorter") {
    TestServer server;
    server.config.message_per_s = 1;
    server.config.message_burst_count = 2;
    server.start();
    Client& client = server.open();
    client.send(text("1") + text("2") + text("3") + text("4"));
    server.settle();
    CHECK(server.messages.size() == 2);
    CHECK(change(server, [](wsd_config& c) { c.message_per_s = 10; }) == WSD_OK);
    server.pass(99);
    CHECK(server.messages.size() == 2);
    server.pass(1);
    CHECK(server.messages.size() == 3);
    CHECK(change(server, [](wsd_config& c) { c.message_per_s = 0; }) == WSD_OK);
    server.settle();
    CHECK(server.messages.size() == 4);
}

TEST_CASE("a message that waits for its rate comes when the rate goes, whatever else the connection gives up") {
    TestServer server;
    server.config.message_per_s = 1;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_subscribe(server, conn, wsd_str_of("news")) == WSD_OK);
    client.send(text("1") + text("2") + text("3"));
    server.settle();
    CHECK(server.messages.size() == 1);
    CHECK(change(server, [](wsd_config& c) { c.message_per_s = 0; }) == WSD_OK);
    CHECK(wsd_unsubscribe(server, conn, wsd_str_of("news")) == WSD_OK);
    server.settle();
    CHECK(server.messages.size() == 3);
}

TEST_CASE("a rate of messages that came later counts those who come later, whatever else the others have") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& before = server.open(&conn);
    CHECK(wsd_subscribe(server, conn, wsd_str_of("news")) == WSD_OK);
    CHECK(change(server, [](wsd_config& c) { c.message_per_s = 1; }) == WSD_OK);
    before.send(text("1") + text("2"));
    server.settle();
    CHECK(server.messages.size() == 2);
    server.open().send(text("3") + text("4"));
    server.settle();
    CHECK(server.messages.size() == 3);
}

TEST_CASE("a session that has more than a lower bound allows keeps it, and gets no more") {
    TestServer server;
    server.start();
    wsd_session session = 0;
    REQUIRE(wsd_session_create(server, wsd_str_of("ada"), 0, &session) == WSD_OK);
    const std::string much(1000, 'v');
    CHECK(wsd_session_set(server, session, wsd_str_of("much"), much.data(), much.size()) == WSD_OK);
    CHECK(change(server, [](wsd_config& c) { c.session_data_max_bytes = 100; }) == WSD_OK);
    CHECK(wsd_session_set(server, session, wsd_str_of("more"), "v", 1) == WSD_E_LIMIT);
    wsd_str value;
    CHECK(wsd_session_get(server, session, wsd_str_of("much"), &value) == WSD_OK);
    CHECK(str(value) == much);
    CHECK(wsd_session_set(server, session, wsd_str_of("much"), "v", 1) == WSD_OK);
    CHECK(wsd_session_set(server, session, wsd_str_of("more"), "v", 1) == WSD_OK);
}

TEST_CASE("limits by address that came later count those who come later, and those that go let them be") {
    TestServer server;
    server.start();
    CHECK(knock(server) == 101);
    CHECK(change(server, [](wsd_config& c) { c.ip_connection_max_count = 1; }) == WSD_OK);
    CHECK(knock(server) == 101);
    CHECK(knock(server) == 429);
    CHECK(change(server, [](wsd_config& c) {
              c.ip_connection_max_count = 0, c.ip_connect_per_min = 1, c.ip_connect_burst_count = 2;
          }) == WSD_OK);
    CHECK(knock(server) == 101);
    CHECK(knock(server) == 101);
    CHECK(knock(server) == 429);
    CHECK(change(server, [](wsd_config& c) { c.ip_connect_per_min = 2; }) == WSD_OK);
    CHECK(knock(server) == 429);
    server.pass(30000);
    CHECK(knock(server) == 101);
    CHECK(knock(server) == 429);
    CHECK(change(server, [](wsd_config& c) { c.ip_connect_per_min = 0; }) == WSD_OK);
    CHECK(knock(server) == 101);
    CHECK(server.stats().ip_count == 1);
}

TEST_CASE("the marks of send queues hold at once") {
    TestServer server;
    server.start_narrow();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    client.reading = false;
    const std::string large(200000, 'x');
    CHECK(wsd_send(server, conn, WSD_BINARY, large.data(), large.size()) == WSD_OK);
    server.settle();
    CHECK(change(server, [](wsd_config& c) { c.send_high_bytes = c.send_low_bytes = 1000; }) == WSD_OK);
    CHECK(wsd_send(server, conn, WSD_TEXT, "x", 1) == WSD_E_AGAIN);
    CHECK(change(server, [](wsd_config& c) { c.send_high_bytes = c.send_low_bytes = 1 << 20; }) == WSD_OK);
    CHECK(wsd_send(server, conn, WSD_TEXT, "x", 1) == WSD_OK);
}

TEST_CASE("a hard mark that comes later drops the longest queues, one that goes leaves them, one too low is refused") {
    TestServer server;
    server.start_narrow();
    wsd_conn conns[2] = {};
    for (wsd_conn& conn : conns) server.open(&conn).reading = false;
    const std::string large(1 << 20, 'x');
    CHECK(wsd_send(server, conns[0], WSD_BINARY, large.data(), large.size()) == WSD_OK);
    CHECK(wsd_send(server, conns[1], WSD_BINARY, large.data(), large.size() / 2) == WSD_OK);
    server.settle();
    CHECK(change(server, [](wsd_config& c) { c.memory_hard_bytes = 1000; }) == WSD_E_NOMEM);
    const size_t held = server.stats().memory_held_bytes;
    CHECK(change(server, [&](wsd_config& c) { c.memory_hard_bytes = held - 1000; }) == WSD_OK);
    CHECK(server.until([&] { return !server.closed.empty(); }));
    CHECK(server.closed[0].conn == conns[0]);
    CHECK(server.closed[0].error == WSD_E_MEMORY_BUDGET);
    server.settle();
    CHECK(server.closed.size() == 1);
    CHECK(change(server, [&](wsd_config& c) { c.memory_hard_bytes = 0; }) == WSD_OK);
    CHECK(wsd_abort(server, conns[1]) == WSD_OK);
    server.settle();
    CHECK(server.closed.size() == 2);
}

TEST_CASE("reading that was stopped for the soft mark goes on when that is gone") {
    TestServer server;
    server.start();
    Client& client = server.open();
    const size_t held = server.stats().memory_held_bytes;
    CHECK(change(server, [&](wsd_config& c) { c.memory_soft_bytes = held; }) == WSD_OK);
    client.send(text("waits"));
    server.settle();
    CHECK(server.messages.empty());
    CHECK(change(server, [&](wsd_config& c) { c.memory_soft_bytes = 0; }) == WSD_OK);
    CHECK(server.next(client) == "text:waits");
}

TEST_CASE("what a server was made with stays") {
    TestServer server;
    server.config.deflate = 1;
    server.start();
    wsd_config other;
    wsd_config_init(&other, sizeof other);  // another allocator, clock and context, and no compression
    other.receive_buffer_bytes = 4096;
    other.post_max_count = 1;
    CHECK(wsd_server_reconfigure(server, &other) == WSD_OK);
    wsd_conn conn = 0;
    server.open(&conn, "Sec-WebSocket-Extensions: permessage-deflate\r\n");  // its callbacks find their context
    CHECK(server.info(conn).deflate_server_bits == 15);
    for (int i = 0; i < 1000; i++)
        REQUIRE(wsd_post(
                    server, [](wsd_server*, void*) {}, nullptr) == WSD_OK);
    server.settle();
}

TEST_CASE("it may be given inside a callback, to the connection that is being read") {
    TestServer server;
    server.on_message = [&](wsd_conn conn, wsd_opcode opcode, std::string_view payload) {
        CHECK(wsd_send(server, conn, opcode, payload.data(), payload.size()) == WSD_OK);
        CHECK(change(server, [](wsd_config& c) {
                  c.message_max_bytes = 3, c.send_high_bytes = c.send_low_bytes = 1, c.message_per_s = 1;
              }) == WSD_OK);
    };
    server.start();
    Client& client = server.open();
    client.send(text("1234") + text("1234"));
    CHECK(server.next(client) == "text:1234");
    CHECK(server.next(client) == "close:1009");
}

TEST_CASE("the n-th allocation refused leaves the old configuration whole") {
    for (uint64_t n = 1;; n++) {
        CAPTURE(n);
        REQUIRE(n < 100);
        TestServer server;
        server.config.origins = "https://old.example.com";
        server.config.connection_max_count = 1;
        server.start();
        wsd_config other = server.config;
        other.origins = "https://new.example.com";
        other.subprotocols = "chat";
        other.trusted_proxies = "127.0.0.1";
        other.connection_max_count = 2;
        server.memory.refuse_at = server.memory.calls + n;
        const int result = wsd_server_reconfigure(server, &other);
        server.memory.refuse_at = 0;
        const bool refused = server.memory.refused;
        CHECK(result == (refused ? WSD_E_NOMEM : WSD_OK));
        Client& with_new = server.connect();
        with_new.send(upgrade_request("Origin: https://new.example.com\r\n"));
        CHECK(server.response(with_new).status == (refused ? 403 : 101));
        with_new.reset();
        CHECK(server.until([&] { return server.stats().connections_active == 0; }));
        CHECK(knock(server, "Origin: https://old.example.com\r\n") == (refused ? 101 : 403));
        if (refused) CHECK(knock(server, "Origin: https://old.example.com\r\n") == 503);
        if (!refused) {
            CHECK(n == 4);  // origins, subprotocols and proxies
            return;
        }
    }
}
