// Compressed messages on their way in, over real sockets with zlib at the other end; and what is agreed on before.
#include "support/deflate_talk.h"

using namespace std::string_literals;
using namespace test;

namespace {

// Messages of all sorts: JSON of many sizes, what does not compress, and what compresses beyond all measure.
std::vector<std::string> mixed_messages() {
    std::vector<std::string> messages;
    Rng rng{7};
    for (const size_t size : {60, 100, 300, 1000, 5000, 20000, 70000, 400000, 100, 200}) {
        messages.push_back(json_message(rng, size));
        std::string noise;
        for (size_t i = 0; i < size / 3; i++) noise += char('a' + rng.below(16));
        messages.push_back(noise);
        messages.push_back(std::string(size * 2, 'z'));
    }
    messages.push_back("");
    messages.push_back("x");
    return messages;
}

std::string extension(TestServer& server, std::string_view offers) {
    Client& client = server.connect();
    client.send(upgrade_request("Sec-WebSocket-Extensions: " + std::string(offers) + "\r\n"));
    const Response response = server.response(client);
    CHECK(response.status == 101);
    return response.header("Sec-WebSocket-Extensions");
}

}  // namespace

TEST_CASE("what is in force is said in the answer and by wsd_conn_info") {
    TestServer server;
    allow(server);
    server.config.deflate_server_window_bits = 12;
    server.start();
    CHECK(extension(server, "permessage-deflate; client_max_window_bits=10") ==
          "permessage-deflate; server_max_window_bits=12; client_max_window_bits=10");
    CHECK(server.info(server.opened[0]).deflate_server_bits == 12);
    CHECK(server.info(server.opened[0]).deflate_client_bits == 10);
    CHECK(server.info(server.opened[0]).deflate_server_takeover == 1);
    CHECK(server.info(server.opened[0]).deflate_client_takeover == 1);
    CHECK(extension(server, "permessage-deflate; server_no_context_takeover") ==
          "permessage-deflate; server_no_context_takeover; server_max_window_bits=12");
    CHECK(server.info(server.opened[1]).deflate_server_takeover == 0);
    CHECK(server.info(server.opened[1]).deflate_client_bits == 15);
    CHECK(extension(server, "permessage-bzip2") == "(none)");
    CHECK(server.info(server.opened[2]).deflate_server_bits == 0);
}

TEST_CASE("it is off until the configuration turns it on, and RSV1 is then a mistake") {
    TestServer server;
    server.start();
    CHECK(extension(server, "permessage-deflate") == "(none)");
    Client& client = server.open(nullptr, kOffer);
    client.send(compressed(0x81, ZlibDeflater().message("hello")));
    CHECK(server.rest(client) == "close:1002 end");
}

TEST_CASE("messages go both ways whatever was agreed") {
    const std::vector<std::string> messages = mixed_messages();
    for (const int level : {1, 2}) {
        for (const int bits : {8, 9, 11, 15}) {
            for (const int takeover : {0, 1, 2, 3}) {
                CAPTURE(level);
                CAPTURE(bits);
                CAPTURE(takeover);
                const bool to_client = takeover & 1;
                const bool from_client = takeover & 2;
                TestServer server;
                allow(server);
                server.config.deflate_level = level;
                server.config.deflate_server_takeover = to_client;
                server.config.deflate_client_takeover = from_client;
                server.config.deflate_server_window_bits = uint8_t(bits);
                server.config.deflate_client_window_bits = uint8_t(bits < 9 ? 9 : bits);
                server.start();
                Client& client = server.open(nullptr, kOffer);
                ZlibDeflater deflater(bits, from_client);
                ZlibInflater inflater(bits < 9 ? 9 : bits, to_client);
                for (const std::string& message : messages) {
                    CAPTURE(message.size());
                    client.send(compressed(0x81, deflater.message(message)));
                    CHECK(hears(server, client, inflater, "text:" + message));
                }
                CHECK(server.stats().inflated_count == messages.size());
                CHECK(server.stats().deflated_count > 0);
            }
        }
    }
}

TEST_CASE("fragments come compressed, cut anywhere, with control frames between them") {
    for (const bool takeover : {false, true}) {
        CAPTURE(takeover);
        TestServer server;
        allow(server, takeover);
        server.start();
        Client& client = server.open(nullptr, kOffer);
        ZlibDeflater deflater(15, takeover);
        ZlibInflater inflater(15, takeover);
        for (const std::string& message : json_messages(3, 2000)) {
            const std::string payload = deflater.message(message);
            const size_t a = payload.size() / 3;
            client.send(compressed(0x01, payload.substr(0, a)) + ping("p") + frame(0x00, payload.substr(a, a)) +
                        frame(0x00, "") + frame(0x80, payload.substr(2 * a)));
            CHECK(server.next(client) == "pong:p");
            CHECK(hears(server, client, inflater, "text:" + message));

            server.drip(client, compressed(0x81, deflater.message(message)));
            CHECK(hears(server, client, inflater, "text:" + message));
            server.drip(client, compressed(0x01, deflater.piece(message, false)));
            server.drip(client, frame(0x00, deflater.piece("", false)));
            server.drip(client, frame(0x80, deflater.piece(message, true)));
            CHECK(hears(server, client, inflater, "text:" + message + message));
        }
        CHECK(server.stats().inflated_count == 9);
    }
}

TEST_CASE("what breaks a rule is answered with its close code") {
    const std::string good = ZlibDeflater().message("hello hello hello");
    std::string cut = good;
    cut.pop_back();
    const std::string bad_text = ZlibDeflater().message("good and \xff");
    const std::string half_text = ZlibDeflater().message("good and \xe2\x82");
    const struct {
        const char* what;
        std::string wire;
        int code;
        int error;
    } kRows[] = {
        {"a reserved block type", compressed(0x81, "\x07"), 1007, WSD_E_DEFLATE},
        {"a distance before the beginning", compressed(0x82, "\x02\x02\x00\x00"s), 1007, WSD_E_DEFLATE},
        {"a message that ends inside a block", compressed(0x82, cut.substr(0, cut.size() / 2)), 1007, WSD_E_DEFLATE},
        {"a byte that no text has", compressed(0x81, bad_text), 1007, WSD_E_UTF8},
        {"text that ends inside a character", compressed(0x81, half_text), 1007, WSD_E_UTF8},
        {"RSV1 on a continuation", compressed(0x01, good.substr(0, 3)) + compressed(0x80, good.substr(3)), 1002,
         WSD_E_FRAME},
        {"RSV1 on a continuation of what is not compressed", frame(0x01, "a") + compressed(0x80, "b"), 1002,
         WSD_E_FRAME},
        {"RSV1 on a ping", compressed(0x89, "a"), 1002, WSD_E_FRAME},
        {"RSV1 on a close", compressed(0x88, "\x03\xe8"), 1002, WSD_E_FRAME},
        {"RSV2", frame(0xa1, "a"), 1002, WSD_E_FRAME},
    };
    TestServer server;
    allow(server);
    server.start();
    for (const auto& row : kRows) {
        for (const bool dripped : {false, true}) {
            CAPTURE(row.what);
            CAPTURE(dripped);
            Client& client = server.open(nullptr, kOffer);
            if (dripped) {
                server.drip(client, row.wire);
            } else {
                client.send(row.wire);
            }
            CHECK(server.rest(client) == "close:" + std::to_string(row.code) + " end");
            CHECK(ending(server, client).error == row.error);
        }
    }
    CHECK(server.messages.empty());
}

TEST_CASE("text is judged as it appears, while its frame is still arriving") {
    TestServer server;
    allow(server);
    server.start();
    Client& client = server.open(nullptr, kOffer);
    const std::string payload = ZlibDeflater().piece("good and \xff and then", false);
    client.send(header(0xc1, payload.size() + 1000) + masked(payload));
    CHECK(server.rest(client) == "close:1007 end");
    CHECK(ending(server, client).error == WSD_E_UTF8);
}

TEST_CASE("a bomb costs its bytes on the wire and no more") {
    for (const bool takeover : {false, true}) {
        TestServer server;
        allow(server, takeover);
        server.config.message_max_bytes = 300000;
        server.start();
        const size_t at_rest = server.memory.live_bytes;
        const std::string bomb = ZlibDeflater(15, true, 9).message(std::string(100 << 20, 'x'));
        CHECK(bomb.size() < 120000);
        for (const bool dripped : {false, true}) {
            Client& client = server.open(nullptr, kOffer);
            client.send(dripped ? compressed(0x01, bomb.substr(0, 1)) : compressed(0x81, bomb));
            if (dripped) {
                server.settle();
                client.send(frame(0x80, bomb.substr(1)));
            }
            CHECK(server.rest(client) == "close:1009 end");
            CHECK(ending(server, client).error == WSD_E_MESSAGE_TOO_LARGE);
            CHECK(server.stats().inflated_bytes <= 2 * 300000);
        }
        server.settle();
        CHECK(server.memory.live_bytes < at_rest + 1000000);  // of blocks that rest
        CHECK(server.messages.empty());
    }
}

TEST_CASE("a message of exactly the limit comes through, one of a byte more does not") {
    for (const size_t limit : {size_t(1), size_t(1000), size_t(32768 + 262144), size_t(700000)}) {
        CAPTURE(limit);
        TestServer server;
        allow(server, false);
        server.config.message_max_bytes = limit;
        server.on_message = [](wsd_conn, wsd_opcode, std::string_view) {};
        server.start();
        for (const bool torn : {false, true}) {
            const size_t before = server.messages.size();
            Client& client = server.open(nullptr, kOffer);
            const auto say = [&](size_t size) {
                const std::string wire = compressed(0x81, ZlibDeflater().message(std::string(size, 'x')));
                client.send(wire.substr(0, torn ? 7 : wire.size()));
                server.settle();
                if (torn) client.send(wire.substr(7));
                server.settle();
            };
            say(limit);
            REQUIRE(server.messages.size() == before + 1);
            CHECK(server.messages.back().size() == limit);
            say(limit + 1);
            CHECK(server.rest(client) == "close:1009 end");
        }
    }
}

TEST_CASE("pieces are delivered inflated, as they appear") {
    TestServer server;
    allow(server);
    std::string got;
    int finals = 0;
    size_t pieces = 0;
    server.on_chunk = [&](wsd_conn, wsd_opcode opcode, std::string_view data, bool final) {
        CHECK(opcode == WSD_TEXT);
        got += data;
        finals += final;
        pieces++;
    };
    server.start();
    Client& client = server.open(nullptr, kOffer);
    ZlibDeflater deflater;
    const std::string message = json_messages(1, 500000)[0];
    client.send(compressed(0x01, deflater.piece(message, false)));
    CHECK(server.until([&] { return got == message; }));
    CHECK(finals == 0);
    CHECK(pieces > 1);
    client.send(frame(0x80, deflater.piece("end", true)));
    CHECK(server.until([&] { return finals == 1; }));
    CHECK(got == message + "end");
}

TEST_CASE("a callback may end its connection amid a compressed message") {
    for (const int way : {0, 1, 2}) {
        CAPTURE(way);
        TestServer server;
        allow(server);
        int told = 0;
        server.on_chunk = [&](wsd_conn conn, wsd_opcode, std::string_view, bool) {
            told++;
            if (way == 0) CHECK(wsd_close(server, conn, 4000, nullptr, 0) == WSD_OK);
            if (way == 1) CHECK(wsd_abort(server, conn) == WSD_OK);
            if (way == 2) CHECK(wsd_pause(server, conn) == WSD_OK);
        };
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn, kOffer);
        ZlibDeflater deflater;
        const std::string message(500000, 'x');
        const std::string payload = deflater.message(message);
        client.send(compressed(0x01, payload.substr(0, payload.size() - 3)) +
                    frame(0x80, payload.substr(payload.size() - 3)) + text("after"));
        if (way == 0) {
            CHECK(server.next(client) == "close:4000");
            client.send(bye(4000));
            CHECK(server.rest(client) == "end");
            CHECK(told == 1);
            CHECK(ending(server, client).clean);
        } else if (way == 1) {
            (void)server.rest(client);
            CHECK(told == 1);
        } else {
            server.settle();
            while (told && wsd_resume(server, conn) == WSD_OK && server.messages.empty() && told < 1000) {
                const int before = told;
                server.settle();
                if (told == before) break;
            }
            CHECK(told > 1);
        }
    }
}

TEST_CASE("no client can read what another one has sent") {
    for (const bool torn : {false, true}) {
        TestServer server;
        allow(server, false);
        server.start();
        Client& one = server.open(nullptr, kOffer);
        one.send(compressed(0x81, ZlibDeflater().message(std::string(1000, 'a'))));
        CHECK(server.next_frame(one).first == 0xc1);
        Client& other = server.open(nullptr, kOffer);
        // A fixed block of one match of three bytes, one byte back: before its message there is nothing.
        const std::string wire = compressed(0x82, "\x02\x02\x00\x00"s);
        if (torn) {
            server.drip(other, wire);
        } else {
            other.send(wire);
        }
        CHECK(server.rest(other) == "close:1007 end");
    }
}

TEST_CASE("with takeover a message may refer to the one before it, up to the window and no further") {
    TestServer server;
    allow(server);
    server.config.deflate_client_window_bits = 9;
    server.start();
    for (const bool takeover : {true, false}) {
        CAPTURE(takeover);
        Client& client = server.open(nullptr, takeover ? kOffer
                                                       : "Sec-WebSocket-Extensions: permessage-deflate; "
                                                         "client_max_window_bits; client_no_context_takeover\r\n");
        ZlibDeflater wide(15);
        const std::string noise = random_bytes(600);
        // The same 600 bytes again lie 600 back, which is over the 512 that were agreed on.
        client.send(compressed(0x82, wide.message(noise + noise)));
        CHECK(server.rest(client) == "close:1007 end");
        CHECK(ending(server, client).error == WSD_E_DEFLATE);
    }
}

TEST_CASE("one client's bombs do not keep the loop from the others") {
    TestServer server;
    allow(server, false);
    server.on_message = [](wsd_conn, wsd_opcode, std::string_view) {};
    server.start();
    Client& heavy = server.open(nullptr, kOffer);
    Client& light = server.open(nullptr, kOffer);
    const std::string bomb = compressed(0x81, ZlibDeflater(15, true, 9).message(std::string(4 << 20, 'x')));
    std::string wire;
    for (int i = 0; i < 10; i++) wire += bomb;
    heavy.send(wire);
    size_t before_light = 0;
    server.on_message = [&](wsd_conn, wsd_opcode, std::string_view text) {
        if (text == "light") before_light = server.messages.size();
    };
    while (server.messages.empty()) server.turn();
    light.send(text("light"));
    CHECK(server.until([&] { return server.messages.size() == 11; }));
    CHECK(before_light > 0);
    CHECK(before_light < 11);  // it did not wait for all of them
}

TEST_CASE("after our close frame a compressed message costs nothing, and the handshake ends well") {
    TestServer server;
    allow(server, false);
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn, kOffer);
    const uint64_t at_rest = server.stats().deflate_memory_bytes;
    const std::string payload = ZlibDeflater().message(json_messages(1, 100000)[0]);
    client.send(compressed(0x01, payload.substr(0, 5000)));
    server.settle();
    CHECK(server.stats().deflate_memory_bytes > at_rest);
    CHECK(wsd_close(server, conn, 4000, nullptr, 0) == WSD_OK);
    client.send(frame(0x80, payload.substr(5000)) + compressed(0x01, "x"));
    server.settle();
    CHECK(server.stats().deflate_memory_bytes == at_rest);
    client.send(bye(4000));
    CHECK(server.rest(client) == "close:4000 end");
    CHECK(ending(server, client).clean);
}

TEST_CASE("a connection without takeover holds nothing, before and after its messages") {
    TestServer server;
    allow(server, false);
    server.start();
    Client& plain = server.open();
    plain.send(text("hi"));
    CHECK(server.next(plain) == "text:hi");
    const size_t one = server.memory.live_bytes;
    Client& client = server.open(nullptr, kOffer);
    ZlibDeflater deflater(15, false);
    ZlibInflater inflater(15, false);
    for (const std::string& message : json_messages(5, 3000)) {
        server.drip(client, compressed(0x81, deflater.message(message)));
        CHECK(hears(server, client, inflater, "text:" + message));
    }
    server.settle();
    CHECK(server.memory.live_bytes == one);
}
