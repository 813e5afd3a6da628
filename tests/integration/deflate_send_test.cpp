// Compressed messages on their way out: what is compressed, what is shared, and that the context never gets out of
// step.
#include "support/deflate_talk.h"

using namespace std::string_literals;
using namespace test;

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
        wsd_send_options options{sizeof options, i % 3 == 0 ? WSD_FULL_DROP : WSD_FULL_REFUSE, 0, 0};
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
        const wsd_send_options options{sizeof options, WSD_FULL_REPLACE, 7, 0};
        (void)wsd_send_with(server, conn, WSD_TEXT, latest.data(), latest.size(), &options);
    }
    client.reading = true;
    ZlibInflater inflater;
    for (const std::string& message : accepted) CHECK(hears(server, client, inflater, "text:" + message));
    server.settle();
    // With room again, a keyed message waits nowhere, and later ones do not refer to what was replaced.
    for (int i = 0; i < 20; i++) {
        const std::string message = json_message(rng, 2000);
        const wsd_send_options options{sizeof options, i % 2 ? WSD_FULL_REPLACE : WSD_FULL_REFUSE, 7, 0};
        CHECK(wsd_send_with(server, conn, WSD_TEXT, message.data(), message.size(), &options) == WSD_OK);
        if (i % 2 == 0 || i == 19) {
            while (next_message(server, client, inflater) != "text:" + message) REQUIRE(!client.ended);
        }
    }
}

TEST_CASE("what waits may be replaced by its key without confusing the context, prepared or not") {
    TestServer server;
    allow(server);
    server.start_narrow();
    wsd_conn conn = 0;
    Client& client = server.open(&conn, kOffer);
    client.reading = false;
    const std::string filler = random_bytes(300000);
    CHECK(wsd_send(server, conn, WSD_BINARY, filler.data(), filler.size()) == WSD_OK);
    Rng rng{11};
    std::vector<std::string> others;
    std::string latest;
    for (int i = 0; i < 30; i++) {
        const wsd_send_options keyed{sizeof keyed, WSD_FULL_REPLACE, 7, 0};
        latest = json_message(rng, 2000);
        if (i % 2) {
            wsd_prepared* prepared = nullptr;
            REQUIRE(wsd_prepare(server, WSD_TEXT, latest.data(), latest.size(), &prepared) == WSD_OK);
            CHECK(wsd_send_prepared(server, conn, prepared, &keyed) == WSD_OK);
            wsd_prepared_release(prepared);
        } else {
            CHECK(wsd_send_with(server, conn, WSD_TEXT, latest.data(), latest.size(), &keyed) == WSD_OK);
        }
        others.push_back(json_message(rng, 2000));
        CHECK(wsd_send(server, conn, WSD_TEXT, others.back().data(), others.back().size()) == WSD_OK);
    }
    CHECK(server.stats().sends_replaced == 29);
    client.reading = true;
    ZlibInflater inflater;
    CHECK(next_message(server, client, inflater) == "binary:" + filler);
    CHECK(hears(server, client, inflater, "text:" + latest));
    for (const std::string& message : others) CHECK(hears(server, client, inflater, "text:" + message));
}

TEST_CASE("a message goes plain where the sender wants it so, and the context does not know it") {
    TestServer server;
    allow(server);
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn, kOffer);
    ZlibInflater inflater;
    const std::string json = json_messages(1, 1000)[0];
    const wsd_send_options plain{sizeof plain, WSD_FULL_REFUSE, 0, 1};
    CHECK(wsd_send_with(server, conn, WSD_TEXT, json.data(), json.size(), &plain) == WSD_OK);
    CHECK(server.next(client) == "text:" + json);
    CHECK(wsd_send(server, conn, WSD_TEXT, json.data(), json.size()) == WSD_OK);
    CHECK(hears(server, client, inflater, "text:" + json));
    CHECK(server.stats().deflated_count == 1);
}

TEST_CASE("a queue holds about what it counts") {
    for (const bool takeover : {false, true}) {
        TestServer server;
        allow(server, takeover);
        server.start_narrow();
        wsd_conn conn = 0;
        Client& client = server.open(&conn, kOffer);
        client.reading = false;
        const size_t before = server.memory.live_bytes;
        const std::string large(4 << 20, 'x');  // it packs to a thousandth
        int sent = 0;
        while (wsd_send(server, conn, WSD_TEXT, large.data(), large.size()) == WSD_OK) REQUIRE(++sent < 1000);
        CHECK(sent > 10);
        CHECK(server.memory.live_bytes - before < 2 * wsd_buffered(server, conn) + (9u << 20));  // 8 MiB of blocks rest
    }
}

TEST_CASE("memory refused to a prepared message costs it its compression that once") {
    for (uint64_t n = 1; n <= 2; n++) {
        TestServer server;
        allow(server, false);
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn, kOffer);
        const std::string json = json_messages(1, 100000)[0];
        wsd_prepared* prepared = nullptr;
        REQUIRE(wsd_prepare(server, WSD_TEXT, json.data(), json.size(), &prepared) == WSD_OK);
        server.memory.refuse_at = server.memory.calls + n;
        CHECK(wsd_send_prepared(server, conn, prepared, nullptr) == WSD_OK);
        CHECK(server.memory.refused);
        server.memory.refuse_at = 0;
        CHECK(server.next_frame(client).first == 0x81);
        CHECK(wsd_send_prepared(server, conn, prepared, nullptr) == WSD_OK);
        CHECK(server.next_frame(client).first == 0xc1);
        wsd_prepared_release(prepared);
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
