// wsd_pause and wsd_resume: nothing is delivered in between, nothing is lost, and the peer is slowed down.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

TEST_CASE("nothing is delivered while paused, and everything after it in order") {
    for (const size_t size : {1, 50, 500, 100000}) {
        CAPTURE(size);
        TestServer server;
        server.on_message = [&](wsd_conn conn, wsd_opcode, std::string_view) {
            if (server.messages.size() % 2 == 1) {
                CHECK(wsd_pause(server, conn) == WSD_OK);
                CHECK(wsd_pause(server, conn) == WSD_OK);  // harmless
            }
        };
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn);
        std::string wire;
        for (int i = 0; i < 10; i++) wire += text(std::to_string(i) + std::string(size, 'x'));
        client.send(wire);
        for (size_t delivered = 1; delivered < 10; delivered += 2) {
            CHECK(server.until([&] { return server.messages.size() >= delivered; }));
            server.settle();
            CHECK(server.messages.size() == delivered);
            CHECK(wsd_resume(server, conn) == WSD_OK);
            CHECK(wsd_resume(server, conn) == WSD_OK);
        }
        CHECK(server.until([&] { return server.messages.size() == 10; }));
        for (size_t i = 0; i < 10; i++) CHECK((server.messages[i] == std::to_string(i) + std::string(size, 'x')));
    }
}

TEST_CASE("a pause in the middle of a message holds its rest back") {
    for (const bool streamed : {false, true}) {
        TestServer server;
        std::string got;
        if (streamed) server.on_chunk = [&](wsd_conn, wsd_opcode, std::string_view piece, bool) { got += piece; };
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn);
        const std::string payload(1000000, 'x');
        client.send(text(payload).substr(0, 300000));
        server.settle();
        CHECK(wsd_pause(server, conn) == WSD_OK);
        client.send(text(payload).substr(300000));
        const uint64_t bytes_in = server.stats().bytes_in;
        server.settle();
        CHECK(server.stats().bytes_in == bytes_in);
        CHECK(wsd_resume(server, conn) == WSD_OK);
        if (streamed) {
            CHECK(server.until([&] { return got.size() == payload.size(); }));
        } else {
            CHECK((server.next_frame(client).payload == payload));
        }
    }
}

TEST_CASE("a pause from on_chunk takes effect with that piece") {
    TestServer server;
    int pieces = 0;
    server.on_chunk = [&](wsd_conn conn, wsd_opcode, std::string_view, bool) {
        pieces++;
        CHECK(wsd_pause(server, conn) == WSD_OK);
    };
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    client.send(frame(0x01, "a") + frame(0x00, std::string(1000, 'b')) + frame(0x80, "c") + text("d"));
    for (int want = 1; want <= 4; want++) {
        server.settle();
        CHECK(pieces == want);
        CHECK(wsd_resume(server, conn) == WSD_OK);
    }
}

TEST_CASE("a paused peer is slowed down by its kernel, and costs no memory here") {
    TestServer server;
    server.start_narrow();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_pause(server, conn) == WSD_OK);
    const size_t before = server.memory.live_bytes;
    for (int i = 0; i < 20; i++) client.send(binary(std::string(1 << 20, char('a' + i))));
    server.settle();
    CHECK(client.unsent());
    CHECK(server.memory.live_bytes - before < 300000);
    CHECK(wsd_resume(server, conn) == WSD_OK);
    for (int i = 0; i < 20; i++) CHECK((server.next_frame(client).payload == std::string(1 << 20, char('a' + i))));
}

TEST_CASE("pings wait for the resume, and sending goes on without it") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_pause(server, conn) == WSD_OK);
    client.send(ping("p"));
    server.settle();
    CHECK(wsd_send(server, conn, WSD_TEXT, "said", 4) == WSD_OK);
    CHECK(server.next(client) == "text:said");
    CHECK(wsd_resume(server, conn) == WSD_OK);
    CHECK(server.next(client) == "pong:p");
}

TEST_CASE("a paused connection sees a reset at once, and an orderly close after the resume") {
    for (const bool reset : {false, true}) {
        CAPTURE(reset);
        TestServer server;
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn);
        CHECK(wsd_pause(server, conn) == WSD_OK);
        if (reset) {
            client.reset();
            CHECK(server.until([&] { return server.closed.size() == 1; }));
            CHECK(server.closed[0].cause == WSD_CAUSE_VANISHED);
        } else {
            client.send(text("before") + bye(4001, "bye"));
            client.end();
            server.settle();
            CHECK(server.closed.empty());
            CHECK(wsd_resume(server, conn) == WSD_OK);
            CHECK(server.rest(client) == "text:before close:4001 end");
            REQUIRE(server.until([&] { return server.closed.size() == 1; }));
            CHECK(server.closed[0].cause == WSD_CAUSE_PEER);
        }
    }
}

TEST_CASE("wsd_close on a paused connection still finds the peer's close frame") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    CHECK(wsd_pause(server, conn) == WSD_OK);
    client.send(text(std::string(1000, 'u')) + frame(0x01, "unfinished"));
    server.settle();
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    CHECK(wsd_resume(server, conn) == WSD_E_CLOSED);
    client.send(frame(0x80, "finished") + bye(1000));
    CHECK(server.rest(client) == "close:1000 end");
    client.close();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0].clean);
    CHECK(server.messages.empty());
}

TEST_CASE("what was kept in a pause is used before what comes later") {
    TestServer server;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    server.on_message = [&](wsd_conn c, wsd_opcode, std::string_view) { CHECK(wsd_pause(server, c) == WSD_OK); };
    for (int i = 0; i < 50; i++) {
        client.send(text("kept " + std::to_string(i)));
        if (i % 3 == 0) server.turn();
    }
    // Resumed and given more in the same turn, so that the event and the owed reading meet.
    for (size_t want = 1; want <= 50; want++) {
        CHECK(server.until([&] { return server.messages.size() >= want; }));
        client.send(text("late"));
        CHECK(wsd_resume(server, conn) == WSD_OK);
    }
    for (size_t i = 0; i < 50; i++) CHECK(server.messages[i] == "kept " + std::to_string(i));
}
