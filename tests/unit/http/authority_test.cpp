#include "http/authority.h"

#include <doctest/doctest.h>

#include <string>

#include "support/guard_page.h"

using namespace wsd;
using namespace wsd::http;

TEST_CASE("an authority is a host that is not empty, with or without a port") {
    struct {
        const char* text;
        int port;  // -1: no authority
    } const rows[] = {
        {"a", 0},
        {"example.com", 0},
        {"example.com:", 0},
        {"example.com:80", 80},
        {"example.com:00080", 80},
        {"example.com:65535", 65535},
        {"example.com:65536", -1},
        {"example.com:99999999999999999999999", -1},
        {"127.0.0.1:9001", 9001},
        {"a-b_c~d.e!$&'()*+,;=", 0},
        {"a%2Fb:1", 1},
        {"a%2", -1},
        {"a%", -1},
        {"a%2g", -1},
        {"%", -1},
        {"[::1]", 0},
        {"[::1]:", 0},
        {"[::1]:9001", 9001},
        {"[2001:db8::ffff:127.0.0.1]", 0},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]", 0},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555]", -1},
        {"[:::1]", -1},
        {"[]", -1},
        {"[", -1},
        {"[::1", -1},
        {"[::1]a", -1},
        {"[127.0.0.1]", -1},
        {"[fe80::1%25eth0]", -1},
        {"[v1.x]", -1},
        {"", -1},
        {":", -1},
        {":80", -1},
        {"a:80:80", -1},
        {"a:8a", -1},
        {"a:-1", -1},
        {"user@a", -1},
        {"user:1@a", -1},
        {"a b", -1},
        {"a/", -1},
        {"a?b", -1},
        {"a#b", -1},
        {"a\\b", -1},
        {"a\"b", -1},
        {"<a>", -1},
        {"a[b]", -1},
        {"b\xc3\xbc"
         "cher.example",
         -1},
    };
    const std::string endless = "[" + std::string(300, ':') + "]";
    uint16_t none = 0;
    CHECK_FALSE(parse_authority(bytes_of(endless.c_str()), &none));
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const size_t len = std::strlen(row.text);
        test::GuardPage page(len);
        uint16_t port = 0xdead;
        CHECK(parse_authority({page.before_end(row.text, len), len}, &port) == (row.port >= 0));
        if (row.port >= 0) CHECK(port == row.port);
    }
}
