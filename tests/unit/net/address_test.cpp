#include "net/address.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <string>

using namespace wsd::net;

namespace {

std::string formatted(const char* text) {
    Address address;
    if (!parse_address(text, &address)) return "refused";
    char out[128];
    format_address(address.storage, address.len, out, sizeof out);
    return out;
}

}  // namespace

TEST_CASE("addresses read back as they were written") {
    for (const char* text : {"127.0.0.1:9001", "0.0.0.0:0", "[::1]:80", "[2001:db8::1]:65535", "unix:/tmp/wsd.sock"}) {
        CHECK(formatted(text) == text);
    }
    CHECK(formatted("localhost:80") == "127.0.0.1:80");
    CHECK(formatted("*:80") == "[::]:80");
    CHECK(formatted(":80") == "[::]:80");
}

TEST_CASE("the wildcard takes IPv4 too, an IPv6 address does not") {
    Address address;
    REQUIRE(parse_address("*:80", &address));
    CHECK(address.dual_stack);
    REQUIRE(parse_address("[::]:80", &address));
    CHECK_FALSE(address.dual_stack);
}

TEST_CASE("an inherited descriptor is a number") {
    Address address;
    REQUIRE(parse_address("fd:3", &address));
    CHECK(address.inherited_fd == 3);
    for (const char* text : {"fd:", "fd:-1", "fd:x", "fd:3x", "fd:99999999999"})
        CHECK_FALSE(parse_address(text, &address));
}

TEST_CASE("what is no address is refused") {
    for (const char* text : {"", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x",
                             "256.0.0.1:80", "example.com:80", "[::1:80", "::1:80", "[127.0.0.1]:80", "[]:80",
                             "unix:", "1111111111111111111111111111111111111111111111111111111111:80"}) {
        CAPTURE(text);
        CHECK(formatted(text) == "refused");
    }
    CHECK(formatted(("unix:" + std::string(108, 'x')).c_str()) == "refused");
    CHECK(formatted(("unix:" + std::string(107, 'x')).c_str()) != "refused");
}

TEST_CASE("an IPv4 peer of a dual-stack socket is shown as IPv4, and text is cut to its room") {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(5000);
    in.sin6_addr.s6_addr[10] = in.sin6_addr.s6_addr[11] = 0xff;
    in.sin6_addr.s6_addr[12] = 192;
    in.sin6_addr.s6_addr[14] = 2;
    in.sin6_addr.s6_addr[15] = 1;
    sockaddr_storage storage{};
    std::memcpy(&storage, &in, sizeof in);
    char text[64];
    format_address(storage, sizeof in, text, sizeof text);
    CHECK(std::string(text) == "192.0.2.1:5000");
    format_address(storage, sizeof in, text, 6);
    CHECK(std::string(text) == "192.0");
}
