// What the RFCs say of a request and of an upgrade, row by row, with the exact status that answers it (0: taken).
#include <string>
#include <string_view>

#include "support/parsed_request.h"
#include "ws/handshake.h"

using namespace std::string_view_literals;
using test::ParsedRequest;

namespace {

struct Row {
    const char* section;
    const char* what;
    std::string_view text;
    int status;
};

// Whole heads: what can be wrong before any name is known.
const Row kHeads[] = {
    {"RFC 9112 §2.1", "the shortest request of 1.1", "GET / HTTP/1.1\r\nHost:\r\n\r\n"sv, 0},
    {"RFC 9112 §2.1", "the shortest request of 1.0", "GET / HTTP/1.0\r\n\r\n"sv, 0},
    {"RFC 9112 §2.1", "a head that has not ended", "GET / HTTP/1.1\r\nHost: a\r\n"sv, -1},
    {"RFC 9112 §2.2", "LF alone ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"sv, 400},
    {"RFC 9112 §2.2", "LF alone ends a header", "GET / HTTP/1.1\r\nHost: a\n\r\n"sv, 400},
    {"RFC 9112 §2.2", "LF alone is the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"sv, 400},
    {"RFC 9112 §2.2", "CR alone in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"RFC 9112 §2.2", "CR alone in a value", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"sv, 400},
    {"RFC 9112 §2.2", "CR twice", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"sv, 400},
    {"RFC 9112 §2.2", "CR and no LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\rX"sv, 400},
    {"RFC 9112 §2.2", "SP before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"sv, 400},
    {"RFC 9112 §2.2", "HTAB before the first header", "GET / HTTP/1.1\r\n\tX\r\nHost: a\r\n\r\n"sv, 400},
    {"RFC 9112 §5.2", "a folded value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"sv, 400},
    {"RFC 9112 §5.2", "a folded value of nothing", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\t\r\n\r\n"sv, 400},
    {"RFC 9110 §5.5", "NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"sv, 400},
    {"RFC 9110 §5.5", "another control in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x1b[2J\r\n\r\n"sv, 400},
    {"RFC 9110 §5.5", "DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"sv, 400},
    {"RFC 9110 §5.5", "obs-text in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\r\n\r\n"sv, 0},
    {"RFC 9110 §5.5", "HTAB in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\tz\r\n\r\n"sv, 0},
    {"RFC 9112 §3", "a TLS client hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv, 400},
    {"RFC 9113 §3.4", "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, 505},
};

// Request lines, before "Host: a".
const Row kRequestLines[] = {
    {"RFC 9112 §3", "a method that nobody knows", "BREW /pot HTTP/1.1", 0},
    {"RFC 9112 §3.1", "every byte of a token in a method", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1", 0},
    {"RFC 9112 §3.1", "a separator in the method", "GE(T / HTTP/1.1", 400},
    {"RFC 9112 §3.1", "obs-text in the method", "G\xc3\x8bT / HTTP/1.1", 400},
    {"RFC 9112 §3", "no method", " / HTTP/1.1", 400},
    {"RFC 9112 §3", "two spaces before the target", "GET  / HTTP/1.1", 400},
    {"RFC 9112 §3", "two spaces before the version", "GET /  HTTP/1.1", 400},
    {"RFC 9112 §3", "a space at the end", "GET / HTTP/1.1 ", 400},
    {"RFC 9112 §3", "HTAB for SP", "GET\t/\tHTTP/1.1", 400},
    {"RFC 9112 §3", "a space in the target", "GET /a b HTTP/1.1", 400},
    {"RFC 9112 §3", "the method alone", "GET", 400},
    {"RFC 9112 §3", "method and space", "GET ", 400},
    {"RFC 9112 §3", "no target", "GET  HTTP/1.1", 400},
    {"RFC 9112 §3", "no version, as in HTTP/0.9", "GET /", 400},
    {"RFC 9112 §3", "an empty version", "GET / ", 400},
    {"RFC 9112 §2.3", "a lower-case version", "GET / http/1.1", 400},
    {"RFC 9112 §2.3", "another protocol", "GET / ICAP/1.0", 400},
    {"RFC 9112 §2.3", "a version without a point", "GET / HTTP/1", 400},
    {"RFC 9112 §2.3", "a minor version of two digits", "GET / HTTP/1.10", 400},
    {"RFC 9112 §2.3", "a major version of two digits", "GET / HTTP/11.1", 400},
    {"RFC 9112 §2.3", "a version of letters", "GET / HTTP/a.b", 400},
    {"RFC 9112 §2.3", "HTTP/1.0", "GET / HTTP/1.0", 0},
    {"RFC 9110 §2.5", "HTTP/1.2", "GET / HTTP/1.2", 0},
    {"RFC 9110 §2.5", "HTTP/1.9", "GET / HTTP/1.9", 0},
    {"RFC 9110 §15.6.6", "HTTP/0.9 by name", "GET / HTTP/0.9", 505},
    {"RFC 9110 §15.6.6", "HTTP/2.0", "GET / HTTP/2.0", 505},
    {"RFC 9110 §15.6.6", "HTTP/9.9", "GET / HTTP/9.9", 505},
    {"RFC 9112 §3.2.1", "origin form", "GET /a/b?c=d&e HTTP/1.1", 0},
    {"RFC 9112 §3.2.1", "neither a slash nor a scheme", "GET a HTTP/1.1", 400},
    {"RFC 9112 §3.2.1", "a query alone", "GET ?a HTTP/1.1", 400},
    {"§3", "a fragment", "GET /a#b HTTP/1.1", 400},
    {"RFC 9112 §3.2", "obs-text in the target", "GET /\xc3\xa9 HTTP/1.1", 400},
    {"RFC 9112 §3.2.2", "absolute form", "GET http://a:80/b?c HTTP/1.1", 0},
    {"RFC 9112 §3.2.2", "absolute form, https, in upper case", "GET HTTPS://A HTTP/1.1", 0},
    {"RFC 9112 §3.2.2", "absolute form with another scheme", "GET ws://a/ HTTP/1.1", 400},
    {"RFC 9112 §3.2.2", "a scheme without slashes", "GET http:a HTTP/1.1", 400},
    {"RFC 9110 §4.2.1", "absolute form without a host", "GET http:///a HTTP/1.1", 400},
    {"RFC 9110 §4.2.1", "absolute form with a port alone", "GET http://:80/a HTTP/1.1", 400},
    {"RFC 9110 §4.2.4", "absolute form with user information", "GET http://u:p@a/ HTTP/1.1", 400},
    {"RFC 9112 §3.2.3", "CONNECT to host and port", "CONNECT a:443 HTTP/1.1", 0},
    {"RFC 9112 §3.2.3", "CONNECT to an IPv6 address", "CONNECT [::1]:443 HTTP/1.1", 0},
    {"RFC 9110 §9.3.6", "CONNECT without a port", "CONNECT a HTTP/1.1", 400},
    {"RFC 9110 §9.3.6", "CONNECT with an empty port", "CONNECT a: HTTP/1.1", 400},
    {"RFC 9110 §9.3.6", "CONNECT to port 0", "CONNECT a:0 HTTP/1.1", 400},
    {"RFC 9110 §9.3.6", "CONNECT to a path", "CONNECT /a HTTP/1.1", 400},
    {"RFC 9112 §3.2.3", "authority form for GET", "GET a:443 HTTP/1.1", 400},
    {"RFC 9112 §3.2.4", "asterisk form", "OPTIONS * HTTP/1.1", 0},
    {"RFC 9112 §3.2.4", "asterisk form for GET", "GET * HTTP/1.1", 400},
    {"RFC 9112 §3.2.4", "an asterisk and more", "OPTIONS ** HTTP/1.1", 400},
};

// Headers, behind "GET / HTTP/1.1".
const Row kHeaders[] = {
    {"RFC 9112 §3.2", "no Host", "", 400},
    {"RFC 9112 §3.2", "an empty Host", "Host:\r\n", 0},
    {"RFC 9112 §3.2", "Host with a port", "Host: example.com:9001\r\n", 0},
    {"RFC 9112 §3.2", "Host as an IPv6 address", "Host: [2001:db8::1]:80\r\n", 0},
    {"RFC 9112 §3.2", "two Hosts", "Host: a\r\nHost: b\r\n", 400},
    {"RFC 9112 §3.2", "the same Host twice", "Host: a\r\nhost: a\r\n", 400},
    {"RFC 9112 §3.2", "a list of Hosts", "Host: a, b\r\n", 400},
    {"RFC 9112 §3.2", "Host with a path", "Host: a/b\r\n", 400},
    {"RFC 9112 §3.2", "Host with user information", "Host: u@a\r\n", 400},
    {"RFC 9112 §3.2", "Host with a port of letters", "Host: a:http\r\n", 400},
    {"RFC 9112 §3.2", "Host with a port over 65535", "Host: a:65536\r\n", 400},
    {"RFC 9112 §3.2", "Host with half an IPv6 address", "Host: [::1\r\n", 400},
    {"RFC 9112 §3.2", "Host with obs-text", "Host: \xc3\xa9\r\n", 400},
    {"RFC 9112 §5.1", "SP before the colon", "Host: a\r\nX : y\r\n", 400},
    {"RFC 9112 §5.1", "HTAB before the colon", "Host: a\r\nX\t: y\r\n", 400},
    {"RFC 9112 §5", "no colon", "Host: a\r\nX\r\n", 400},
    {"RFC 9112 §5", "an empty name", "Host: a\r\n: y\r\n", 400},
    {"RFC 9112 §5", "a separator in the name", "Host: a\r\nX@Y: z\r\n", 400},
    {"RFC 9112 §5", "obs-text in the name", "Host: a\r\nX\xc3\xa9: y\r\n", 400},
    {"RFC 9112 §5", "no white space behind the colon", "Host:a\r\nX:y\r\n", 0},
    {"RFC 9112 §6.3", "a length", "Host: a\r\nContent-Length: 10\r\n", 0},
    {"RFC 9112 §6.3", "a length of 0", "Host: a\r\nContent-Length: 0\r\n", 0},
    {"RFC 9112 §6.3", "no number", "Host: a\r\nContent-Length:\r\n", 400},
    {"RFC 9112 §6.3", "a negative length", "Host: a\r\nContent-Length: -1\r\n", 400},
    {"RFC 9112 §6.3", "a length with a sign", "Host: a\r\nContent-Length: +1\r\n", 400},
    {"RFC 9112 §6.3", "a hexadecimal length", "Host: a\r\nContent-Length: 0x1\r\n", 400},
    {"RFC 9112 §6.3", "a length over 64 bits", "Host: a\r\nContent-Length: 18446744073709551616\r\n", 400},
    {"RFC 9112 §6.3", "two lengths", "Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400},
    {"RFC 9112 §6.3", "the same length twice", "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400},
    {"RFC 9112 §6.3", "a list of lengths", "Host: a\r\nContent-Length: 1, 1\r\n", 400},
    {"RFC 9112 §6.1", "chunked and a length", "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
    {"RFC 9112 §6.1", "a length and chunked", "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400},
    {"RFC 9112 §6.3", "chunked", "Host: a\r\nTransfer-Encoding: Chunked\r\n", 411},
    {"RFC 9112 §6.1", "gzip, then chunked", "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", 501},
    {"RFC 9112 §6.1", "the same in two lines", "Host: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
     501},
    {"RFC 9112 §6.3", "chunked is not the last", "Host: a\r\nTransfer-Encoding: chunked, gzip\r\n", 400},
    {"RFC 9112 §6.3", "no chunked at all", "Host: a\r\nTransfer-Encoding: gzip\r\n", 400},
    {"RFC 9112 §6.3", "identity", "Host: a\r\nTransfer-Encoding: identity\r\n", 400},
    {"RFC 9112 §6.3", "no coding", "Host: a\r\nTransfer-Encoding:\r\n", 400},
    {"RFC 9112 §6.1", "chunked twice", "Host: a\r\nTransfer-Encoding: chunked, chunked\r\n", 400},
    {"RFC 9112 §7.1", "chunked with a parameter", "Host: a\r\nTransfer-Encoding: chunked;q=1\r\n", 400},
    {"RFC 9112 §7.1", "chunked in quotes", "Host: a\r\nTransfer-Encoding: \"chunked\"\r\n", 400},
    {"RFC 9112 §7.1", "nearly chunked", "Host: a\r\nTransfer-Encoding: xchunked\r\n", 400},
};

// Headers, behind "GET / HTTP/1.0".
const Row kHeaders10[] = {
    {"RFC 9112 §3.2", "no Host", "", 0},
    {"RFC 9112 §3.2", "Host", "Host: a\r\n", 0},
    {"RFC 9112 §3.2", "two Hosts", "Host: a\r\nHost: a\r\n", 400},
    {"RFC 9112 §3.2", "a bad Host", "Host: a b\r\n", 400},
    {"RFC 9112 §6.1", "a transfer coding", "Transfer-Encoding: chunked\r\n", 400},
};

// An upgrade in which the headers called like the ones in `text` give way to them; nothing but a name: it is left out.
const Row kUpgrades[] = {
    {"§4.2.1", "all as it should be", "", 0},
    {"§4.2.1", "Upgrade among others", "Upgrade: h2c, WebSocket\r\n", 0},
    {"§4.2.1", "Upgrade to something else", "Upgrade: h2c\r\n", 400},
    {"§4.2.1", "no Upgrade", "Upgrade", 400},
    {"§4.2.1", "Connection among others", "Connection: keep-alive, UPGRADE\r\n", 0},
    {"§4.2.1", "Connection in two lines", "Connection: keep-alive\r\nConnection: upgrade\r\n", 0},
    {"§4.2.1", "Connection without upgrade", "Connection: keep-alive\r\n", 400},
    {"§4.2.1", "no Connection", "Connection", 400},
    {"§4.2.1", "a body", "Content-Length: 1\r\n", 400},
    {"§4.2.1", "a body of nothing", "Content-Length: 0\r\n", 0},
    {"§4.2.2", "version 8", "Sec-WebSocket-Version: 8\r\n", 426},
    {"§4.2.2", "version 0", "Sec-WebSocket-Version: 0\r\n", 426},
    {"§4.2.2", "version 14", "Sec-WebSocket-Version: 14\r\n", 426},
    {"§4.2.2", "version 255", "Sec-WebSocket-Version: 255\r\n", 426},
    {"§4.3", "version 256", "Sec-WebSocket-Version: 256\r\n", 400},
    {"§4.3", "version 013", "Sec-WebSocket-Version: 013\r\n", 400},
    {"§4.3", "version 13.0", "Sec-WebSocket-Version: 13.0\r\n", 400},
    {"§4.3", "an empty version", "Sec-WebSocket-Version:\r\n", 400},
    {"§4.3", "a list of versions", "Sec-WebSocket-Version: 13, 8\r\n", 400},
    {"§4.2.1", "no version", "Sec-WebSocket-Version", 400},
    {"§11.3.5", "two versions", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n", 400},
    {"§4.2.1", "no key", "Sec-WebSocket-Key", 400},
    {"§4.2.1", "an empty key", "Sec-WebSocket-Key:\r\n", 400},
    {"§11.3.1", "two keys",
     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", 400},
    {"§4.2.1", "a key of zeros", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", 0},
    {"§4.2.1", "a key of 15 bytes", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n", 400},
    {"§4.2.1", "a key of 17 bytes", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n", 400},
    {"§4.2.1", "a key of 18 bytes", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA\r\n", 400},
    {"§4.2.1", "a key of 19 bytes", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAAAA==\r\n", 400},
    {"§4.2.1", "a key without padding", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA\r\n", 400},
    {"RFC 4648 §3.5", "a key with bits in the padding", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB==\r\n", 400},
    {"RFC 4648 §5", "a key in the other alphabet", "Sec-WebSocket-Key: -_AAAAAAAAAAAAAAAAAAAA==\r\n", 400},
    {"RFC 4648 §3.3", "a key with a space", "Sec-WebSocket-Key: AAAAAAAAAA AAAAAAAAAAAA==\r\n", 400},
    {"§4.1", "subprotocols", "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n", 0},
    {"§4.1", "subprotocols that differ in case", "Sec-WebSocket-Protocol: a, A\r\n", 0},
    {"§4.1", "a subprotocol twice", "Sec-WebSocket-Protocol: a, b, a\r\n", 400},
    {"§4.1", "a subprotocol twice in two lines", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", 400},
    {"§4.1", "a subprotocol with a space", "Sec-WebSocket-Protocol: a b\r\n", 400},
    {"§4.1", "a subprotocol with a separator", "Sec-WebSocket-Protocol: a/b\r\n", 400},
    {"§4.1", "a subprotocol in quotes", "Sec-WebSocket-Protocol: \"a\"\r\n", 400},
    {"§11.3.4", "no subprotocol in the list", "Sec-WebSocket-Protocol:\r\n", 400},
    {"§11.3.4", "a list of commas", "Sec-WebSocket-Protocol: ,\r\n", 400},
    {"RFC 9110 §5.6.1", "an empty element among others", "Sec-WebSocket-Protocol: a,,b\r\n", 0},
    {"§9.1", "extensions", "Sec-WebSocket-Extensions: a; b=c, d; e=\"f\"\r\nSec-WebSocket-Extensions: g\r\n", 0},
    {"§9.1", "an extension with a space", "Sec-WebSocket-Extensions: a b\r\n", 400},
    {"§9.1", "an extension without a name", "Sec-WebSocket-Extensions: a, ; b\r\n", 400},
    {"§9.1", "a parameter without a value", "Sec-WebSocket-Extensions: a; b=\r\n", 400},
    {"§9.1", "a quoted value that is no token", "Sec-WebSocket-Extensions: a; b=\"c d\"\r\n", 400},
};

// What of an upgrade its request line decides.
const struct {
    const char* section;
    const char* line;
    bool allow_http10;
    int status;
} kUpgradeLines[] = {
    {"§4.1", "GET / HTTP/1.1", false, 0},   {"§4.1", "GET http://a/b HTTP/1.1", false, 0},
    {"§4.1", "GET / HTTP/1.2", false, 0},   {"§4.1", "POST / HTTP/1.1", false, 405},
    {"§4.1", "get / HTTP/1.1", false, 405}, {"§4.1", "HEAD / HTTP/1.1", false, 405},
    {"§4.1", "GET / HTTP/1.0", false, 426}, {"§4.1", "GET / HTTP/1.0", true, 0},
    {"§4.1", "POST / HTTP/1.0", true, 405},
};

const char* const kUpgradeHeaders[] = {
    "Host: a",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
};

std::string upgrade_with(const std::string& line, std::string_view change) {
    std::string head = line + "\r\n";
    const std::string_view name = change.substr(0, change.find(':'));
    for (const std::string_view header : kUpgradeHeaders) {
        if (header.substr(0, header.find(':')) != name) head.append(header).append("\r\n");
    }
    if (change != name) head.append(change);
    return head + "\r\n";
}

int upgrade_status(const std::string& text, bool allow_http10) {
    const ParsedRequest r(text);
    REQUIRE(r.status() == 0);
    char accept[wsd::ws::kAcceptSize];
    wsd::http::Refusal refusal;
    const wsd::http::Step step = wsd::ws::check_upgrade(r.head, r.request, {allow_http10}, accept, &refusal);
    return step == wsd::http::Step::kDone ? 0 : refusal.status;
}

template <size_t N>
void check_rows(const Row (&rows)[N], const std::string& before, const std::string& behind) {
    for (const Row& row : rows) {
        CAPTURE(row.section);
        CAPTURE(row.what);
        CHECK(ParsedRequest(before + std::string(row.text) + behind).status() == row.status);
    }
}

}  // namespace

TEST_CASE("conformance: heads") { check_rows(kHeads, "", ""); }

TEST_CASE("conformance: request lines") { check_rows(kRequestLines, "", "\r\nHost: a\r\n\r\n"); }

TEST_CASE("conformance: headers") {
    check_rows(kHeaders, "GET / HTTP/1.1\r\n", "\r\n");
    check_rows(kHeaders10, "GET / HTTP/1.0\r\n", "\r\n");
}

TEST_CASE("conformance: limits on a head (RFC 9112 §3, RFC 6585 §5)") {
    const std::string line = "GET / HTTP/1.0\r\n";
    CHECK(ParsedRequest("GET /" + std::string(9000, 'a') + " HTTP/1.0\r\n\r\n").status() == 414);
    CHECK(ParsedRequest(line + "X: " + std::string(9000, 'a') + "\r\n\r\n").status() == 431);
    std::string headers;
    for (int i = 0; i < 100; i++) headers += "X:\r\n";
    CHECK(ParsedRequest(line + headers + "\r\n").status() == 0);
    CHECK(ParsedRequest(line + headers + "X:\r\n\r\n").status() == 431);
}

TEST_CASE("conformance: upgrades") {
    for (const Row& row : kUpgrades) {
        CAPTURE(row.section);
        CAPTURE(row.what);
        CHECK(upgrade_status(upgrade_with("GET / HTTP/1.1", row.text), false) == row.status);
    }
    for (const auto& row : kUpgradeLines) {
        CAPTURE(row.section);
        CAPTURE(row.line);
        CHECK(upgrade_status(upgrade_with(row.line, ""), row.allow_http10) == row.status);
    }
}
