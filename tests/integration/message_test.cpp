// Messages in and out again: every size at which a header changes its form, every limit, every cut (§5.2, §5.4, §10.4).
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

// A payload in which no two neighbouring stretches are alike, of ASCII.
std::string pattern(size_t bytes) {
    std::string text(bytes, '\0');
    for (size_t i = 0; i < bytes; i++) text[i] = char('!' + (i * 7 + i / 251) % 94);
    return text;
}

}  // namespace

TEST_CASE("a message of any size comes back as it was sent") {
    TestServer server;
    server.start();
    Client& client = server.open();
    for (const size_t size : {0, 1, 125, 126, 127, 65535, 65536, 262130, 262144, 1 << 20, 5000003}) {
        for (const bool is_text : {false, true}) {
            CAPTURE(size);
            CAPTURE(is_text);
            const std::string payload = pattern(size);
            client.send(is_text ? text(payload) : binary(payload));
            const Frame echo = server.next_frame(client);
            CHECK(echo.first == (is_text ? 0x81 : 0x82));
            CHECK((echo.payload == payload));  // not printed
        }
    }
    CHECK(server.stats().messages_in == 22);
    CHECK(server.stats().messages_out == 22);
}

TEST_CASE("a message is the same however it is cut, by the network or by its sender") {
    TestServer server;
    server.start();
    Client& client = server.open();
    const std::string payload = pattern(300);
    for (size_t cut = 0; cut <= payload.size(); cut += cut < 20 ? 1 : 40) {
        const std::string wire = frame(0x01, payload.substr(0, cut)) + frame(0x80, payload.substr(cut));
        client.send(wire);
        CHECK(server.next(client) == "text:" + payload);
        client.send(text(payload).substr(0, cut));
        server.turn();
        client.send(text(payload).substr(cut));
        CHECK(server.next(client) == "text:" + payload);
        server.drip(client, wire);
        CHECK(server.next(client) == "text:" + payload);
    }
}

TEST_CASE("many messages in one segment keep their order") {
    TestServer server;
    server.start();
    Client& client = server.open();
    std::string wire;
    for (int i = 0; i < 5000; i++) wire += text(std::to_string(i));
    client.send(wire);
    for (int i = 0; i < 5000; i++) CHECK(server.next(client) == "text:" + std::to_string(i));
}

TEST_CASE("control frames between fragments are answered at once and leave the message whole") {
    TestServer server;
    server.start();
    Client& client = server.open();
    const std::string wire = frame(0x01, "a") + ping("1") + frame(0x00, "b") + pong("unasked") + frame(0x00, "") +
                             ping("2") + frame(0x80, "c");
    for (const bool dripped : {false, true}) {
        if (dripped) {
            server.drip(client, wire);
        } else {
            client.send(wire);
        }
        CHECK(server.next(client) == "pong:1");
        CHECK(server.next(client) == "pong:2");
        CHECK(server.next(client) == "text:abc");
    }
    CHECK(server.pongs.empty());  // an unsolicited pong is nobody's
}

TEST_CASE("a ping is answered with its payload, of 0 to 125 bytes") {
    TestServer server;
    server.start();
    Client& client = server.open();
    for (const size_t size : {0, 1, 124, 125}) {
        client.send(ping(pattern(size)));
        CHECK(server.next(client) == "pong:" + pattern(size));
    }
}

TEST_CASE("a message of exactly message_max_bytes is taken, one byte more is 1009, in one frame or in several") {
    for (const int over : {0, 1}) {
        for (const size_t fragment : {1000, 999, 500, 1}) {
            CAPTURE(over);
            CAPTURE(fragment);
            TestServer server;
            server.config.message_max_bytes = 1000;
            server.start();
            Client& client = server.open();
            const std::string payload = pattern(size_t(1000 + over));
            for (size_t at = 0; at < payload.size(); at += fragment) {
                const bool final = at + fragment >= payload.size();
                const int opcode = at == 0 ? 1 : 0;
                client.send(frame(uint8_t((final ? 0x80 : 0) | opcode), payload.substr(at, fragment)));
            }
            if (over) {
                CHECK(server.rest(client) == "close:1009 end");
                REQUIRE(server.closed.size() <= 1);
                client.close();
                CHECK(server.until([&] { return server.closed.size() == 1; }));
                CHECK(server.closed[0].cause == WSD_CAUSE_POLICY);
                CHECK(server.closed[0].error == WSD_E_MESSAGE_TOO_LARGE);
            } else {
                CHECK(server.next(client) == "text:" + payload);
            }
        }
    }
}

TEST_CASE("a frame over a limit is refused by its header, before its payload is sent") {
    const struct {
        uint64_t message_max_bytes, frame_max_bytes, declared;
        int error;
    } rows[] = {
        {1000, 5000, 1001, WSD_E_MESSAGE_TOO_LARGE},
        {5000, 1000, 1001, WSD_E_FRAME_TOO_LARGE},
        {16 << 20, 16 << 20, (16 << 20) + 1, WSD_E_FRAME_TOO_LARGE},
        {16 << 20, 16 << 20, UINT64_MAX >> 1, WSD_E_FRAME_TOO_LARGE},
    };
    for (const auto& row : rows) {
        TestServer server;
        server.config.message_max_bytes = row.message_max_bytes;
        server.config.frame_max_bytes = row.frame_max_bytes;
        server.start();
        Client& client = server.open();
        client.send(header(0x82, row.declared));
        CHECK(server.rest(client) == "close:1009 end");
        client.close();
        CHECK(server.until([&] { return server.closed.size() == 1; }));
        CHECK(server.closed[0].error == row.error);
    }
}

TEST_CASE("a message of more frames than fragment_max_count is 1008") {
    for (const int over : {0, 1}) {
        TestServer server;
        server.config.fragment_max_count = 4;
        server.start();
        Client& client = server.open();
        client.send(frame(0x01, "a"));
        for (int i = 0; i < 2 + over; i++) client.send(frame(0x00, ""));
        client.send(frame(0x80, "b"));
        if (over) {
            CHECK(server.rest(client) == "close:1008 end");
            client.close();
            CHECK(server.until([&] { return server.closed.size() == 1; }));
            CHECK(server.closed[0].cause == WSD_CAUSE_POLICY);
            CHECK(server.closed[0].error == WSD_E_FRAGMENT_LIMIT);
        } else {
            CHECK(server.next(client) == "text:ab");
        }
    }
}

TEST_CASE("memory grows with what has come, not with what was declared") {
    TestServer server;
    server.start();
    Client& client = server.open();
    const size_t before = server.memory.live_bytes;
    client.send(header(0x82, 16 << 20) + std::string(10, 'x'));
    server.settle();
    CHECK(server.memory.live_bytes - before < 64 * 1024);
    client.send(std::string(1 << 20, 'x'));
    server.settle();
    CHECK(server.memory.live_bytes - before < 4 << 20);
    client.close();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    server.pass(10000);  // large blocks rest for a while before they are given back
    CHECK(server.memory.live_bytes <= before);
}

TEST_CASE("a connection at rest holds no memory but its slot") {
    TestServer server;
    server.start();
    server.open();
    server.settle();
    const size_t before = server.memory.live_bytes;
    for (int i = 0; i < 20; i++) server.open().send(frame(0x01, "a") + ping("x") + frame(0x80, std::string(5000, 'b')));
    server.settle();
    CHECK(server.memory.live_bytes == before);  // the first connection's slab has room for all
}

TEST_CASE("every kernel that this CPU runs delivers the same") {
    for (const char* name : {"scalar", "ssse3", "avx2", "avx512", "neon"}) {
        TestServer server;
        server.config.kernels = name;
        if (wsd_config_invalid(&server.config)) continue;
        server.start();
        CHECK(std::string(wsd_kernels(server)) == name);
        Client& client = server.open();
        std::string payload;
        while (payload.size() < 70000) payload += "K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x98\x80 " + pattern(97);
        client.send(text(payload));
        CHECK((server.next_frame(client).payload == payload));
        payload[65000] = '\xff';
        client.send(text(payload));
        CHECK(server.rest(client) == "close:1007 end");
    }
}

TEST_CASE("a message that nobody takes is received all the same") {
    TestServer server;
    server.callbacks.on_message = nullptr;
    server.start();
    Client& client = server.open();
    client.send(text("a") + frame(0x01, "b") + frame(0x80, "c") + ping("still here"));
    CHECK(server.next(client) == "pong:still here");
    CHECK(server.stats().messages_in == 2);
}
