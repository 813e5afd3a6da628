// Every rule that a peer can break, with the exact close code that answers it, seen on the wire: one close frame, then
// the end of the stream. Each row is sent whole and again a byte at a time.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace std::string_literals;
using namespace test;

namespace {

struct Row {
    const char* section;
    const char* what;
    std::string wire;
    const char* told;  // all that the peer is sent
    int error;
};

std::string with_length(uint8_t first, std::string_view length, std::string_view payload = {}) {
    return std::string(1, char(first)) + std::string(length) + std::string(kMask) + masked(payload);
}

const Row kRows[] = {
    {"5.1", "a frame that is not masked", "\x81\x02hi", "close:1002 end", WSD_E_FRAME},
    {"5.1", "a control frame that is not masked", "\x89\x00"s, "close:1002 end", WSD_E_FRAME},
    {"5.2", "RSV1 without an extension", frame(0xc1, "x"), "close:1002 end", WSD_E_FRAME},
    {"5.2", "RSV2", frame(0xa1, "x"), "close:1002 end", WSD_E_FRAME},
    {"5.2", "RSV3", frame(0x91, "x"), "close:1002 end", WSD_E_FRAME},
    {"5.2", "RSV1 on a ping", frame(0xc9, ""), "close:1002 end", WSD_E_FRAME},
    {"5.2", "RSV1 on a continuation", frame(0x01, "x") + frame(0xc0, "y"), "close:1002 end", WSD_E_FRAME},
    {"5.2", "opcode 3", frame(0x83, "x"), "close:1002 end", WSD_E_OPCODE},
    {"5.2", "opcode 7", frame(0x87, ""), "close:1002 end", WSD_E_OPCODE},
    {"5.2", "opcode 11", frame(0x8b, ""), "close:1002 end", WSD_E_OPCODE},
    {"5.2", "opcode 15", frame(0x8f, "x"), "close:1002 end", WSD_E_OPCODE},
    {"5.2", "125 in 16 bits", with_length(0x82, "\xfe\x00\x7d"s, std::string(125, 'x')), "close:1002 end", WSD_E_FRAME},
    {"5.2", "65535 in 64 bits", with_length(0x82, "\xff\0\0\0\0\0\0\xff\xff"s), "close:1002 end", WSD_E_FRAME},
    {"5.2", "a length with its top bit", with_length(0x82, "\xff\x80\0\0\0\0\0\0\0"s), "close:1002 end", WSD_E_FRAME},
    {"5.4", "a continuation of nothing", frame(0x80, "x"), "close:1002 end", WSD_E_FRAME},
    {"5.4", "a continuation after a whole message", text("x") + frame(0x00, "y"), "text:x close:1002 end", WSD_E_FRAME},
    {"5.4", "a message inside a message", frame(0x01, "x") + text("y"), "close:1002 end", WSD_E_FRAME},
    {"5.4", "a binary inside a text", frame(0x01, "x") + frame(0x02, "y"), "close:1002 end", WSD_E_FRAME},
    {"5.5", "a ping of 126", frame(0x89, std::string(126, 'x')), "close:1002 end", WSD_E_CONTROL_TOO_LONG},
    {"5.5", "a close of 126", frame(0x88, std::string(126, 'x')), "close:1002 end", WSD_E_CONTROL_TOO_LONG},
    {"5.5", "a ping in fragments", frame(0x09, "x"), "close:1002 end", WSD_E_CONTROL_FRAGMENTED},
    {"5.5", "a close in fragments", frame(0x08, ""), "close:1002 end", WSD_E_CONTROL_FRAGMENTED},
    {"5.5.1", "half a close code", frame(0x88, "\x03"), "close:1002 end", WSD_E_CLOSE_PAYLOAD},
    {"8.1", "a reason that is not UTF-8", bye(1000, "\xff"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "a reason that ends inside a character", bye(1000, "\xc3"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "a byte that no text has", text("a\xff"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "a continuation byte alone", text("\x80"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "an overlong slash", text("\xc0\xaf"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "a surrogate", text("\xed\xa0\x80"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "beyond U+10FFFF", text("\xf4\x90\x80\x80"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "text that ends inside a character", text("a\xe2\x82"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "a character broken by a fragment", frame(0x01, "\xe2\x82") + frame(0x80, "x"), "close:1007 end",
     WSD_E_UTF8},
    {"8.1", "a last fragment too early", frame(0x01, "\xe2") + frame(0x80, "\x82"), "close:1007 end", WSD_E_UTF8},
    {"8.1", "after a good message", text("ok") + text("\xfe"), "text:ok close:1007 end", WSD_E_UTF8},
    {"5.5.1", "pings before it are answered", ping("1") + frame(0x83, ""), "pong:1 close:1002 end", WSD_E_OPCODE},
};

// Right, though a careless reader might refuse it.
const Row kGood[] = {
    {"5.2", "126 in 16 bits", binary(std::string(126, 'x')), "", 0},
    {"5.2", "no payload and a mask", text(""), "", 0},
    {"5.4", "fragments of nothing", frame(0x01, "") + frame(0x00, "") + frame(0x80, ""), "", 0},
    {"8.1", "U+0000 and U+10FFFF", text("\0\xf4\x8f\xbf\xbf"s), "", 0},
    {"8.1", "a noncharacter", text("\xef\xbf\xbf"), "", 0},
    {"8.1", "a character over three fragments", frame(0x01, "\xe2") + frame(0x00, "\x82") + frame(0x80, "\xac"), "", 0},
    {"5.6", "anything in binary", binary("\xff\xfe\x80"), "", 0},
};

void say(TestServer& server, Client& client, const std::string& wire, bool dripped) {
    if (dripped) {
        server.drip(client, wire);
    } else {
        client.send(wire);
    }
}

}  // namespace

TEST_CASE("each broken rule is answered with its close code, once, and the stream ends") {
    TestServer server;
    server.start();
    for (const Row& row : kRows) {
        for (const bool dripped : {false, true}) {
            CAPTURE(std::string(row.section));
            CAPTURE(std::string(row.what));
            CAPTURE(dripped);
            const size_t closed_before = server.closed.size();
            Client& client = server.open();
            say(server, client, row.wire + text("never seen") + ping("nor this"), dripped);
            CHECK(server.rest(client) == row.told);
            client.close();
            CHECK(server.until([&] { return server.closed.size() == closed_before + 1; }));
            CHECK(server.closed.back().error == row.error);
            CHECK(server.closed.back().cause == WSD_CAUSE_PROTOCOL);
            CHECK(server.closed.back().code == wsd_error_close_code(row.error));
            CHECK(!server.closed.back().clean);
        }
    }
    for (const std::string& message : server.messages) CHECK(message != "never seen");
    CHECK(server.stats().protocol_errors == 2 * std::size(kRows));
}

TEST_CASE("what is right is not refused") {
    TestServer server;
    server.start();
    for (const Row& row : kGood) {
        for (const bool dripped : {false, true}) {
            CAPTURE(std::string(row.what));
            Client& client = server.open();
            say(server, client, row.wire + bye(1000), dripped);
            const Frame echo = server.next_frame(client);
            CHECK((echo.first == 0x81 || echo.first == 0x82));
            CHECK(server.rest(client) == "close:1000 end");
        }
    }
}

TEST_CASE("text fails at its first wrong byte, while the frame is still arriving") {
    const struct {
        const char* what;
        std::string begun;  // the rest of the frame is never sent
    } rows[] = {
        {"in the first bytes", header(0x81, 1000) + masked("ok\xff")},
        {"at the second byte of a character", header(0x81, 100000) + masked("ok\xc3\xc3")},
        {"far into a large frame", header(0x81, 1000000) + masked(std::string(300000, 'a') + "\xed\xa0")},
        {"in a continuation", frame(0x01, "\xf4") + header(0x00, 50) + masked("\x90")},
    };
    for (const bool streamed : {false, true}) {
        TestServer server;
        if (streamed) server.on_chunk = [](wsd_conn, wsd_opcode, std::string_view, bool) {};
        server.start();
        for (const auto& row : rows) {
            CAPTURE(std::string(row.what));
            Client& client = server.open();
            client.send(row.begun);
            CHECK(server.rest(client) == "close:1007 end");
        }
    }
}

TEST_CASE("a header breaks a rule at the byte that breaks it") {
    const std::string rows[] = {
        "\x81\x02"s,          // not masked: known from the second byte
        "\x83\x80"s,          // a reserved opcode
        "\x89\xfe"s,          // a control frame over 125
        "\x81\xfe\x00\x01"s,  // a length in a longer form than it needs
        "\x81\xff\x80\0\0\0\0\0\0\0"s,
    };
    TestServer server;
    server.start();
    for (const std::string& begun : rows) {
        Client& client = server.open();
        client.send(begun);
        CHECK(server.rest(client) == "close:1002 end");
    }
}

TEST_CASE("a close frame is answered with its code, if that may be sent, and with 1002 if not") {
    TestServer server;
    server.start();
    const int good[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
    const int bad[] = {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535};
    const auto answer_to = [&](int code) {
        Client& client = server.open();
        client.send(bye(uint16_t(code), "why"));
        return server.rest(client);
    };
    for (const int code : good) CHECK(answer_to(code) == "close:" + std::to_string(code) + " end");
    for (const int code : bad) {
        CAPTURE(code);
        CHECK(answer_to(code) == "close:1002 end");
    }
    Client& client = server.open();
    client.send(frame(0x88, ""));
    CHECK(server.rest(client) == "close end");
}

TEST_CASE("nothing is delivered, answered or judged after a close frame") {
    TestServer server;
    server.start();
    for (const bool dripped : {false, true}) {
        Client& client = server.open();
        say(server, client, text("before") + bye(1000) + text("after") + ping("x") + frame(0x83, "") + bye(1001),
            dripped);
        CHECK(server.rest(client) == "text:before close:1000 end");
    }
    CHECK(server.messages == std::vector<std::string>{"before", "before"});
    CHECK(server.stats().protocol_errors == 0);
}
