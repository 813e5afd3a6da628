// Messages delivered piece by piece as they arrive, for servers that do not want them held (wsd_on_chunk_fn).
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

// Puts the pieces together again and holds them to what the header promises.
struct Collector {
    explicit Collector(TestServer& server) {
        server.on_chunk = [this](wsd_conn, wsd_opcode opcode, std::string_view piece, bool final) {
            CHECK((!piece.empty() || final));
            if (inside) CHECK(opcode == begun_with);
            begun_with = opcode;
            text += piece;
            pieces++;
            inside = !final;
            if (!final) return;
            whole.push_back(text);
            text.clear();
        };
    }
    wsd_opcode begun_with = WSD_TEXT;
    bool inside = false;
    std::string text;
    size_t pieces = 0;
    std::vector<std::string> whole;
};

}  // namespace

TEST_CASE("the pieces of a message add up to it, and its end is told once") {
    TestServer server;
    Collector got(server);
    server.start();
    Client& client = server.open();
    const std::string large(1000000, 'x');
    client.send(text("whole") + text("") + frame(0x02, "a") + frame(0x00, "") + frame(0x80, "b"));
    client.send(frame(0x01, "") + frame(0x80, "") + binary(large));
    CHECK(server.until([&] { return got.whole.size() == 5; }));
    CHECK((got.whole == std::vector<std::string>{"whole", "", "ab", "", large}));
    CHECK(got.pieces > 5);
    CHECK(server.messages.empty());  // with on_chunk set, on_message is not called
    CHECK(server.stats().messages_in == 5);
}

TEST_CASE("pieces come as the bytes do, and characters may be split over them") {
    TestServer server;
    Collector got(server);
    server.start();
    Client& client = server.open();
    const std::string euro = "\xe2\x82\xac";
    server.drip(client, frame(0x01, euro) + ping("p") + frame(0x80, euro + euro));
    CHECK(server.next(client) == "pong:p");
    CHECK(server.until([&] { return got.whole.size() == 1; }));
    CHECK(got.whole[0] == euro + euro + euro);
    CHECK(got.pieces >= 9);
}

TEST_CASE("a streamed message is not held in memory") {
    TestServer server;
    Collector got(server);
    server.start();
    Client& client = server.open();
    const size_t before = server.memory.live_bytes;
    client.send(header(0x82, 4 << 20) + std::string(3 << 20, 'x'));
    CHECK(server.until([&] { return got.text.size() == 3 << 20; }));
    CHECK(server.memory.live_bytes - before < 1000);
}

TEST_CASE("text that breaks is never delivered from its wrong byte on") {
    TestServer server;
    Collector got(server);
    server.start();
    Client& client = server.open();
    client.send(header(0x81, 1000) + masked("good"));
    CHECK(server.until([&] { return got.text == "good"; }));
    client.send(std::string{char('\xff' ^ kMask[0])} + "what follows");
    CHECK(server.rest(client) == "close:1007 end");
    CHECK(got.text == "good");
    CHECK(got.whole.empty());
}

TEST_CASE("message_max_bytes holds for streamed messages, too") {
    TestServer server;
    Collector got(server);
    server.config.message_max_bytes = 100;
    server.start();
    Client& client = server.open();
    client.send(frame(0x01, std::string(60, 'x')));
    CHECK(server.until([&] { return got.text.size() == 60; }));
    client.send(header(0x80, 41));
    CHECK(server.rest(client) == "close:1009 end");
    CHECK(got.whole.empty());
}

TEST_CASE("a message that is never finished ends with on_close") {
    TestServer server;
    Collector got(server);
    server.start();
    Client& client = server.open();
    client.send(frame(0x01, "begun"));
    CHECK(server.until([&] { return got.text == "begun"; }));
    client.close();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(got.whole.empty());
}

TEST_CASE("a piece may be sent back as it comes") {
    TestServer server;
    bool first = true;
    server.on_chunk = [&](wsd_conn conn, wsd_opcode, std::string_view piece, bool final) {
        CHECK(wsd_send_fragment(server, conn, WSD_BINARY, piece.data(), piece.size(), final) == WSD_OK);
        first = final;
    };
    server.config.send_high_bytes = 64 << 20;
    server.config.send_high_count = 0;
    server.start();
    Client& client = server.open();
    const std::string large(2000000, 'x');
    client.send(binary(large));
    std::string echo;
    for (bool final = false; !final;) {
        const Frame piece = server.next_frame(client);
        REQUIRE((piece.first & 0x7f) == (echo.empty() ? 2 : 0));
        echo += piece.payload;
        final = piece.first & 0x80;
    }
    CHECK((echo == large));
    CHECK(first);
}

TEST_CASE("nothing more of a message is delivered once on_chunk has closed or aborted") {
    for (const bool aborted : {false, true}) {
        TestServer server;
        int calls = 0;
        server.on_chunk = [&](wsd_conn conn, wsd_opcode, std::string_view, bool) {
            calls++;
            CHECK((aborted ? wsd_abort(server, conn) : wsd_close(server, conn, 4000, "no", 2)) == WSD_OK);
        };
        server.start();
        Client& client = server.open();
        client.send(frame(0x01, "a") + frame(0x00, "b") + frame(0x80, "c") + text("d") + bye(1000));
        CHECK(server.rest(client) == (aborted ? "end" : "close:4000 no end"));
        client.close();
        CHECK(server.until([&] { return server.closed.size() == 1; }));
        CHECK(calls == 1);
        CHECK(server.closed[0].code == (aborted ? 1006 : 1000));
        CHECK(server.closed[0].clean == !aborted);
    }
}
