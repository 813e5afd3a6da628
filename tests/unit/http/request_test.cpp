#include "http/request.h"

#include <string>
#include <vector>

#include "support/parsed_request.h"

using namespace wsd;
using namespace wsd::http;
using test::ParsedRequest;
using test::to_string;

TEST_CASE("a request is taken apart into slices of its head") {
    const ParsedRequest r("GET /chat?room=1&x=%20 HTTP/1.1\r\nHost: example.com:9001\r\nX-Empty:\r\n\r\n");
    REQUIRE(r.step == Step::kDone);
    CHECK(r.text(r.request.method) == "GET");
    CHECK(r.text(r.request.target) == "/chat?room=1&x=%20");
    CHECK(r.text(r.request.path) == "/chat");
    CHECK(r.text(r.request.query) == "room=1&x=%20");
    CHECK(r.text(r.request.authority) == "example.com:9001");
    CHECK(r.request.minor == 1);
    CHECK(r.request.keep_alive);
    CHECK(r.request.framing == Framing::kNone);
    CHECK(r.request.content_length == 0);
    CHECK_FALSE(r.request.expect_continue);
    CHECK_FALSE(r.request.upgrade_websocket);
    CHECK_FALSE(r.request.connection_upgrade);
    REQUIRE(r.request.header_count == 2);
    CHECK(r.text(r.request.headers[0].name) == "Host");
    CHECK(r.text(r.request.headers[0].value) == "example.com:9001");
    CHECK(r.text(r.request.headers[1].name) == "X-Empty");
    CHECK(r.text(r.request.headers[1].value) == "");
}

TEST_CASE("a parse leaves nothing of the one before it") {
    const ParsedRequest big(
        "POST http://a/b?c HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, upgrade\r\nUpgrade: websocket\r\n"
        "Content-Length: 5\r\n\r\n");
    REQUIRE(big.step == Step::kDone);
    Request again = big.request;
    const Bytes head = bytes_of("GET / HTTP/1.1\r\nHost:\r\n\r\n");
    Refusal refusal;
    REQUIRE(parse_head(head, &again, &refusal) == Step::kDone);
    CHECK(again.headers == big.request.headers);
    CHECK(again.header_count == 1);
    CHECK(again.query.len == 0);
    CHECK(again.authority.len == 0);
    CHECK(again.minor == 1);
    CHECK_FALSE(again.upgrade_websocket);
    CHECK_FALSE(again.connection_upgrade);
    CHECK(again.framing == Framing::kNone);
    CHECK(again.content_length == 0);
}

TEST_CASE("path, query and authority are found in every form of target") {
    struct {
        const char* line;
        const char* path;
        const char* query;
        const char* authority;
    } const rows[] = {
        {"GET / HTTP/1.1", "/", "", "host"},
        {"GET /? HTTP/1.1", "/", "", "host"},
        {"GET /a?b?c HTTP/1.1", "/a", "b?c", "host"},
        {"GET //a/../b HTTP/1.1", "//a/../b", "", "host"},
        {"GET /a%00|{}\"<>\\^` HTTP/1.1", "/a%00|{}\"<>\\^`", "", "host"},
        {"GET http://other:81/a?b HTTP/1.1", "/a", "b", "other:81"},
        {"GET HTTPS://other HTTP/1.1", "/", "", "other"},
        {"GET http://other?b/c HTTP/1.1", "/", "b/c", "other"},
        {"GET http://[::1]:81/ HTTP/1.1", "/", "", "[::1]:81"},
        {"GET http://other/http://x?y HTTP/1.1", "/http://x", "y", "other"},
        {"OPTIONS * HTTP/1.1", "*", "", "host"},
        {"OPTIONS /a HTTP/1.1", "/a", "", "host"},
        {"CONNECT other:443 HTTP/1.1", "other:443", "", "other:443"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        const ParsedRequest r(std::string(row.line) + "\r\nHost: host\r\n\r\n");
        CHECK(r.status() == 0);
        CHECK(r.text(r.request.path) == row.path);
        CHECK(r.text(r.request.query) == row.query);
        CHECK(r.text(r.request.authority) == row.authority);
    }
}

TEST_CASE("a minor version over 1 is read as 1") {
    for (const char* const version : {"1.1", "1.2", "1.9"}) {
        CHECK(ParsedRequest("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n\r\n").request.minor == 1);
    }
    CHECK(ParsedRequest("GET / HTTP/1.0\r\n\r\n").request.minor == 0);
}

TEST_CASE("a connection is kept by version and Connection options, and close always wins") {
    struct {
        const char* version;
        const char* connection;
        bool keep_alive;
    } const rows[] = {
        {"HTTP/1.1", "", true},
        {"HTTP/1.1", "Connection: close\r\n", false},
        {"HTTP/1.1", "Connection: CLOSE\r\n", false},
        {"HTTP/1.1", "Connection: x, close\r\n", false},
        {"HTTP/1.1", "Connection: x\r\nConnection: close\r\n", false},
        {"HTTP/1.1", "Connection: keep-alive, close\r\n", false},
        {"HTTP/1.1", "Connection: closed\r\n", true},
        {"HTTP/1.2", "", true},
        {"HTTP/1.0", "", false},
        {"HTTP/1.0", "Connection: Keep-Alive\r\n", true},
        {"HTTP/1.0", "Connection: close\r\nConnection: keep-alive\r\n", false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.version);
        CAPTURE(row.connection);
        const ParsedRequest r("GET / " + std::string(row.version) + "\r\nHost: a\r\n" + row.connection + "\r\n");
        CHECK(r.status() == 0);
        CHECK(r.request.keep_alive == row.keep_alive);
    }
}

TEST_CASE("Upgrade and Connection are lists in any case, over several lines") {
    struct {
        const char* headers;
        bool websocket;
        bool upgrade;
    } const rows[] = {
        {"Upgrade: websocket\r\nConnection: Upgrade\r\n", true, true},
        {"upgrade: WebSocket\r\nCONNECTION: upgrade\r\n", true, true},
        {"Upgrade: h2c, websocket\r\nConnection: keep-alive, Upgrade\r\n", true, true},
        {"Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n", true, true},
        {"Upgrade: websocket\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nConnection: close\r\n", true, true},
        {"Upgrade: websocket/13\r\nConnection: Upgrade\r\n", false, true},  // no version is registered (§11.2)
        {"Upgrade: \"websocket\"\r\nConnection: \"Upgrade\"\r\n", false, false},
        {"Upgrade: websockets\r\nConnection: Upgraded\r\n", false, false},
        {"Upgrade: web, socket\r\n", false, false},
        {"Upgrade:\r\nConnection:\r\n", false, false},
        {"Connection: websocket\r\nUpgrade: upgrade\r\n", false, false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.headers);
        const ParsedRequest r("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(row.headers) + "\r\n");
        CHECK(r.status() == 0);
        CHECK(r.request.upgrade_websocket == row.websocket);
        CHECK(r.request.connection_upgrade == row.upgrade);
    }
}

TEST_CASE("a header that means nothing here is kept, whatever its length") {
    const ParsedRequest r(
        "GET / HTTP/1.1\r\nHost: a\r\nDate: websocket\r\nCookie: 100-continue\r\nReferer: websocket\r\n"
        "User-Agent: close\r\nAccept-Charset: 5\r\nX-Something-Else1: chunked\r\n\r\n");
    REQUIRE(r.step == Step::kDone);
    CHECK(r.request.header_count == 7);
    CHECK(r.request.keep_alive);
    CHECK(r.request.framing == Framing::kNone);
    CHECK_FALSE(r.request.expect_continue);
    CHECK_FALSE(r.request.upgrade_websocket);
}

TEST_CASE("Expect: 100-continue counts from HTTP/1.1 on") {
    CHECK(ParsedRequest("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n").request.expect_continue);
    CHECK(ParsedRequest("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: x\r\n\r\n")
              .request.expect_continue);
    CHECK_FALSE(ParsedRequest("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n").request.expect_continue);
    CHECK_FALSE(ParsedRequest("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").request.expect_continue);
}

TEST_CASE("Content-Length frames the body, also one of no bytes") {
    const ParsedRequest none("GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
    CHECK(none.request.framing == Framing::kLength);
    CHECK(none.request.content_length == 0);
    const ParsedRequest most("GET / HTTP/1.0\r\nContent-Length: 18446744073709551615\r\n\r\n");
    CHECK(most.request.framing == Framing::kLength);
    CHECK(most.request.content_length == UINT64_MAX);
}

TEST_CASE("the largest head is parsed, with its last slice at its end") {
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    text += std::string(kHeadMaxBytes - 4 - text.size(), 'x') + "\r\n\r\n";
    const ParsedRequest r(text, {kHeadMaxBytes, 2});
    REQUIRE(r.status() == 0);
    const Slice last = r.request.headers[1].value;
    CHECK(size_t(last.at) + last.len + 4 == kHeadMaxBytes);
}

TEST_CASE("headers of one name are found in any case, one after the other") {
    const ParsedRequest r("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\nx: 3\r\nXX: 4\r\n\r\n");
    REQUIRE(r.status() == 0);
    std::string found;
    for (size_t i = 0; const Header* h = find_header(r.head, r.request, "X", &i);) found += r.text(h->value);
    CHECK(found == "13");
    size_t from = 0;
    CHECK(find_header(r.head, r.request, "Z", &from) == nullptr);
}

TEST_CASE("headers of one name make one list") {
    const ParsedRequest r("GET / HTTP/1.1\r\nHost: a\r\nX: 1, 2\r\nY: no\r\nX:\r\nX: ,\r\nx: \"3, 4\", five\r\n\r\n");
    REQUIRE(r.status() == 0);
    std::vector<std::string> all;
    ListWalk walk;
    for (Bytes element; next_listed(r.head, r.request, "X", &walk, &element);) all.push_back(to_string(element));
    CHECK(all == std::vector<std::string>{"1", "2", "\"3, 4\"", "five"});
    CHECK(header_lists(r.head, r.request, "X", "FIVE"));
    CHECK_FALSE(header_lists(r.head, r.request, "X", "3"));
    CHECK_FALSE(header_lists(r.head, r.request, "X", "no"));
    CHECK_FALSE(header_lists(r.head, r.request, "Z", "1"));
}
