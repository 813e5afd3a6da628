// The opening handshake over a socket (§4): what opens a connection, in how many pieces it may come, and what each
// request that does not is answered.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

TEST_CASE("a good upgrade is answered with 101 and the accept value of its key") {
    TestServer server;
    server.start();
    Client& client = server.connect();
    client.send(upgrade_request());
    const Response response = server.response(client);
    CHECK(response.status == 101);
    CHECK(response.header("Upgrade") == "websocket");
    CHECK(response.header("Connection") == "Upgrade");
    CHECK(response.header("Sec-WebSocket-Accept") == kAccept);
    CHECK(response.header("Sec-WebSocket-Protocol") == "(none)");
    CHECK(response.header("Content-Length") == "(none)");
    CHECK(server.opened.size() == 1);
    client.send(text("hi"));
    CHECK(server.next(client) == "text:hi");
}

TEST_CASE("a request cut in two at any byte opens, and the frame behind it is not lost") {
    TestServer server;
    server.start();
    const std::string wire = upgrade_request() + text("first");
    for (size_t cut = 1; cut < wire.size(); cut++) {
        CAPTURE(cut);
        Client& client = server.connect();
        client.send(wire.substr(0, cut));
        server.turn();
        client.send(wire.substr(cut));
        CHECK(server.response(client).status == 101);
        CHECK(server.next(client) == "text:first");
        client.close();
    }
}

TEST_CASE("a request that comes a byte at a time opens, and so do the frames behind it") {
    TestServer server;
    server.start();
    Client& client = server.connect();
    server.drip(client, upgrade_request() + text("one") + ping("p") + binary(std::string(200, 'x')) + bye(1000));
    CHECK(server.response(client).status == 101);
    CHECK(server.rest(client) == "text:one pong:p binary:" + std::string(200, 'x') + " close:1000 end");
}

TEST_CASE("empty lines before the request line are passed over") {
    TestServer server;
    server.start();
    for (const bool dripped : {false, true}) {
        Client& client = server.connect();
        const std::string wire = "\r\n\r\n" + upgrade_request();
        if (dripped) {
            server.drip(client, wire);
        } else {
            client.send(wire);
        }
        CHECK(server.response(client).status == 101);
    }
}

namespace {

struct Refusal {
    const char* what;
    int status;
    Request request;
};

const Refusal kRefusals[] = {
    {"no Host", 400, {.host = ""}},
    {"a line without colon", 400, {.more = "nonsense\r\n"}},
    {"no key", 400, {.key = ""}},
    {"a key of 15 bytes", 400, {.key = "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0O\r\n"}},
    {"a key of 17 bytes", 400, {.key = "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODxA=\r\n"}},
    {"two keys", 400, {.more = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}},
    {"no version", 400, {.version = ""}},
    {"Connection without upgrade", 400, {.upgrade = "Upgrade: websocket\r\nConnection: keep-alive\r\n"}},
    {"a body", 400, {.more = "Content-Length: 1\r\n", .body = "x"}},
    {"a subprotocol that is no token", 400, {.more = "Sec-WebSocket-Protocol: a@b\r\n"}},
    {"not GET", 405, {.line = "POST / HTTP/1.1"}},
    {"chunked", 411, {.more = "Transfer-Encoding: chunked\r\n"}},
    {"a body over the limit", 413, {.line = "PUT / HTTP/1.1", .upgrade = "", .more = "Content-Length: 65537\r\n"}},
    {"a target over the limit", 414, {.line = "GET /" + std::string(8192, 'a') + " HTTP/1.1"}},
    {"an old version", 426, {.version = "Sec-WebSocket-Version: 8\r\n"}},
    {"a later version", 426, {.version = "Sec-WebSocket-Version: 14\r\n"}},
    {"HTTP/1.0", 426, {.line = "GET / HTTP/1.0"}},
    {"a plain request", 426, {.upgrade = ""}},
    {"headers over the limit", 431, {.more = "X: " + std::string(8192, 'a') + "\r\n"}},
    {"a coding nobody speaks", 501, {.more = "Transfer-Encoding: gzip, chunked\r\n"}},
    {"HTTP/2", 505, {.line = "GET / HTTP/2.0"}},
};

}  // namespace

TEST_CASE("each request that cannot open a connection has its status, and the stream ends after it") {
    TestServer server;
    server.start();
    for (const Refusal& row : kRefusals) {
        for (const bool dripped : {false, true}) {
            CAPTURE(std::string(row.what));
            CAPTURE(dripped);
            if (dripped && row.request.str().size() > 4096) continue;
            Client& client = server.connect();
            if (dripped) {
                server.drip(client, row.request.str());
            } else {
                client.send(row.request.str());
            }
            const Response response = server.response(client);
            CHECK(response.status == row.status);
            CHECK(response.header("Connection") == "close");
            CHECK(response.header("Allow") == (row.status == 405 ? "GET" : "(none)"));
            CHECK(response.header("Sec-WebSocket-Version") == (row.status == 426 ? "13" : "(none)"));
            CHECK(server.rest(client) == "end");
        }
    }
    server.settle();
    CHECK(server.opened.empty());
}

TEST_CASE("a header over the number allowed is 431") {
    TestServer server;
    server.config.head_max_count = 6;
    server.start();
    Client& just = server.connect();
    just.send(upgrade_request("A: 1\r\n"));
    CHECK(server.response(just).status == 101);
    Client& over = server.connect();
    over.send(upgrade_request("A: 1\r\nB: 2\r\n"));
    CHECK(server.response(over).status == 431);
}

TEST_CASE("a head of exactly the limit is taken") {
    TestServer server;
    server.config.head_max_bytes = 400;
    server.start();
    for (const int over : {0, 1}) {
        Client& client = server.connect();
        const size_t bare = upgrade_request("X: \r\n").size();
        client.send(upgrade_request("X: " + std::string(400 - bare + over, 'a') + "\r\n"));
        CHECK(server.response(client).status == (over ? 431 : 101));
    }
}

TEST_CASE("a handshake that does not come in time is answered 408") {
    TestServer server;
    server.start();
    Client& silent = server.connect();
    Client& slow = server.connect();
    slow.send("GET / HTTP/1.1\r\n");
    server.pass(9000);
    slow.send("Host: a\r\n");  // activity does not stretch the time
    server.pass(999);
    CHECK(!silent.ended);
    server.pass(1);
    for (Client* client : {&silent, &slow}) {
        CHECK(server.response(*client).status == 408);
        CHECK(server.rest(*client) == "end");
    }
    CHECK(server.stats().handshake_timeouts == 2);
    silent.close();
    slow.close();
    server.settle();
    CHECK(server.stats().handshakes_failed == 2);
    CHECK(server.stats().connections_active == 0);
}

TEST_CASE("a handshake timeout of 0 is none") {
    TestServer server;
    server.config.handshake_timeout_ms = 0;
    server.start();
    Client& client = server.connect();
    server.pass(3600000);
    client.send(upgrade_request());
    CHECK(server.response(client).status == 101);
}

TEST_CASE("the server's choice of subprotocol is the client's first that it speaks") {
    const struct {
        const char* offer;
        const char* chosen;
    } rows[] = {
        {"Sec-WebSocket-Protocol: chat\r\n", "chat"},
        {"Sec-WebSocket-Protocol: other, v2.chat , chat\r\n", "v2.chat"},
        {"Sec-WebSocket-Protocol: other\r\nSec-WebSocket-Protocol: chat\r\n", "chat"},
        {"Sec-WebSocket-Protocol: CHAT\r\n", "(none)"},
        {"Sec-WebSocket-Protocol: other\r\n", "(none)"},
        {"", "(none)"},
    };
    TestServer server;
    server.config.subprotocols = "chat, v2.chat";
    server.start();
    for (const auto& row : rows) {
        CAPTURE(std::string(row.offer));
        Client& client = server.connect();
        client.send(upgrade_request(row.offer));
        const Response response = server.response(client);
        CHECK(response.status == 101);
        CHECK(response.header("Sec-WebSocket-Protocol") == row.chosen);
        const char* const told = server.info(server.opened.back()).subprotocol;
        CHECK(std::string(told ? told : "(none)") == row.chosen);
    }
}

TEST_CASE("an upgrade over HTTP/1.0 is taken where the configuration allows it") {
    TestServer server;
    server.config.allow_http10 = 1;
    server.start();
    Client& client = server.connect();
    client.send(Request{.line = "GET / HTTP/1.0"}.str() + text("hi"));
    CHECK(server.response(client).status == 101);
    CHECK(server.next(client) == "text:hi");
}

TEST_CASE("a connection says where it comes from and which listener took it") {
    TestServer server;
    server.start();
    const std::string path = "/tmp/wsd_handshake_test_" + std::to_string(getpid());
    CHECK(wsd_server_listen(server, ("unix:" + path).c_str()) == 1);
    server.open();
    server.address = "unix:" + path;
    server.open();
    CHECK(std::string(server.info(server.opened[0]).peer).rfind("127.0.0.1:", 0) == 0);
    CHECK(server.info(server.opened[0]).listener == 0);
    CHECK(std::string(server.info(server.opened[1]).peer) == "unix:");
    CHECK(server.info(server.opened[1]).listener == 1);
    server.free();
    CHECK(access(path.c_str(), F_OK) != 0);  // the file that it made is gone with it
}
