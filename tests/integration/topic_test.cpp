// Topics over real sockets: who receives what, in how many writes, and what a receiver that is behind gets.
#include "support/json_messages.h"
#include "support/test_server.h"
#include "support/zlib_peer.h"

using namespace test;

namespace {

wsd_str name(const char* text) { return wsd_str_of(text); }

int publish(TestServer& server, const char* topic, std::string_view message, wsd_publish_options options = {}) {
    options.size = sizeof options;
    return wsd_publish(server, name(topic), WSD_TEXT, message.data(), message.size(), &options);
}

// A client whose connection has subscribed to `topic`.
Client& subscriber(TestServer& server, const char* topic, wsd_conn* conn, std::string_view more_headers = {}) {
    Client& client = server.open(conn, more_headers);
    REQUIRE(wsd_subscribe(server, *conn, name(topic)) == WSD_OK);
    return client;
}

// Fills the queue of a connection whose client does not read, up to its mark.
void fill(TestServer& server, wsd_conn conn) {
    const std::string some(20000, 'x');
    while (wsd_send(server, conn, WSD_BINARY, some.data(), some.size()) == WSD_OK) server.turn();
}

void allow_little(TestServer& server) {
    server.config.send_high_bytes = 100000;
    server.config.send_low_bytes = 50000;
}

}  // namespace

TEST_CASE("subscribers of a topic get what is published to it, and nobody else does") {
    TestServer server;
    server.start();
    wsd_conn a, b, c;
    Client& client_a = subscriber(server, "news", &a);
    Client& client_b = subscriber(server, "news", &b);
    Client& client_c = subscriber(server, "new", &c);
    CHECK(publish(server, "news", "one") == 2);
    CHECK(publish(server, "new", "other") == 1);
    CHECK(publish(server, "newsletter", "nobody") == 0);
    CHECK(wsd_publish(server, name("news"), WSD_BINARY, nullptr, 0, nullptr) == 2);
    for (Client* const client : {&client_a, &client_b}) {
        CHECK(server.next(*client) == "text:one");
        CHECK(server.next(*client) == "binary:");
    }
    CHECK(server.next(client_c) == "text:other");
    CHECK(server.stats().published_count == 3);
    CHECK(server.stats().published_receivers == 5);
    CHECK(server.stats().topics_active == 2);
    CHECK(server.stats().subscriptions_active == 3);
}

TEST_CASE("the excepted connection is passed over") {
    TestServer server;
    server.on_message = [&](wsd_conn conn, wsd_opcode, std::string_view message) {
        wsd_publish_options options = {};
        options.except = conn;
        CHECK(publish(server, "room", message, options) == 1);
    };
    server.start();
    wsd_conn a, b;
    Client& client_a = subscriber(server, "room", &a);
    Client& client_b = subscriber(server, "room", &b);
    client_a.send(text("from a"));
    CHECK(server.next(client_b) == "text:from a");
    client_b.send(text("from b"));
    CHECK(server.next(client_a) == "text:from b");
}

TEST_CASE("subscribing twice is subscribing once, and unsubscribing ends it") {
    TestServer server;
    server.start();
    wsd_conn conn;
    Client& client = subscriber(server, "room", &conn);
    CHECK(wsd_subscribe(server, conn, name("room")) == WSD_OK);
    CHECK(publish(server, "room", "once") == 1);
    CHECK(wsd_unsubscribe(server, conn, name("room")) == WSD_OK);
    CHECK(publish(server, "room", "never") == 0);
    CHECK(wsd_unsubscribe(server, conn, name("room")) == WSD_OK);
    CHECK(wsd_subscribe(server, conn, name("room")) == WSD_OK);
    CHECK(publish(server, "room", "again") == 1);
    CHECK(server.next(client) == "text:once");
    CHECK(server.next(client) == "text:again");
}

TEST_CASE("names are bytes, from one to WSD_TOPIC_MAX_BYTES") {
    TestServer server;
    server.start();
    wsd_conn conn;
    Client& client = server.open(&conn);
    const std::string longest(WSD_TOPIC_MAX_BYTES, 't'), longer = longest + "t", binary("a\0b", 3);
    CHECK(wsd_subscribe(server, conn, {longest.data(), longest.size()}) == WSD_OK);
    CHECK(wsd_subscribe(server, conn, {binary.data(), binary.size()}) == WSD_OK);
    CHECK(publish(server, longest.c_str(), "long") == 1);
    CHECK(publish(server, "a", "short") == 0);
    CHECK(wsd_publish(server, {binary.data(), 3}, WSD_TEXT, "zero", 4, nullptr) == 1);
    for (const wsd_str bad : {wsd_str{longer.data(), longer.size()}, wsd_str{"x", 0}, wsd_str{nullptr, 0}}) {
        CHECK(wsd_subscribe(server, conn, bad) == WSD_E_INVALID);
        CHECK(wsd_unsubscribe(server, conn, bad) == WSD_E_INVALID);
        CHECK(wsd_publish(server, bad, WSD_TEXT, "", 0, nullptr) == WSD_E_INVALID);
    }
    CHECK(server.next(client) == "text:long");
    CHECK(server.next(client) == "text:zero");
}

TEST_CASE("arguments out of range are refused") {
    TestServer server;
    server.start();
    wsd_conn conn;
    subscriber(server, "room", &conn);
    CHECK(wsd_subscribe(nullptr, conn, name("room")) == WSD_E_INVALID);
    CHECK(wsd_subscribe(server, 0, name("room")) == WSD_E_CLOSED);
    CHECK(wsd_unsubscribe(server, conn + 1, name("room")) == WSD_E_CLOSED);
    CHECK(wsd_publish(nullptr, name("room"), WSD_TEXT, "", 0, nullptr) == WSD_E_INVALID);
    CHECK(wsd_publish(server, name("room"), wsd_opcode(9), "", 0, nullptr) == WSD_E_INVALID);
    CHECK(wsd_publish(server, name("room"), WSD_TEXT, nullptr, 1, nullptr) == WSD_E_INVALID);
    wsd_publish_options options = {};
    options.full = WSD_FULL_REPLACE;
    CHECK(publish(server, "room", "no key", options) == WSD_E_INVALID);
    options.full = wsd_full(7);
    CHECK(publish(server, "room", "no such policy", options) == WSD_E_INVALID);
    options = {};
    CHECK(wsd_publish(server, name("room"), WSD_TEXT, "", 0, &options) == WSD_E_INVALID);  // no size
}

TEST_CASE("a connection that is not open cannot subscribe") {
    TestServer server;
    wsd_conn waiting = 0;
    server.on_request = [&](wsd_conn conn, const wsd_request*) { waiting = conn; };
    server.start();
    server.connect().send(upgrade_request());
    REQUIRE(server.until([&] { return waiting != 0; }));
    CHECK(wsd_subscribe(server, waiting, name("room")) == WSD_E_INVALID);
    REQUIRE(wsd_accept(server, waiting, nullptr, nullptr, 0) == WSD_OK);
    CHECK(wsd_subscribe(server, waiting, name("room")) == WSD_OK);
    CHECK(wsd_close(server, waiting, 1000, nullptr, 0) == WSD_OK);
    CHECK(wsd_subscribe(server, waiting, name("other")) == WSD_E_CLOSED);
    CHECK(publish(server, "room", "too late") == 0);
}

TEST_CASE("over subscription_max_count a connection is refused, until it leaves a topic") {
    TestServer server;
    server.config.subscription_max_count = 2;
    server.start();
    wsd_conn conn, other;
    subscriber(server, "a", &conn);
    subscriber(server, "a", &other);
    CHECK(wsd_subscribe(server, conn, name("b")) == WSD_OK);
    CHECK(wsd_subscribe(server, conn, name("c")) == WSD_E_LIMIT);
    CHECK(wsd_subscribe(server, conn, name("b")) == WSD_OK);  // has it
    CHECK(server.stats().topics_active == 2);
    CHECK(wsd_unsubscribe(server, conn, name("a")) == WSD_OK);
    CHECK(wsd_subscribe(server, conn, name("c")) == WSD_OK);
}

TEST_CASE("subscriptions go with their connection, and topics with their last subscriber") {
    TestServer server;
    server.start();
    wsd_conn a, b;
    Client& client_a = subscriber(server, "shared", &a);
    Client& client_b = subscriber(server, "shared", &b, "Sec-WebSocket-Protocol: x\r\n");
    for (int i = 0; i < 50; i++) REQUIRE(wsd_subscribe(server, b, name(std::to_string(i).c_str())) == WSD_OK);
    CHECK(server.stats().topic_memory_bytes > 0);
    client_b.reset();
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.stats().topics_active == 1);
    CHECK(publish(server, "shared", "left") == 1);
    CHECK(server.next(client_a) == "text:left");
    CHECK(wsd_abort(server, a) == WSD_OK);
    server.settle();
    CHECK(server.stats().topics_active == 0);
    CHECK(server.stats().subscriptions_active == 0);
    CHECK(server.stats().topic_memory_bytes == 0);
}

TEST_CASE("50 publishes in a turn are one write a receiver") {
    for (const size_t bytes : {100, 20000}) {
        CAPTURE(bytes);
        TestServer server;
        server.config.send_high_bytes = 8 << 20;
        server.start();
        wsd_conn conn;
        std::vector<Client*> clients;
        for (int i = 0; i < 5; i++) clients.push_back(&subscriber(server, "ticker", &conn));
        const std::string message(bytes, 'm');
        const uint64_t before = server.stats().writes;
        for (int i = 0; i < 50; i++) CHECK(publish(server, "ticker", message) == 5);
        CHECK(server.stats().writes == before);  // nothing before the turn's end
        CHECK(wsd_server_poll(server, 0) == 1);
        CHECK(server.stats().writes == before + 5);
        for (Client* const client : clients) {
            for (int i = 0; i < 50; i++) REQUIRE(server.next(*client) == "text:" + message);
        }
    }
}

TEST_CASE("short messages that wait for a receiver share blocks") {
    TestServer server;
    server.start();
    wsd_conn conn;
    for (int i = 0; i < 100; i++) subscriber(server, "ticker", &conn);
    const uint64_t before = server.stats().allocations;
    for (int i = 0; i < 50; i++) CHECK(publish(server, "ticker", "a tick of 20 bytes..") == 100);
    CHECK(server.stats().allocations - before < 1000);  // far fewer than 5,000 messages
}

TEST_CASE("what waits for a hundred receivers is held once") {
    TestServer server;
    server.start();
    wsd_conn conn;
    for (int i = 0; i < 100; i++) subscriber(server, "film", &conn);
    const std::string message(100000, 'm');
    const uint64_t before = server.stats().memory_bytes;
    CHECK(publish(server, "film", message) == 100);
    CHECK(server.stats().memory_bytes < before + 2 * message.size());
    server.settle();
    CHECK(server.stats().queued_bytes == 0);
}

TEST_CASE("a published message is deflated once for each size of window, and heard with any parameters") {
    TestServer server;
    server.config.deflate = server.config.deflate_server_takeover = 1;
    server.start();
    struct Peer {
        Client* client;
        ZlibInflater inflater;
    };
    std::list<Peer> peers;
    for (const char* const offer : {"", "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                                    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n",
                                    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"}) {
        for (int i = 0; i < 3; i++) {
            wsd_conn conn;
            peers.emplace_back().client = &subscriber(server, "room", &conn, offer);
        }
    }
    uint64_t deflated = server.stats().deflated_count;
    for (const std::string& message : json_messages(5, 20000)) {
        CHECK(publish(server, "room", message) == 12);
        for (Peer& peer : peers) {
            Frame frame = server.next_frame(*peer.client);
            if (frame.first & 0x40) frame.payload = peer.inflater.message(frame.payload);
            CHECK((frame.payload == message));
        }
        CHECK(server.stats().deflated_count == deflated + 2);
        deflated = server.stats().deflated_count;
    }
}

TEST_CASE("a receiver that is behind is treated as the options say, and the others are served") {
    TestServer server;
    allow_little(server);
    server.start_narrow();
    wsd_conn slow, quick;
    Client& slow_client = subscriber(server, "room", &slow);
    Client& quick_client = subscriber(server, "room", &quick);
    slow_client.reading = false;
    fill(server, slow);

    wsd_publish_options options = {};
    CHECK(publish(server, "room", "refused", options) == 1);
    options.full = WSD_FULL_DROP;
    CHECK(publish(server, "room", "dropped", options) == 1);
    CHECK(server.stats().sends_dropped == 1);
    options.full = WSD_FULL_CLOSE;
    CHECK(publish(server, "room", "closes", options) == 1);
    for (const char* const heard : {"text:refused", "text:dropped", "text:closes"}) {
        CHECK(server.next(quick_client) == heard);
    }
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0].conn == slow);
    CHECK(server.closed[0].cause == WSD_CAUSE_SLOW);
    CHECK(publish(server, "room", "alone") == 1);
    CHECK(server.drained.empty());
}

TEST_CASE("of published values with one key a receiver that is behind gets the latest") {
    TestServer server;
    allow_little(server);
    server.config.send_high_count = 0;
    server.start_narrow();
    wsd_conn conn;
    Client& client = subscriber(server, "price", &conn);
    client.reading = false;
    const std::string ballast(60000, 'x');
    CHECK(wsd_send(server, conn, WSD_BINARY, ballast.data(), ballast.size()) == WSD_OK);
    server.settle();
    wsd_publish_options options = {};
    options.full = WSD_FULL_REPLACE;
    options.key = 7;
    for (int i = 0; i < 1000; i++) CHECK(publish(server, "price", "price " + std::to_string(i), options) == 1);
    CHECK(server.stats().sends_replaced == 999);
    client.reading = true;
    CHECK(server.next_frame(client).payload == ballast);
    CHECK(server.next(client) == "text:price 999");
    server.settle();
    CHECK(client.input.empty());
}

TEST_CASE("on_drain follows where a publish was refused") {
    TestServer server;
    allow_little(server);
    server.start_narrow();
    wsd_conn conn;
    Client& client = subscriber(server, "room", &conn);
    client.reading = false;
    fill(server, conn);
    CHECK(publish(server, "room", "refused") == 0);
    client.reading = true;
    REQUIRE(server.until([&] { return server.drained.size() == 1; }));
    CHECK(publish(server, "room", "welcome") == 1);
}

TEST_CASE("between the fragments of a message nothing published goes out") {
    TestServer server;
    server.start();
    wsd_conn conn;
    Client& client = subscriber(server, "room", &conn);
    CHECK(wsd_send_fragment(server, conn, WSD_TEXT, "a", 1, 0) == WSD_OK);
    CHECK(publish(server, "room", "not now") == 0);
    CHECK(wsd_send_fragment(server, conn, WSD_TEXT, "b", 1, 1) == WSD_OK);
    CHECK(publish(server, "room", "now") == 1);
    CHECK(server.next_frame(client).payload == "a");
    CHECK(server.next_frame(client).payload == "b");
    CHECK(server.next(client) == "text:now");
}

TEST_CASE("callbacks may subscribe, unsubscribe, publish and end connections") {
    TestServer server;
    server.on_open = [&](wsd_conn conn) {
        CHECK(wsd_subscribe(server, conn, name("lobby")) == WSD_OK);
        (void)publish(server, "lobby", "one more");
    };
    server.on_message = [&](wsd_conn conn, wsd_opcode, std::string_view message) {
        if (message == "leave") CHECK(wsd_unsubscribe(server, conn, name("lobby")) == WSD_OK);
        if (message == "abort all") {
            for (const wsd_conn each : server.opened) (void)wsd_abort(server, each);
        }
        (void)publish(server, "lobby", message);
    };
    server.on_close = [&](const Closed& closed) {
        CHECK(wsd_subscribe(server, closed.conn, name("grave")) == WSD_E_CLOSED);
        (void)publish(server, "lobby", "one less");
    };
    server.start();
    Client& a = server.open();
    Client& b = server.open();
    Client& c = server.open();
    for (int i = 0; i < 3; i++) CHECK(server.next(a) == "text:one more");
    b.send(text("leave"));
    CHECK(server.next(a) == "text:leave");
    c.reset();
    CHECK(server.next(a) == "text:one less");
    a.send(text("abort all"));
    REQUIRE(server.until([&] { return server.closed.size() == 3; }));
    CHECK(server.stats().subscriptions_active == 0);
}

TEST_CASE("receivers that are lost by the write itself do not disturb the others") {
    TestServer server;
    allow_little(server);
    server.config.send_high_bytes = server.config.send_low_bytes = 1;  // each publish writes at once
    server.start();
    wsd_conn conn;
    std::vector<Client*> clients;
    for (int i = 0; i < 6; i++) clients.push_back(&subscriber(server, "room", &conn));
    for (const size_t lost : {0, 3, 5}) clients[lost]->reset();
    for (int i = 0; i < 10; i++) (void)publish(server, "room", "hello");
    REQUIRE(server.until([&] { return server.closed.size() == 3; }));
    CHECK(publish(server, "room", "bye") == 3);
    for (const size_t kept : {1, 2, 4}) CHECK(server.next(*clients[kept]) == "text:hello");
}

TEST_CASE("what was published before a drain reaches everybody before the close") {
    TestServer server;
    server.start();
    wsd_conn conn;
    Client& a = subscriber(server, "room", &conn);
    Client& b = subscriber(server, "room", &conn);
    CHECK(publish(server, "room", "last words") == 2);
    CHECK(wsd_server_drain(server, 1000) == WSD_OK);
    CHECK(publish(server, "room", "too late") == 0);
    for (Client* const client : {&a, &b}) {
        CHECK(server.next(*client) == "text:last words");
        CHECK(server.next(*client) == "close:1001");
    }
}
