#include "ws/client_handshake.h"

#include <string>

#include "support/parsed_request.h"
#include "ws/handshake.h"

using namespace wsd;
using test::ParsedRequest;
using test::to_bytes;
using test::to_string;

namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string kUpgrade = "Upgrade: websocket\r\n";
const std::string kConnection = "Connection: Upgrade\r\n";
const std::string kAccept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

bool opens(const std::string& text) {
    http::HeadScan scan;
    http::Refusal refusal;
    test::GuardPage page(text.size());
    const Bytes head = {page.before_end(text.data(), text.size()), text.size()};
    REQUIRE(scan_head(head, {}, &scan, &refusal) == http::Step::kDone);
    return ws::check_client_response(head, kKey);
}

}  // namespace

TEST_CASE("what a client writes is an upgrade that a server takes") {
    for (const char* const subprotocols : {static_cast<const char*>(nullptr), "wsd.v1, chat"}) {
        uint8_t out[512];
        const size_t size =
            ws::write_client_request({"[::1]:9001", "/chat?room=1", kKey, subprotocols}, out, sizeof(out));
        const ParsedRequest r(to_string({out, size}));
        REQUIRE(r.status() == 0);
        CHECK(r.text(r.request.target) == "/chat?room=1");
        CHECK(r.text(r.request.authority) == "[::1]:9001");
        CHECK(ws::offers_subprotocol(r.head, r.request, bytes_of("chat")) == (subprotocols != nullptr));
        char accept[ws::kAcceptSize];
        http::Refusal refusal;
        CHECK(ws::check_upgrade(r.head, r.request, {}, accept, &refusal) == http::Step::kDone);
    }
}

TEST_CASE("a client's request is written whole or not at all") {
    uint8_t out[512];
    const size_t size = ws::write_client_request({"a", "/", kKey}, out, sizeof(out));
    REQUIRE(size > 0);
    const std::string blank(size, '?');
    test::GuardPage page(size);
    CHECK(ws::write_client_request({"a", "/", kKey}, page.before_end(blank.data(), size), size) == size);
    uint8_t* const small = page.before_end(blank.data(), size - 1);
    CHECK(ws::write_client_request({"a", "/", kKey}, small, size - 1) == 0);
    CHECK(to_string({small, size - 1}) == blank.substr(1));
}

TEST_CASE("only the right 101 opens a client's connection (§4.1)") {
    const std::string line = "HTTP/1.1 101 Switching Protocols\r\n", end = "\r\n";
    struct {
        const char* what;
        std::string head;
        bool opens;
    } const rows[] = {
        {"all as it should be", line + kUpgrade + kConnection + kAccept + end, true},
        {"no phrase", "HTTP/1.1 101 \r\n" + kUpgrade + kConnection + kAccept + end, true},
        {"any case, any order",
         line + "sec-websocket-" + kAccept.substr(14) + "CONNECTION: x, upgrade\r\nupgrade: WebSocket\r\n" + end, true},
        {"a subprotocol", line + kUpgrade + kConnection + kAccept + "Sec-WebSocket-Protocol: a\r\n" + end, true},
        {"another status", "HTTP/1.1 200 OK\r\n" + kUpgrade + kConnection + kAccept + end, false},
        {"a longer status", "HTTP/1.1 1011 x\r\n" + kUpgrade + kConnection + kAccept + end, false},
        {"HTTP/1.0", "HTTP/1.0 101 x\r\n" + kUpgrade + kConnection + kAccept + end, false},
        {"no status line", "X: y\r\n" + kUpgrade + kConnection + kAccept + end, false},
        {"no Upgrade", line + kConnection + kAccept + end, false},
        {"Upgrade to something else", line + "Upgrade: h2c\r\n" + kConnection + kAccept + end, false},
        {"Upgrade to something else too", line + kUpgrade + "Upgrade: h2c\r\n" + kConnection + kAccept + end, false},
        {"no Connection", line + kUpgrade + kAccept + end, false},
        {"Connection without upgrade", line + kUpgrade + "Connection: close\r\n" + kAccept + end, false},
        {"no accept value", line + kUpgrade + kConnection + end, false},
        {"a wrong accept value",
         line + kUpgrade + kConnection + "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" + end, false},
        {"a short accept value",
         line + kUpgrade + kConnection + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n" + end, false},
        {"two accept values", line + kUpgrade + kConnection + kAccept + kAccept + end, false},
        {"an extension", line + kUpgrade + kConnection + kAccept + "Sec-WebSocket-Extensions: x\r\n" + end, false},
        {"a malformed header", line + kUpgrade + kConnection + kAccept + "X : y\r\n" + end, false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK(opens(row.head) == row.opens);
    }
}

TEST_CASE("an offer is written, and its extension, and no other, may be agreed to") {
    uint8_t out[512];
    const size_t size = ws::write_client_request({"a", "/", kKey, nullptr, "x; y=1"}, out, sizeof(out));
    CHECK(std::string(reinterpret_cast<const char*>(out), size).find("\r\nSec-WebSocket-Extensions: x; y=1\r\n\r\n") !=
          std::string::npos);
    const auto agrees = [](const std::string& extension) {
        const std::string head = "HTTP/1.1 101 Switching Protocols\r\n" + kUpgrade + kConnection + kAccept +
                                 "Sec-WebSocket-Extensions: " + extension + "\r\n\r\n";
        return ws::check_client_response(bytes_of(head.c_str()), kKey, "x");
    };
    CHECK(agrees("x"));
    CHECK(agrees("x; y=2"));
    CHECK_FALSE(agrees("xx"));
    CHECK_FALSE(agrees("x, x"));
    CHECK_FALSE(agrees("x; y="));
    CHECK_FALSE(agrees("y"));
}
