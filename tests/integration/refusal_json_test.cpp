// What the server refuses by itself, answered for programs: a code that tells why, and when to come again.
#include "support/test_server.h"

using namespace test;

namespace {

std::string error_body(const std::string& code, const std::string& message) {
    return R"({"error":{"code":")" + code + R"(","message":")" + message + R"("}})";
}

// What has come, with the stream's end behind it.
void check_refused(const Response& response, int status, const std::string& body) {
    CHECK(response.status == status);
    CHECK(response.body == body);
    CHECK(response.header("Content-Type") == "application/json");
    CHECK(response.header("Connection") == "close");
    CHECK((response.header("Retry-After") == "(none)") == (status != 429 && status != 503));
}

struct JsonServer : TestServer {
    JsonServer() { config.refusals_json = 1; }
};

struct Row {
    const char* request;
    int status;
    const char* code;
    const char* message;
};

const Row kRows[] = {
    {"GET / HTTP/1.1\r\n\r\n", 400, "bad_request", "no Host"},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version_not_supported", "not HTTP/1"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426, "upgrade_required", "plain request, and nobody answers those here"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n", 413, "body_too_large", "body too large"},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 411, "length_required", "chunked body"},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "not_implemented",
     "transfer coding not understood"},
    {"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 405, "method_not_allowed",
     "upgrade needs GET"},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
     "Sec-WebSocket-Key: short\r\n\r\n",
     400, "bad_request", "Sec-WebSocket-Key is not one of 16 bytes in base64"},
};

}  // namespace

TEST_CASE("a request that the server refuses is answered with a code as JSON") {
    for (const Row& row : kRows) {
        CAPTURE(row.request);
        JsonServer server;
        server.config.body_max_bytes = 10;
        server.start();
        Client& client = server.connect();
        client.send(row.request);
        check_refused(server.response(client), row.status, error_body(row.code, row.message));
        CHECK(server.until([&] { return client.ended; }));
    }
}

TEST_CASE("heads over the limits have codes of their own") {
    JsonServer server;
    server.config.head_max_bytes = 256;
    server.start();
    Client& line = server.connect();
    line.send("GET /" + std::string(300, 'a'));
    check_refused(server.response(line), 414, error_body("target_too_long", "request line over the limit"));
    Client& head = server.connect();
    head.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300, 'a'));
    check_refused(server.response(head), 431, error_body("head_too_large", "head over the limit"));
}

TEST_CASE("the answer to HEAD has the length of the body, and no body") {
    JsonServer server;
    server.start();
    Client& client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const Response response = server.response(client, true);
    CHECK(response.status == 426);
    CHECK(response.header("Sec-WebSocket-Version") == "13");
    CHECK(response.header("Upgrade") == "websocket");
    const std::string body = error_body("upgrade_required", "plain request, and nobody answers those here");
    CHECK(response.header("Content-Length") == std::to_string(body.size()));
    CHECK(response.body.empty());
}

TEST_CASE("a page that may not connect is told so") {
    JsonServer server;
    server.config.origins = "https://example.com";
    server.config.origins_required = 1;
    server.start();
    Client& foreign = server.connect();
    foreign.send(upgrade_request("Origin: https://example.org\r\n"));
    check_refused(server.response(foreign), 403, error_body("origin_not_allowed", "Origin not allowed"));
    Client& none = server.connect();
    none.send(upgrade_request());
    check_refused(server.response(none), 403, error_body("origin_not_allowed", "no Origin"));
}

TEST_CASE("who is turned away before a request is read gets the same answers") {
    JsonServer server;
    server.config.connection_max_count = 1;
    server.start();
    (void)server.open();
    check_refused(server.response(server.connect()), 503, error_body("server_full", "too many connections"));
}

TEST_CASE("too many connections of an address, and too many new ones, are told with the time to wait") {
    JsonServer server;
    server.config.ip_connection_max_count = 1;
    server.start();
    (void)server.open();
    const Response many = server.response(server.connect());
    check_refused(many, 429, error_body("too_many_connections", "too many connections of its client"));
    CHECK(many.header("Retry-After") == "1");

    for (const auto& [per_min, seconds] : {std::pair{1u, "60"}, {7u, "9"}, {60u, "1"}, {6000u, "1"}}) {
        CAPTURE(per_min);
        JsonServer slow;
        slow.config.ip_connect_per_min = per_min;
        slow.config.ip_connect_burst_count = 1;
        slow.start();
        (void)slow.open();
        const Response fast = slow.response(slow.connect());
        check_refused(fast, 429, error_body("too_many_connections", "too many new connections of its client"));
        CHECK(fast.header("Retry-After") == seconds);
    }
}

TEST_CASE("a client behind a proxy is told as one that connects by itself") {
    JsonServer server;
    server.config.trusted_proxies = "127.0.0.1";
    server.config.ip_connection_max_count = 1;
    server.start();
    (void)server.open(nullptr, "X-Forwarded-For: 192.0.2.1\r\n");
    Client& second = server.connect();
    second.send(upgrade_request("X-Forwarded-For: 192.0.2.1\r\n"));
    check_refused(server.response(second), 429,
                  error_body("too_many_connections", "too many connections of its client"));
}

TEST_CASE("a drain and a decision that does not come have codes of their own") {
    JsonServer server;
    server.on_request = [](wsd_conn, const wsd_request*) {};
    server.start();
    Client& late = server.connect();
    late.send(upgrade_request());
    server.settle();
    server.pass(server.config.handshake_timeout_ms);
    check_refused(server.response(late), 503, error_body("no_decision", "no decision in time"));
    Client& asked = server.connect();
    asked.send(upgrade_request());
    server.settle();
    CHECK(wsd_server_drain(server, 500) == WSD_OK);
    check_refused(server.response(asked), 503, error_body("draining", "draining"));
}

TEST_CASE("a request that does not come in time is told") {
    JsonServer server;
    server.start();
    Client& client = server.connect();
    client.send("GET /");
    server.settle();
    server.pass(server.config.handshake_timeout_ms);
    check_refused(server.response(client), 408, error_body("request_timeout", "no request in time"));
}

TEST_CASE("a reload decides how the next refusal is said") {
    TestServer server;
    server.config.connection_max_count = 1;
    server.start();
    (void)server.open();
    const Response plain = server.response(server.connect());
    CHECK(plain.status == 503);
    CHECK(plain.body == "Service Unavailable\n");
    CHECK(plain.header("Content-Type") == "text/plain");
    CHECK(plain.header("Retry-After") == "1");
    server.config.refusals_json = 1;
    REQUIRE(wsd_server_reconfigure(server, &server.config) == WSD_OK);
    check_refused(server.response(server.connect()), 503, error_body("server_full", "too many connections"));
}
