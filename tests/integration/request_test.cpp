// Plain HTTP requests beside the upgrades (RFC 9112): bodies, keep-alive, pipelines and what the application may say.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

// Answers with what it understood: "METHOD path?query [body]".
void mirror(TestServer& server) {
    server.on_request = [&](wsd_conn conn, const wsd_request* request) {
        if (wsd_request_is_upgrade(request)) {
            CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK);
            return;
        }
        const std::string body = str(wsd_request_method(request)) + " " + str(wsd_request_path(request)) + "?" +
                                 str(wsd_request_query(request)) + " [" + str(wsd_request_body(request)) + "]";
        CHECK(wsd_respond(server, conn, 200, nullptr, 0, body.data(), body.size()) == WSD_OK);
    };
}

}  // namespace

TEST_CASE("a connection serves one plain request after another, then an upgrade") {
    TestServer server;
    mirror(server);
    server.start();
    Client& client = server.connect();
    for (const std::string target : {"/a", "/b"}) {
        client.send(plain_request("GET " + target + "?q=1"));
        const Response response = server.response(client);
        CHECK(response.status == 200);
        CHECK(response.header("Connection") == "(none)");
        CHECK(response.body == "GET " + target + "?q=1 []");
    }
    client.send(upgrade_request() + text("hi"));
    CHECK(server.response(client).status == 101);
    CHECK(server.next(client) == "text:hi");
    CHECK(server.stats().requests == 2);
    CHECK(server.stats().handshakes_failed == 0);
}

TEST_CASE("pipelined requests are answered in their order, in one segment or a byte at a time") {
    TestServer server;
    mirror(server);
    server.start();
    std::string wire;
    for (int i = 0; i < 20; i++) wire += plain_request("PUT /" + std::to_string(i), "", std::string(size_t(i), 'b'));
    for (const bool dripped : {false, true}) {
        CAPTURE(dripped);
        Client& client = server.connect();
        if (dripped) {
            server.drip(client, wire);
        } else {
            client.send(wire);
        }
        for (int i = 0; i < 20; i++) {
            const std::string want = "PUT /" + std::to_string(i) + "? [" + std::string(size_t(i), 'b') + "]";
            CHECK(server.response(client).body == want);
        }
    }
}

TEST_CASE("HEAD is told the length of the body and not the body") {
    TestServer server;
    mirror(server);
    server.start();
    Client& client = server.connect();
    client.send(plain_request("HEAD /a") + plain_request("GET /b"));
    const Response head = server.response(client, true);
    CHECK(head.header("Content-Length") == std::to_string(std::strlen("HEAD /a? []")));
    CHECK(server.response(client).body == "GET /b? []");
}

TEST_CASE("a body of the limit is taken, and one byte more is 413 before it is sent") {
    TestServer server;
    mirror(server);
    server.config.body_max_bytes = 1000;
    server.start();
    Client& just = server.connect();
    just.send(plain_request("POST /", "", std::string(1000, 'x')));
    CHECK(server.response(just).body == "POST /? [" + std::string(1000, 'x') + "]");
    Client& over = server.connect();
    over.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
    CHECK(server.response(over).status == 413);
    CHECK(server.rest(over) == "end");
}

TEST_CASE("a client that expects 100 is told to go on, once the head is known to be good") {
    TestServer server;
    mirror(server);
    server.start();
    Client& client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    CHECK(server.response(client).status == 100);
    server.drip(client, "abc");
    CHECK(server.response(client).body == "POST /? [abc]");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n");
    CHECK(server.response(client).status == 413);
}

TEST_CASE("a connection of HTTP/1.0 is kept only where the client asks for it, and that is said") {
    TestServer server;
    mirror(server);
    server.start();
    Client& once = server.connect();
    once.send("GET /a HTTP/1.0\r\n\r\n");
    CHECK(server.response(once).header("Connection") == "close");
    CHECK(server.rest(once) == "end");
    Client& kept = server.connect();
    kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(server.response(kept).header("Connection") == "keep-alive");
    kept.send("GET /b HTTP/1.0\r\n\r\n");
    CHECK(server.response(kept).body == "GET /b? []");
    CHECK(server.rest(kept) == "end");
}

TEST_CASE("Connection: close is honoured, and what was pipelined behind it is not answered") {
    TestServer server;
    mirror(server);
    server.start();
    Client& client = server.connect();
    client.send(plain_request("GET /a", "Connection: close\r\n") + plain_request("GET /b"));
    const Response response = server.response(client);
    CHECK(response.body == "GET /a? []");
    CHECK(response.header("Connection") == "close");
    CHECK(server.rest(client) == "end");
}

TEST_CASE("a client that closes its half after the request still gets its answer") {
    TestServer server;
    mirror(server);
    server.start();
    Client& client = server.connect();
    client.hold_output = true;
    client.send(plain_request("GET /a"));
    client.hold_output = false;
    client.send("");
    client.end();
    CHECK(server.response(client).body == "GET /a? []");
    CHECK(server.rest(client) == "end");
}

TEST_CASE("a connection kept alive for nothing ends without an answer") {
    TestServer server;
    mirror(server);
    server.start();
    Client& client = server.connect();
    client.send(plain_request("GET /a"));
    CHECK(server.response(client).status == 200);
    server.pass(9999);
    CHECK(!client.ended);
    server.pass(1);
    CHECK(client.ended);
    CHECK(client.input.empty());
    CHECK(server.stats().handshake_timeouts == 0);
}

TEST_CASE("an answer of any size arrives whole") {
    TestServer server;
    std::string body;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        CHECK(wsd_respond(server, conn, 200, nullptr, 0, body.data(), body.size()) == WSD_OK);
    };
    server.start();
    Client& client = server.connect();
    for (const size_t size : {0, 1, 16384, 262000, 262144, 300000, 5000000}) {
        CAPTURE(size);
        body.assign(size, 'x');
        client.send(plain_request("GET /"));
        const Response response = server.response(client);
        CHECK(response.header("Content-Length") == std::to_string(size));
        CHECK(response.body == body);
    }
}

TEST_CASE("a client that asks and does not read is not read from either") {
    TestServer server;
    const std::string body(50000, 'x');
    size_t asked = 0;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        asked++;
        CHECK(wsd_respond(server, conn, 200, nullptr, 0, body.data(), body.size()) == WSD_OK);
    };
    server.start_narrow();
    Client& client = server.connect();
    client.reading = false;
    for (int i = 0; i < 200; i++) client.send(plain_request("GET /"));
    server.settle();
    CHECK(asked < 20);
    CHECK(server.stats().queued_bytes < 500000);
    client.reading = true;
    for (int i = 0; i < 200; i++) CHECK(server.response(client).body == body);
    CHECK(asked == 200);
}

TEST_CASE("without on_request a plain request is told to upgrade") {
    TestServer server;
    server.start();
    Client& client = server.connect();
    client.send(plain_request("HEAD /"));
    const Response response = server.response(client, true);
    CHECK(response.status == 426);
    CHECK(response.header("Upgrade") == "websocket");
    CHECK(server.rest(client) == "end");
}

TEST_CASE("the accessors tell the request as it was sent") {
    TestServer server;
    int seen = 0;
    server.on_request = [&](wsd_conn conn, const wsd_request* request) {
        seen++;
        CHECK(str(wsd_request_method(request)) == "GET");
        CHECK(str(wsd_request_target(request)) == "/a%20b?c=%64&e");
        CHECK(str(wsd_request_path(request)) == "/a%20b");
        CHECK(str(wsd_request_query(request)) == "c=%64&e");
        CHECK(str(wsd_request_header(request, "x-first")) == "1");
        CHECK(wsd_request_header(request, "x-none").p == nullptr);
        CHECK(wsd_request_header(request, nullptr).p == nullptr);
        CHECK(wsd_request_offers(request, "chat"));
        CHECK(!wsd_request_offers(request, "cha"));
        CHECK(!wsd_request_offers(request, nullptr));
        wsd_str name, value;
        std::string names;
        for (size_t i = 0; wsd_request_header_at(request, i, &name, &value) == WSD_OK; i++) names += str(name) + " ";
        CHECK(names == "Host X-First x-first Sec-WebSocket-Protocol ");
        CHECK(wsd_request_header_at(request, 0, nullptr, &value) == WSD_E_INVALID);
        CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_E_INVALID);  // a plain request cannot be accepted
        CHECK(wsd_send(server, conn, WSD_TEXT, "x", 1) == WSD_E_INVALID);
        CHECK(wsd_ping(server, conn, "x", 1) == WSD_E_INVALID);
        CHECK(wsd_pause(server, conn) == WSD_E_INVALID);
        CHECK(wsd_respond(server, conn, 204, nullptr, 0, nullptr, 0) == WSD_OK);
    };
    server.start();
    Client& client = server.connect();
    client.send(plain_request("GET /a%20b?c=%64&e", "X-First: 1\r\nx-first: 2\r\nSec-WebSocket-Protocol: chat\r\n"));
    CHECK(server.response(client).status == 204);
    CHECK(seen == 1);
}
