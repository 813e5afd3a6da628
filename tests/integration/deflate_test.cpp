// permessage-deflate over real sockets, with zlib at the other end.
#include "support/json_messages.h"
#include "support/test_server.h"
#include "support/zlib_peer.h"

using namespace std::string_literals;
using namespace test;

namespace {

constexpr char kOffer[] = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

std::string compressed(uint8_t first, std::string_view payload) { return frame(uint8_t(first | 0x40), payload); }

// Everything on, as far as a test does not change it.
void allow(TestServer& server, bool takeover = true) {
    server.config.deflate = 1;
    server.config.deflate_server_takeover = server.config.deflate_client_takeover = takeover;
}

// The next message, inflated if it is compressed.
std::string next_message(TestServer& server, Client& client, ZlibInflater& inflater) {
    Frame frame = server.next_frame(client);
    if (frame.first & 0x40) {
        frame.first &= uint8_t(~0x40);
        frame.payload = inflater.message(frame.payload);
    }
    return show(frame);
}

// Is `expected` the next message? They are long, so a test that fails says less than both of them.
bool hears(TestServer& server, Client& client, ZlibInflater& inflater, const std::string& expected) {
    const std::string got = next_message(server, client, inflater);
    if (got != expected) MESSAGE("got " << got.size() << " bytes: " << got.substr(0, 60));
    return got == expected;
}

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

std::string random_bytes(size_t size) {
    Rng rng{99};
    std::string bytes;
    for (size_t i = 0; i < size; i++) bytes += char(rng.below(256));
    return bytes;
}

// How the connection that ended last did so, once its client has hung up, too.
const Closed& ending(TestServer& server, Client& client) {
    client.close();
    REQUIRE(server.until([&] { return server.closed.size() == server.opened.size(); }));
    return server.closed.back();
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

TEST_CASE("what is short, or would grow, is sent as it is and leaves the context alone") {
    TestServer server;
    allow(server);
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn, kOffer);
    ZlibInflater inflater;
    const std::string json = json_messages(1, 1000)[0];
    const std::string noise = random_bytes(3000);
    for (int round = 0; round < 3; round++) {
        for (const std::string& message : {json, std::string(63, 'x'), noise, json, std::string(64, 'x')}) {
            CAPTURE(message.size());
            CHECK(wsd_send(server, conn, WSD_BINARY, message.data(), message.size()) == WSD_OK);
            Frame frame = server.next_frame(client);
            CHECK(bool(frame.first & 0x40) == (message == json || message.size() == 64));
            if (frame.first & 0x40) frame.payload = inflater.message(frame.payload);
            CHECK(frame.payload == message);
        }
    }
    CHECK(server.stats().deflated_count == 9);
    CHECK(server.stats().deflate_input_bytes == 6 * json.size() + 3 * 64);
    CHECK(server.stats().deflated_bytes < server.stats().deflate_input_bytes / 2);
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

TEST_CASE("a message is compressed in fragments, and the next one whole") {
    for (const int takeover : {0, 1}) {
        CAPTURE(takeover);
        TestServer server;
        allow(server, takeover != 0);
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn, kOffer);
        ZlibInflater inflater(15, takeover != 0);
        const std::vector<std::string> parts = {json_messages(1, 900)[0], "", "x", random_bytes(500),
                                                json_messages(1, 900)[0], ""};
        for (int round = 0; round < 2; round++) {
            std::string whole;
            std::string payload;
            for (size_t i = 0; i < parts.size(); i++) {
                const bool last = i + 1 == parts.size();
                CHECK(wsd_send_fragment(server, conn, WSD_BINARY, parts[i].data(), parts[i].size(), last) == WSD_OK);
                const Frame frame = server.next_frame(client);
                CHECK(int(frame.first) == (i == 0 ? 0x42 : last ? 0x80 : 0x00));
                payload += frame.payload;
                whole += parts[i];
            }
            CHECK(inflater.message(payload) == whole);
            CHECK(wsd_send(server, conn, WSD_TEXT, parts[0].data(), parts[0].size()) == WSD_OK);
            CHECK(hears(server, client, inflater, "text:" + parts[0]));
        }
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
        {"a distance before the beginning", compressed(0x82, "\x03\x02\x00"s), 1007, WSD_E_DEFLATE},
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

TEST_CASE("a prepared message is deflated once for all who share a window size") {
    TestServer server;
    allow(server);
    server.start();
    struct Peer {
        Client* client;
        wsd_conn conn;
        ZlibInflater inflater;
        ZlibDeflater deflater;
        Peer(TestServer& server, int bits, bool takeover) : inflater(bits, takeover), deflater(15, true) {
            std::string offer =
                "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=" + std::to_string(bits);
            if (!takeover) offer += "; server_no_context_takeover";
            client = &server.open(&conn, offer + "\r\n");
        }
    };
    std::list<Peer> peers;
    for (const int bits : {9, 12, 15}) {
        for (const bool takeover : {false, true}) {
            for (int i = 0; i < 5; i++) peers.emplace_back(server, bits, takeover);
        }
    }
    wsd_conn plain_conn = 0;
    Client& plain = server.open(&plain_conn);

    const std::vector<std::string> messages = json_messages(6, 6000);
    const std::vector<std::string> own = json_messages(6 * peers.size(), 700, 5);
    size_t next_own = 0;
    for (const std::string& message : messages) {
        wsd_prepared* prepared = nullptr;
        REQUIRE(wsd_prepare(server, WSD_TEXT, message.data(), message.size(), &prepared) == WSD_OK);
        const uint64_t before = server.stats().deflated_count;
        for (Peer& peer : peers) CHECK(wsd_send_prepared(server, peer.conn, prepared, nullptr) == WSD_OK);
        CHECK(wsd_send_prepared(server, plain_conn, prepared, nullptr) == WSD_OK);
        wsd_prepared_release(prepared);
        CHECK(server.stats().deflated_count == before + 3);  // windows of 9, of 12, and of 13 and more for 6 KB
        CHECK(server.next(plain) == "text:" + message);
        for (Peer& peer : peers) {
            CHECK(hears(server, *peer.client, peer.inflater, "text:" + message));
            // Messages of its own, which may refer to the shared one, go on being understood.
            const std::string& mine = own[next_own++];
            CHECK(wsd_send(server, peer.conn, WSD_TEXT, mine.data(), mine.size()) == WSD_OK);
            CHECK(hears(server, *peer.client, peer.inflater, "text:" + mine));
        }
    }
}

TEST_CASE("what is refused, dropped or replaced in the queue does not confuse the context") {
    TestServer server;
    allow(server);
    server.config.send_high_bytes = server.config.send_low_bytes = 20000;
    server.start_narrow();
    wsd_conn conn = 0;
    Client& client = server.open(&conn, kOffer);
    client.reading = false;
    std::vector<std::string> accepted;
    Rng rng{3};
    int refused = 0;
    for (int i = 0; refused < 40; i++) {
        REQUIRE(i < 100000);
        const std::string message = json_message(rng, 2000);
        wsd_send_options options{sizeof options, i % 3 == 0 ? WSD_FULL_DROP : WSD_FULL_REFUSE, 0};
        const uint64_t dropped = server.stats().sends_dropped;
        const int result = wsd_send_with(server, conn, WSD_TEXT, message.data(), message.size(), &options);
        if (result != WSD_OK || server.stats().sends_dropped > dropped) {
            refused++;
        } else {
            accepted.push_back(message);
        }
    }
    std::string latest;
    for (int i = 0; i < 5; i++) {
        latest = json_message(rng, 2000);
        const wsd_send_options options{sizeof options, WSD_FULL_REPLACE, 7};
        (void)wsd_send_with(server, conn, WSD_TEXT, latest.data(), latest.size(), &options);
    }
    client.reading = true;
    ZlibInflater inflater;
    for (const std::string& message : accepted) CHECK(hears(server, client, inflater, "text:" + message));
    server.settle();
    // With room again, a keyed message waits nowhere, and later ones do not refer to what was replaced.
    for (int i = 0; i < 20; i++) {
        const std::string message = json_message(rng, 2000);
        const wsd_send_options options{sizeof options, i % 2 ? WSD_FULL_REPLACE : WSD_FULL_REFUSE, 7};
        CHECK(wsd_send_with(server, conn, WSD_TEXT, message.data(), message.size(), &options) == WSD_OK);
        if (i % 2 == 0 || i == 19) {
            while (next_message(server, client, inflater) != "text:" + message) REQUIRE(!client.ended);
        }
    }
}

TEST_CASE("windows count against their budget, past it new connections get none, and all comes back") {
    TestServer server;
    allow(server);
    server.config.deflate_memory_max_bytes = 500000;
    server.start();
    const uint64_t at_rest = server.stats().deflate_memory_bytes;
    CHECK(at_rest > 0);
    int with = 0;
    std::vector<std::pair<Client*, wsd_conn>> open;
    for (int i = 0; i < 20; i++) {
        wsd_conn conn = 0;
        Client& client = server.open(&conn, kOffer);
        open.emplace_back(&client, conn);
        with += server.info(conn).deflate_server_takeover;
        CHECK(server.info(conn).deflate_server_takeover == server.info(conn).deflate_client_takeover);
        CHECK(server.info(conn).deflate_server_bits == 15);
    }
    CHECK(with > 0);
    CHECK(with < 20);
    const std::vector<std::string> messages = json_messages(10, 30000);
    for (auto& [client, conn] : open) {
        const bool takeover = server.info(conn).deflate_server_takeover;
        ZlibDeflater deflater(15, takeover);
        ZlibInflater inflater(15, takeover);
        for (const std::string& message : messages) {
            client->send(compressed(0x81, deflater.message(message)));
            CHECK(hears(server, *client, inflater, "text:" + message));
        }
    }
    CHECK(server.stats().deflate_memory_bytes > at_rest);
    CHECK(server.stats().deflate_memory_bytes - at_rest <= 500000);
    for (auto& [client, conn] : open) CHECK(wsd_abort(server, conn) == WSD_OK);
    server.settle();
    CHECK(server.stats().deflate_memory_bytes == at_rest);
    wsd_conn conn = 0;
    (void)server.open(&conn, kOffer);
    CHECK(server.info(conn).deflate_server_takeover == 1);
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
