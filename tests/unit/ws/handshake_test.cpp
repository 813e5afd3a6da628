#include "ws/handshake.h"

#include <string>

#include "support/parsed_request.h"

using namespace wsd;
using test::ParsedRequest;
using test::to_bytes;
using test::to_string;

namespace {

std::string accept_of(const char* key) {
    char accept[ws::kAcceptSize + 1] = {};
    accept[ws::kAcceptSize] = '!';  // no NUL is written
    ws::accept_value(bytes_of(key), accept);
    CHECK(accept[ws::kAcceptSize] == '!');
    return {accept, ws::kAcceptSize};
}

ParsedRequest offering(const std::string& lines) {
    return ParsedRequest("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
}

std::string chosen(const ParsedRequest& r, const char* supported) {
    return to_string(ws::choose_subprotocol(r.head, r.request, bytes_of(supported)));
}

}  // namespace

TEST_CASE("the accept value is the one that RFC 6455 and others compute") {
    CHECK(accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // §1.3
    CHECK(accept_of("AAAAAAAAAAAAAAAAAAAAAA==") == "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
    CHECK(accept_of("/////////////////////w==") == "XXpj4jYzLM2yUE0C7TIgMwTQh2g=");
}

TEST_CASE("a good upgrade gives its accept value") {
    const ParsedRequest r = offering(
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a, b\r\n");
    REQUIRE(r.status() == 0);
    char accept[ws::kAcceptSize];
    http::Refusal refusal;
    CHECK(ws::check_upgrade(r.head, r.request, {}, accept, &refusal) == http::Step::kDone);
    CHECK(std::string(accept, sizeof(accept)) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("the client's order decides among the subprotocols that both have") {
    const ParsedRequest r = offering("Sec-WebSocket-Protocol: a, b\r\nX: d\r\nSec-WebSocket-Protocol: c\r\n");
    CHECK(chosen(r, "b, a") == "a");
    CHECK(chosen(r, "c,b") == "b");
    // A slice of the head, which lives as long as the request; `supported` may not.
    const Bytes b = ws::choose_subprotocol(r.head, r.request, bytes_of("b"));
    CHECK((b.p > r.head.p && b.p < r.head.p + r.head.len));
    CHECK(chosen(r, "c") == "c");
    CHECK(chosen(r, " , x ,c") == "c");
    CHECK(chosen(r, "A") == "");
    CHECK(chosen(r, "d") == "");
    CHECK(chosen(r, "") == "");
    CHECK(chosen(offering(""), "a") == "");
}

TEST_CASE("a subprotocol is offered only in exactly its name") {
    const ParsedRequest r = offering("Sec-WebSocket-Protocol: wsd.v1, bearer.TOKEN\r\nsec-websocket-protocol: x\r\n");
    for (const char* const name : {"wsd.v1", "bearer.TOKEN", "x"}) {
        CHECK(ws::offers_subprotocol(r.head, r.request, bytes_of(name)));
    }
    for (const char* const name : {"", "wsd", "wsd.v", "wsd.v11", "WSD.v1", "bearer.token", "wsd.v1, bearer.TOKEN"}) {
        CHECK_FALSE(ws::offers_subprotocol(r.head, r.request, bytes_of(name)));
    }
}

TEST_CASE("the most subprotocols that are compared are taken, and one more is refused") {
    std::string list = "p0";
    for (size_t i = 1; i < ws::kSubprotocolsMax; i++) list += ", p" + std::to_string(i);
    const std::string lines =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ";
    const ParsedRequest most = offering(lines + list + "\r\n");
    const ParsedRequest more = offering(lines + list + ", x\r\n");
    char accept[ws::kAcceptSize];
    http::Refusal refusal;
    CHECK(ws::check_upgrade(most.head, most.request, {}, accept, &refusal) == http::Step::kDone);
    CHECK(chosen(most, "p63") == "p63");
    CHECK(ws::check_upgrade(more.head, more.request, {}, accept, &refusal) == http::Step::kRefused);
    CHECK(refusal.status == 400);
}
