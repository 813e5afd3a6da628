// Sending to a peer that does not read: what is queued, what is refused, and what each policy makes of a full queue.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

// One connection of a server with small socket buffers, to a client that does not read for now.
struct Stalled : TestServer {
    explicit Stalled(size_t high_bytes, uint32_t high_count = 0) {
        config.send_high_bytes = high_bytes;
        config.send_low_bytes = high_bytes / 2;
        config.send_high_count = high_count;
        start_narrow();
        client = &open(&conn);
        client->reading = false;
        received_before = client->received;
        sent_before = stats().bytes_out;
    }

    int send(std::string_view payload, wsd_full full = WSD_FULL_REFUSE, uint64_t key = 0) {
        const wsd_send_options options = {sizeof options, full, key, 0};
        return wsd_send_with(*this, conn, WSD_TEXT, payload.data(), payload.size(), &options);
    }

    // Fills the kernel's buffers, until the queue has something that stays there.
    void fill_kernel() {
        const std::string payload(1000, 'k');
        for (;;) {
            while (wsd_buffered(*this, conn) == 0) {
                REQUIRE(send(payload) == WSD_OK);
                turn();
            }
            settle();
            if (wsd_buffered(*this, conn) > 0) return;
        }
    }

    // Reads on, past what fill_kernel() sent.
    std::string next_message() {
        client->reading = true;
        const std::string filler = "text:" + std::string(1000, 'k');
        std::string words;
        do words = next(*client);
        while (words == filler);
        return words;
    }

    Client* client = nullptr;
    wsd_conn conn = 0;
    size_t received_before = 0;
    uint64_t sent_before = 0;
};

}  // namespace

TEST_CASE("wsd_buffered is what was accepted less what the kernel took, to the byte") {
    for (const size_t size : {10, 1000, 20000}) {
        CAPTURE(size);
        Stalled server(1 << 20);
        const std::string payload(size, 'x');
        size_t accepted = 0;
        int result = WSD_OK;
        while ((result = server.send(payload)) == WSD_OK) {
            accepted += frame_bytes(size);
            if (accepted % 7 == 0) server.turn();
        }
        CHECK(result == WSD_E_AGAIN);
        CHECK(wsd_buffered(server, server.conn) >= 1 << 20);
        server.settle();  // the kernel may take a little more
        const size_t buffered = wsd_buffered(server, server.conn);
        CHECK(buffered == accepted - (server.stats().bytes_out - server.sent_before));
        CHECK(buffered == server.stats().queued_bytes);
        CHECK(buffered == server.info(server.conn).buffered_bytes);
        CHECK(wsd_abort(server, server.conn) == WSD_OK);
        CHECK(wsd_buffered(server, server.conn) <= buffered);
        server.client->reading = true;
        CHECK(server.until([&] { return server.client->ended; }));
        CHECK(server.client->received - server.received_before == accepted - buffered);
        CHECK(server.stats().queued_bytes == 0);
    }
}

TEST_CASE("WSD_E_AGAIN queues nothing, and the message before it was taken whole") {
    Stalled server(100000);
    server.fill_kernel();
    CHECK(server.send(std::string(3000000, 'l')) == WSD_OK);  // below its marks a queue takes any length
    const size_t buffered = wsd_buffered(server, server.conn);
    CHECK(server.send("no") == WSD_E_AGAIN);
    CHECK(server.send(std::string(100000, 'n')) == WSD_E_AGAIN);
    CHECK(wsd_send_fragment(server, server.conn, WSD_TEXT, "no", 2, 0) == WSD_E_AGAIN);
    CHECK(wsd_buffered(server, server.conn) == buffered);
    CHECK(server.stats().sends_refused == 3);
    CHECK((server.next_message() == "text:" + std::string(3000000, 'l')));
    CHECK(server.until([&] { return server.drained.size() == 1; }));
    CHECK(server.send("yes") == WSD_OK);
    CHECK(server.next(*server.client) == "text:yes");
}

TEST_CASE("on_drain comes once for each crossing, when the queue has fallen to the low mark") {
    for (const bool refused : {true, false}) {
        CAPTURE(refused);
        Stalled server(200000);
        size_t buffered_then = 0;
        server.on_drain = [&](wsd_conn conn) { buffered_then = wsd_buffered(server, conn); };
        for (size_t crossing = 1; crossing <= 3; crossing++) {
            server.client->reading = false;
            // Without a refusal, too: a sender may watch wsd_buffered() instead.
            while (wsd_buffered(server, server.conn) < 200000) CHECK(server.send(std::string(5000, 'x')) == WSD_OK);
            for (int i = 0; refused && i < 5; i++) CHECK(server.send("no") == WSD_E_AGAIN);
            server.settle();
            CHECK(server.drained.size() == crossing - 1);
            server.client->reading = true;
            server.settle();
            CHECK(server.drained.size() == crossing);
            CHECK(buffered_then <= 100000);
        }
    }
}

TEST_CASE("a queue that is full by its number of messages drains when that has fallen") {
    Stalled server(1 << 20, 10);
    server.fill_kernel();
    int taken = 0;
    while (server.send("m") == WSD_OK) taken++;
    CHECK(taken <= 10);
    server.settle();
    CHECK(server.drained.empty());  // few bytes wait, but a send would still be refused
    CHECK(server.send("no") == WSD_E_AGAIN);
    server.client->reading = true;
    server.settle();
    CHECK(server.drained.size() == 1);
    CHECK(server.send("yes") == WSD_OK);
}

TEST_CASE("a producer that goes on from on_drain delivers everything in order") {
    TestServer server;
    server.config.send_high_bytes = 50000;
    server.config.send_low_bytes = 10000;
    int next = 0;
    const auto produce = [&](wsd_conn conn) {
        while (next < 20000) {
            const std::string payload = std::to_string(next);
            const int result = wsd_send(server, conn, WSD_TEXT, payload.data(), payload.size());
            if (result == WSD_E_AGAIN) return;
            CHECK(result == WSD_OK);
            next++;
        }
    };
    server.on_open = produce;
    server.on_drain = produce;
    server.start_narrow();
    Client& client = server.open();
    bool in_order = true;
    for (int i = 0; i < 20000; i++) in_order &= server.next(client) == "text:" + std::to_string(i);
    CHECK(in_order);
}

TEST_CASE("WSD_FULL_DROP drops what finds the queue full and nothing else") {
    Stalled server(10000);
    server.fill_kernel();
    CHECK(server.send(std::string(10000, 'a'), WSD_FULL_DROP) == WSD_OK);
    const size_t buffered = wsd_buffered(server, server.conn);
    CHECK(server.send("dropped", WSD_FULL_DROP) == WSD_OK);
    CHECK(wsd_buffered(server, server.conn) == buffered);
    CHECK(server.stats().sends_dropped == 1);
    CHECK(server.next_message() == "text:" + std::string(10000, 'a'));
    server.settle();
    CHECK(server.send("after", WSD_FULL_DROP) == WSD_OK);
    CHECK(server.next(*server.client) == "text:after");
}

TEST_CASE("WSD_FULL_REPLACE lets the latest value wait in the place of the earlier one") {
    Stalled server(50000);
    server.fill_kernel();
    CHECK(server.send("one v1", WSD_FULL_REPLACE, 1) == WSD_OK);
    CHECK(server.send("between") == WSD_OK);
    CHECK(server.send("two v1", WSD_FULL_REPLACE, 2) == WSD_OK);
    CHECK(server.send("one v2, which is longer", WSD_FULL_REPLACE, 1) == WSD_OK);
    while (server.send(std::string(5000, 'f')) == WSD_OK) continue;
    CHECK(server.send("two v2", WSD_FULL_REPLACE, 2) == WSD_OK);  // full, but its place is there
    CHECK(server.send("three", WSD_FULL_REPLACE, 3) == WSD_E_AGAIN);
    CHECK(server.stats().sends_replaced == 2);
    CHECK(server.next_message() == "text:one v2, which is longer");
    CHECK(server.next(*server.client) == "text:between");
    CHECK(server.next(*server.client) == "text:two v2");
    server.settle();
    server.client->input.clear();
    CHECK(server.send("three", WSD_FULL_REPLACE, 3) == WSD_OK);
    CHECK(server.next(*server.client) == "text:three");
}

TEST_CASE("a message of which a byte is out is not replaced") {
    Stalled server(10 << 20);
    const std::string first(1000000, '1');
    CHECK(server.send(first, WSD_FULL_REPLACE, 9) == WSD_OK);
    server.settle();
    CHECK(server.send("second", WSD_FULL_REPLACE, 9) == WSD_OK);
    CHECK(server.send("third", WSD_FULL_REPLACE, 9) == WSD_OK);
    CHECK((server.next_message() == "text:" + first));
    CHECK(server.next(*server.client) == "text:third");
    CHECK(server.stats().sends_replaced == 1);
}

TEST_CASE("a message with a key stays behind those sent before it in the same callback") {
    for (const size_t size : {10, 20000}) {
        CAPTURE(size);
        TestServer server;
        server.config.send_high_bytes = 10 << 20;
        server.config.send_high_count = 0;
        server.on_message = [&](wsd_conn conn, wsd_opcode, std::string_view) {
            const wsd_send_options options = {sizeof options, WSD_FULL_REPLACE, 5, 0};
            for (char c = 'a'; c <= 'o'; c++) {
                const std::string small(10000, c);
                CHECK(wsd_send(server, conn, WSD_TEXT, small.data(), small.size()) == WSD_OK);
            }
            const std::string keyed(size, 'K');
            CHECK(wsd_send_with(server, conn, WSD_TEXT, keyed.data(), size, &options) == WSD_OK);
            CHECK(wsd_send(server, conn, WSD_TEXT, "last", 4) == WSD_OK);
        };
        server.start_narrow();
        Client& client = server.open();
        client.reading = false;
        client.send(text("go"));
        server.settle();
        client.reading = true;
        for (char c = 'a'; c <= 'o'; c++) CHECK(server.next(client) == "text:" + std::string(10000, c));
        CHECK(server.next(client) == "text:" + std::string(size, 'K'));
        CHECK(server.next(client) == "text:last");
    }
}

TEST_CASE("WSD_FULL_CLOSE ends the connection, and not one byte more is sent") {
    Stalled server(20000);
    size_t accepted = 0;
    while (wsd_buffered(server, server.conn) < 20000) {
        CHECK(server.send(std::string(5000, 'x'), WSD_FULL_CLOSE) == WSD_OK);
        accepted += frame_bytes(5000);
    }
    const size_t buffered = wsd_buffered(server, server.conn);
    CHECK(server.send("too much", WSD_FULL_CLOSE) == WSD_E_CLOSED);
    CHECK(server.send("dead", WSD_FULL_CLOSE) == WSD_E_CLOSED);
    server.client->reading = true;
    CHECK(server.until([&] { return server.client->ended; }));
    CHECK(server.client->received - server.received_before == accepted - buffered);
    CHECK(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_SLOW);
    CHECK(server.closed[0].error == WSD_E_AGAIN);
    CHECK(server.closed[0].code == 1006);
}

TEST_CASE("a prepared message follows the same policies") {
    Stalled server(20000);
    wsd_prepared* one = nullptr;
    wsd_prepared* two = nullptr;
    REQUIRE(wsd_prepare(server, WSD_TEXT, "one", 3, &one) == WSD_OK);
    REQUIRE(wsd_prepare(server, WSD_TEXT, "two", 3, &two) == WSD_OK);
    server.fill_kernel();
    const wsd_send_options replace = {sizeof replace, WSD_FULL_REPLACE, 1, 0};
    const wsd_send_options drop = {sizeof drop, WSD_FULL_DROP, 0, 0};
    CHECK(wsd_send_prepared(server, server.conn, one, &replace) == WSD_OK);
    while (server.send(std::string(5000, 'f')) == WSD_OK) continue;
    CHECK(wsd_send_prepared(server, server.conn, one, nullptr) == WSD_E_AGAIN);
    CHECK(wsd_send_prepared(server, server.conn, one, &drop) == WSD_OK);
    CHECK(wsd_send_prepared(server, server.conn, two, &replace) == WSD_OK);
    wsd_prepared_release(one);
    wsd_prepared_release(two);
    CHECK(server.next_message() == "text:two");
    CHECK(server.next(*server.client) == "text:" + std::string(5000, 'f'));
}

TEST_CASE("publishes are counted one by one in a queue of which the kernel took a part") {
    constexpr uint32_t kMost = 100;
    Stalled server(SIZE_MAX, kMost);
    REQUIRE(wsd_subscribe(server, server.conn, wsd_str_of("topic")) == WSD_OK);
    const auto publish = [&] {
        return wsd_publish(server, wsd_str_of("topic"), WSD_TEXT, "twenty bytes of text", 20, nullptr);
    };
    // Until the kernel's cut falls between the publishes of one turn.
    for (int tries = 0; tries < 100000; tries++) {
        for (uint32_t i = 0; i < kMost - 1; i++) REQUIRE(publish() == 1);
        const size_t offered = wsd_buffered(server, server.conn);
        server.turn();
        const size_t left = wsd_buffered(server, server.conn);
        if (left > 0 && left < offered) break;
        REQUIRE(left == 0);
    }
    const size_t waiting = wsd_buffered(server, server.conn);
    REQUIRE(waiting > 0);
    const size_t units = (waiting + frame_bytes(20) - 1) / frame_bytes(20);
    for (size_t i = units; i < kMost; i++) CHECK(publish() == 1);
    CHECK(publish() == 0);
}

TEST_CASE("a peer that pings and does not read costs a bounded queue, and is owed the last pong") {
    Stalled server(1 << 20);
    const size_t before = server.memory.live_bytes;
    std::string pings;
    for (int i = 0; i < 1000; i++) pings += ping(std::string(120, 'p'));
    for (int i = 0; i < 100; i++) {
        server.client->send(pings);
        server.settle();
    }
    server.client->send(ping("last"));
    CHECK(server.until([&] { return !server.client->unsent(); }));
    server.settle();
    CHECK(server.stats().pings_in == 100001);
    CHECK(server.memory.live_bytes - before < 600000);
    server.client->reading = true;
    std::string words;
    do words = server.next(*server.client);
    while (words == "pong:" + std::string(120, 'p'));
    CHECK(words == "pong:last");
}

TEST_CASE("an answer longer than a small high mark leaves the mark in force for what on_open sends") {
    TestServer server;
    server.config.send_high_bytes = 50;
    server.config.send_low_bytes = 0;
    int refused = 0;
    server.on_open = [&](wsd_conn conn) {
        for (int i = 0; i < 100000; i++) refused += wsd_send(server, conn, WSD_TEXT, "0123456789", 10) == WSD_E_AGAIN;
    };
    server.start_narrow();
    Client& client = server.connect();
    client.reading = false;
    client.send(upgrade_request());
    CHECK(server.until([&] { return !server.opened.empty(); }));
    CHECK(refused > 0);
    CHECK(wsd_buffered(server, server.opened[0]) < 100);
}
