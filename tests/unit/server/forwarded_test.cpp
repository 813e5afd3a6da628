// Which entry of Forwarded (RFC 7239) or X-Forwarded-For is the client, behind the trusted proxies 10.0.0.0/8,
// 2001:db8:aaaa::/48 and a unix socket.
#include <doctest/doctest.h>

#include "net/address.h"
#include "server/client.h"
#include "support/parsed_request.h"

using namespace wsd;
using namespace wsd::server;

namespace {

// The client's address and port, "none", or "malformed"; `headers` are whole lines.
std::string client(wsd_forwarded which, const std::string& headers) {
    net::Cidr items[2];
    net::CidrList trusted{items, 0, false};
    REQUIRE(net::parse_cidr_list(bytes_of("10.0.0.0/8, 2001:db8:aaaa::/48, unix:"), &trusted) == nullptr);
    const test::ParsedRequest parsed("GET / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    REQUIRE(parsed.status() == 0);
    Peer peer;
    if (!read_forwarded(parsed.head, parsed.request, which, trusted, &peer)) return "malformed";
    char text[64];
    net::format_peer(peer, text, sizeof text);
    return *text ? text : "none";
}

std::string by_list(const std::string& value) {
    return client(WSD_X_FORWARDED_FOR, "X-Forwarded-For: " + value + "\r\n");
}

std::string by_standard(const std::string& value) { return client(WSD_FORWARDED, "Forwarded: " + value + "\r\n"); }

}  // namespace

TEST_CASE("the client is the last entry that is no trusted proxy") {
    const struct {
        const char* value;
        const char* client;
    } kRows[] = {
        {"192.0.2.1", "192.0.2.1:0"},
        {"6.6.6.6, 192.0.2.1", "192.0.2.1:0"},
        {"192.0.2.1, 10.1.1.1", "192.0.2.1:0"},
        {"6.6.6.6, 192.0.2.1, 10.1.1.1, 10.2.2.2", "192.0.2.1:0"},
        {"10.6.6.6, 192.0.2.1, 10.1.1.1", "192.0.2.1:0"},
        {"10.1.1.1", "10.1.1.1:0"},
        {"10.1.1.1, 10.2.2.2", "10.1.1.1:0"},
        {"192.0.2.1, unix:", "192.0.2.1:0"},
        {"unix:", "unix:"},
        {"192.0.2.1, 2001:db8:aaaa::1", "192.0.2.1:0"},
        {"192.0.2.1, 2001:db8:bbbb::1", "[2001:db8:bbbb::1]:0"},
        {"192.0.2.1, ::ffff:10.1.1.1", "192.0.2.1:0"},
        {"unknown", "none"},
        {"192.0.2.1, unknown", "none"},
        {"unknown, 10.1.1.1", "10.1.1.1:0"},
        {"192.0.2.1, unknown, 10.1.1.1, 10.2.2.2", "10.1.1.1:0"},
        {"", "none"},
        {" , ,192.0.2.1,, ", "192.0.2.1:0"},
        {"\", 192.0.2.1", "192.0.2.1:0"},
        {"\"6.6.6.6, 192.0.2.1\", 10.1.1.1", "10.1.1.1:0"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.value);
        CHECK(by_list(row.value) == row.client);
    }
}

TEST_CASE("an entry is an address, and may have a port") {
    const struct {
        const char* value;
        const char* client;
    } kRows[] = {
        {"192.0.2.1:5000", "192.0.2.1:5000"},
        {"[2001:db8::1]:5000", "[2001:db8::1]:5000"},
        {"[2001:db8::1]", "[2001:db8::1]:0"},
        {"2001:db8::1", "[2001:db8::1]:0"},
        {"192.0.2.1:_hidden", "192.0.2.1:0"},
        {"192.0.2.1:", "none"},
        {"192.0.2.1:65536", "none"},
        {"192.0.2.1:_", "none"},
        {"192.0.2.1:5000:1", "none"},
        {"[192.0.2.1]", "none"},
        {"[2001:db8::1", "none"},
        {"[2001:db8::1]5000", "none"},
        {"[]", "none"},
        {"[", "none"},
        {":", "none"},
        {"example.com", "none"},
        {"192.0.2.1 192.0.2.2", "none"},
        {"192.0.2.01", "none"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.value);
        CHECK(by_list(row.value) == row.client);
    }
}

TEST_CASE("several headers are one list, and the other header is not looked at") {
    CHECK(client(WSD_X_FORWARDED_FOR, "X-Forwarded-For: 6.6.6.6\r\nA: b\r\nx-forwarded-for: 192.0.2.1\r\n") ==
          "192.0.2.1:0");
    CHECK(client(WSD_X_FORWARDED_FOR, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.1.1.1\r\n") == "192.0.2.1:0");
    CHECK(client(WSD_FORWARDED, "Forwarded: for=6.6.6.6\r\nForwarded: for=192.0.2.1\r\n") == "192.0.2.1:0");
    CHECK(client(WSD_FORWARDED, "X-Forwarded-For: 192.0.2.1\r\n") == "none");
    CHECK(client(WSD_X_FORWARDED_FOR, "Forwarded: for=192.0.2.1\r\n") == "none");
    CHECK(client(WSD_X_FORWARDED_FOR, "") == "none");
}

TEST_CASE("RFC 7239 section 4 and 6: elements of Forwarded, their pairs and their nodes") {
    const struct {
        const char* section;
        const char* value;
        const char* client;
    } kRows[] = {
        {"4", "for=192.0.2.1", "192.0.2.1:0"},
        {"4", "For=192.0.2.1;proto=http;by=203.0.113.43", "192.0.2.1:0"},
        {"4", "by=203.0.113.43 ; FOR=192.0.2.1", "192.0.2.1:0"},
        {"4", ";for=192.0.2.1;;", "192.0.2.1:0"},
        {"4", "for=\"192.0.2.1\"", "192.0.2.1:0"},
        {"4", "for=\"192.0.2.1:47011\"", "192.0.2.1:47011"},
        {"4", "for=\"[2001:db8::1]:4711\"", "[2001:db8::1]:4711"},
        {"4", "for=\"[2001:db8::1]\"", "[2001:db8::1]:0"},
        {"4", "for=192.0.2.1, for=10.1.1.1;proto=https", "192.0.2.1:0"},
        {"4", "host=\"a, for=6.6.6.6\";for=192.0.2.1", "192.0.2.1:0"},
        {"4", "for=192.0.2.1, proto=https", "none"},
        {"4", "for=192.0.2.1;for=192.0.2.1", "malformed"},
        {"4", "for", "malformed"},
        {"4", "for=", "malformed"},
        {"4", "=192.0.2.1", "malformed"},
        {"4", "for =192.0.2.1", "malformed"},
        {"4", "for=192.0.2.1:80", "malformed"},
        {"4", "for=[2001:db8::1]", "malformed"},
        {"4", "for=192.0.2.1 proto=http", "malformed"},
        {"4", "for=\"192.0.2.1\"x", "malformed"},
        {"4", "for=\"192.0.2.1", "malformed"},
        {"4", "for=\"192.0.2.1\\\"", "malformed"},
        {"4", "for=\", for=192.0.2.1", "malformed"},
        {"4", "for=6.6.6.6;a=\", for=\"[2001:db8::1]\"", "malformed"},
        {"4", "for=\"192.0.2.\\1\"", "none"},
        {"6", "for=\"2001:db8::1\"", "none"},
        {"6.2", "for=unknown", "none"},
        {"6.3", "for=_hidden, for=\"_SEVKISEK\"", "none"},
        {"6.3", "for=\"192.0.2.1:_port\"", "192.0.2.1:0"},
        {"7.4", "for=192.0.2.1, for=_hidden, for=10.1.1.1", "10.1.1.1:0"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.section);
        CAPTURE(row.value);
        CHECK(by_standard(row.value) == row.client);
    }
}
