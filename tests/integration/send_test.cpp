// Sending to a peer that reads: fragments, prepared messages, pings, and echoes of the very memory that was delivered.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

int send(TestServer& server, wsd_conn conn, std::string_view payload) {
    return wsd_send(server, conn, WSD_TEXT, payload.data(), payload.size());
}

int send_fragment(TestServer& server, wsd_conn conn, std::string_view payload, bool final) {
    return wsd_send_fragment(server, conn, WSD_TEXT, payload.data(), payload.size(), final);
}

}  // namespace

TEST_CASE("what is sent between turns needs no event to go out") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    server.settle();
    CHECK(wsd_server_timeout(server) != 0);
    CHECK(send(server, conn, "hi") == WSD_OK);
    CHECK(wsd_server_timeout(server) == 0);
    CHECK(server.next(client) == "text:hi");
    CHECK(wsd_abort(server, conn) == WSD_OK);
    CHECK(wsd_server_timeout(server) == 0);
    CHECK(server.rest(client) == "end");
    CHECK(server.closed.size() == 1);
}

TEST_CASE("sends of every size in one callback keep their order") {
    const size_t sizes[] = {0, 5, 20000, 7, 16384, 16383, 300000, 1, 100000, 100, 2000000, 3};
    for (const size_t high : {size_t(1), size_t(100), size_t(64) << 20}) {
        TestServer server;
        server.config.send_high_bytes = high;
        server.config.send_low_bytes = 0;
        size_t next = 0;
        const auto go_on = [&](wsd_conn conn) {
            while (next < 10 * std::size(sizes)) {
                const std::string payload(sizes[next % std::size(sizes)], char('a' + next % 26));
                const int result = send(server, conn, payload);
                if (result == WSD_E_AGAIN) return;
                CHECK(result == WSD_OK);
                next++;
            }
        };
        server.on_open = go_on;
        server.on_drain = go_on;
        server.start();
        Client& client = server.open();
        for (size_t i = 0; i < 10 * std::size(sizes); i++) {
            CAPTURE(i);
            const std::string want(sizes[i % std::size(sizes)], char('a' + i % 26));
            CHECK((server.next_frame(client).payload == want));
        }
    }
}

TEST_CASE("a fragmented message goes out frame by frame, with pings and pongs between and no other message") {
    TestServer server;
    wsd_prepared* prepared = nullptr;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    REQUIRE(wsd_prepare(server, WSD_TEXT, "p", 1, &prepared) == WSD_OK);
    CHECK(wsd_send_fragment(server, conn, wsd_opcode(0), "x", 1, 0) == WSD_E_INVALID);
    CHECK(send_fragment(server, conn, "a", false) == WSD_OK);
    CHECK(wsd_ping(server, conn, "ping", 4) == WSD_OK);
    CHECK(send(server, conn, "x") == WSD_E_INVALID);
    CHECK(wsd_send_prepared(server, conn, prepared, nullptr) == WSD_E_INVALID);
    CHECK(wsd_send_fragment(server, conn, wsd_opcode(0), "b", 1, 0) == WSD_OK);
    client.send(ping("asked"));
    server.settle();
    CHECK(send_fragment(server, conn, "", true) == WSD_OK);
    CHECK(wsd_send_prepared(server, conn, prepared, nullptr) == WSD_OK);
    for (const char* want : {"text+:a", "ping:ping", "more+:b", "pong:asked", "more:", "text:p"}) {
        CHECK(server.next(client) == want);
    }
    wsd_prepared_release(prepared);
}

TEST_CASE("a close may end a fragmented message") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(send_fragment(server, conn, "a", false) == WSD_OK);
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    CHECK(send_fragment(server, conn, "b", true) == WSD_E_CLOSED);
    client.send(bye(1000));
    CHECK(server.rest(client) == "text+:a close:1000 end");
}

TEST_CASE("a prepared message reaches many, and outlives its release while queues refer to it") {
    TestServer server;
    server.start();
    std::vector<Client*> clients;
    for (int i = 0; i < 20; i++) clients.push_back(&server.open());
    for (const size_t size : {0, 10, 70000, 3000000}) {
        const std::string payload(size, 'p');
        wsd_prepared* prepared = nullptr;
        REQUIRE(wsd_prepare(server, WSD_BINARY, payload.data(), payload.size(), &prepared) == WSD_OK);
        for (const wsd_conn conn : server.opened) CHECK(wsd_send_prepared(server, conn, prepared, nullptr) == WSD_OK);
        wsd_prepared_release(prepared);
        for (Client* client : clients) {
            const Frame frame = server.next_frame(*client);
            CHECK(frame.first == 0x82);
            CHECK((frame.payload == payload));
        }
    }
    wsd_prepared_release(nullptr);
}

TEST_CASE("a prepared message is held once, however many queues it waits in") {
    TestServer server;
    server.config.send_high_bytes = 64 << 20;
    server.start_narrow();
    for (int i = 0; i < 30; i++) server.open().reading = false;
    const std::string payload(1 << 20, 'p');
    const size_t before = server.memory.live_bytes;
    wsd_prepared* prepared = nullptr;
    REQUIRE(wsd_prepare(server, WSD_BINARY, payload.data(), payload.size(), &prepared) == WSD_OK);
    for (const wsd_conn conn : server.opened) CHECK(wsd_send_prepared(server, conn, prepared, nullptr) == WSD_OK);
    server.settle();
    CHECK(server.stats().queued_bytes > 20u << 20);
    CHECK(server.memory.live_bytes - before < 2 << 20);
    wsd_prepared_release(prepared);
    for (const wsd_conn conn : server.opened) CHECK(wsd_abort(server, conn) == WSD_OK);
    server.pass(1000);  // for so long its block rests for another
    CHECK(server.memory.live_bytes <= before);
}

TEST_CASE("the delivered memory may be sent on, in part, twice and to others, and stays as it was") {
    // Narrow, a large message comes in pieces; else it lies whole in the receive buffer, its header in front of it.
    for (const bool narrow : {true, false}) {
        for (const bool reads : {true, false}) {
            for (const size_t size : {100, 20000, 100000, 1000000}) {
                CAPTURE(narrow);
                CAPTURE(reads);
                CAPTURE(size);
                TestServer server;
                server.config.send_high_bytes = 64 << 20;
                server.on_message = [&](wsd_conn, wsd_opcode opcode, std::string_view data) {
                    const std::string as_it_came(data);
                    for (const wsd_conn to : server.opened) {
                        CHECK(wsd_send(server, to, opcode, data.data(), data.size()) == WSD_OK);
                        CHECK(wsd_send(server, to, opcode, data.data(), data.size() - 7) == WSD_OK);
                        CHECK(wsd_send(server, to, opcode, data.data() + 7, data.size() - 7) == WSD_OK);
                    }
                    CHECK((data == as_it_came));
                };
                narrow ? server.start_narrow() : server.start();
                Client& one = server.open();
                Client& two = server.open();
                one.reading = two.reading = reads;
                std::string payload(size, 'x');
                for (size_t i = 0; i < size; i += 100) payload[i] = char('a' + i / 100 % 26);
                one.send(text(payload));
                CHECK(server.until([&] { return server.messages.size() == 1; }));
                two.send(text("overwrite what was delivered before"));
                CHECK(server.until([&] { return server.messages.size() == 2; }));
                one.reading = two.reading = true;
                for (Client* client : {&one, &two}) {
                    CHECK((server.next_frame(*client).payload == payload));
                    CHECK((server.next_frame(*client).payload == payload.substr(0, size - 7)));
                    CHECK((server.next_frame(*client).payload == payload.substr(7)));
                    CHECK(server.next(*client) == "text:overwrite what was delivered before");
                    CHECK(server.next(*client) == "text:overwrite what was delivered");
                    CHECK(server.next(*client) == "text:te what was delivered before");
                }
            }
        }
    }
}

TEST_CASE("arguments out of range are refused before anything is queued") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    const std::string long_text(126, 'x');
    const wsd_send_options options = {sizeof options, WSD_FULL_REPLACE, 0, 0};
    CHECK(wsd_send(server, conn, wsd_opcode(0), "x", 1) == WSD_E_INVALID);
    CHECK(wsd_send(server, conn, wsd_opcode(3), "x", 1) == WSD_E_INVALID);
    CHECK(wsd_send(server, conn, WSD_TEXT, nullptr, 1) == WSD_E_INVALID);
    CHECK(wsd_send(nullptr, conn, WSD_TEXT, "x", 1) == WSD_E_INVALID);
    CHECK(wsd_send_with(server, conn, WSD_TEXT, "x", 1, &options) == WSD_E_INVALID);  // a key of 0
    CHECK(wsd_send_prepared(server, conn, nullptr, nullptr) == WSD_E_INVALID);
    CHECK(wsd_prepare(server, WSD_TEXT, "x", 1, nullptr) == WSD_E_INVALID);
    CHECK(wsd_ping(server, conn, long_text.data(), 126) == WSD_E_INVALID);
    for (const int code : {1, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
        CAPTURE(code);
        CHECK(wsd_close(server, conn, uint16_t(code), nullptr, 0) == WSD_E_INVALID);
    }
    CHECK(wsd_close(server, conn, 0, "x", 1) == WSD_E_INVALID);  // a reason needs a code
    CHECK(wsd_close(server, conn, 1000, "\xff", 1) == WSD_E_INVALID);
    CHECK(wsd_close(server, conn, 1000, long_text.data(), 124) == WSD_E_INVALID);
    CHECK(wsd_close(server, conn, 1000, long_text.data(), 123) == WSD_OK);
    client.send(bye(1000));
    CHECK(server.rest(client) == "close:1000 " + long_text.substr(0, 123) + " end");
}

TEST_CASE("of send options no more is read than their size says") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    wsd_send_options options = {0, wsd_full(99), 7, 1};
    const auto answer = [&](size_t size) {
        options.size = size;
        return wsd_send_with(server, conn, WSD_TEXT, "x", 1, &options);
    };
    CHECK(answer(0) == WSD_E_INVALID);
    CHECK(answer(offsetof(wsd_send_options, full)) == WSD_OK);
    options.full = WSD_FULL_REPLACE;
    CHECK(answer(offsetof(wsd_send_options, key)) == WSD_E_INVALID);  // without its key
    CHECK(answer(offsetof(wsd_send_options, plain)) == WSD_OK);
    CHECK(server.next(client) == "text:x");
    CHECK(server.next(client) == "text:x");
}

TEST_CASE("a name that names nothing is WSD_E_CLOSED, and never another connection") {
    TestServer server;
    server.start();
    wsd_conn old = 0;
    server.open(&old).close();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    wsd_conn fresh = 0;
    Client& client = server.open(&fresh);
    CHECK(uint32_t(old) == uint32_t(fresh));  // the slot is used again
    CHECK(old != fresh);
    for (const wsd_conn dead : {old, wsd_conn(0), ~wsd_conn(0), fresh + 1, fresh + (wsd_conn(1) << 32)}) {
        wsd_prepared* prepared = nullptr;
        wsd_conn_info info = {};
        info.size = sizeof info;
        REQUIRE(wsd_prepare(server, WSD_TEXT, "x", 1, &prepared) == WSD_OK);
        CHECK(send(server, dead, "x") == WSD_E_CLOSED);
        CHECK(send_fragment(server, dead, "x", true) == WSD_E_CLOSED);
        CHECK(wsd_send_prepared(server, dead, prepared, nullptr) == WSD_E_CLOSED);
        CHECK(wsd_ping(server, dead, "", 0) == WSD_E_CLOSED);
        CHECK(wsd_close(server, dead, 1000, nullptr, 0) == WSD_E_CLOSED);
        CHECK(wsd_abort(server, dead) == WSD_E_CLOSED);
        CHECK(wsd_pause(server, dead) == WSD_E_CLOSED);
        CHECK(wsd_resume(server, dead) == WSD_E_CLOSED);
        CHECK(wsd_accept(server, dead, nullptr, nullptr, 0) == WSD_E_CLOSED);
        CHECK(wsd_respond(server, dead, 200, nullptr, 0, nullptr, 0) == WSD_E_CLOSED);
        CHECK(wsd_set_user(server, dead, nullptr) == WSD_E_CLOSED);
        CHECK(wsd_user(server, dead) == nullptr);
        CHECK(wsd_buffered(server, dead) == 0);
        CHECK(wsd_conn_info_get(server, dead, &info) == WSD_E_CLOSED);
        wsd_prepared_release(prepared);
    }
    client.send(text("alive"));
    CHECK(server.next(client) == "text:alive");
}
