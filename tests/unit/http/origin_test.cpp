#include "http/origin.h"

#include <doctest/doctest.h>

#include <string>

using namespace wsd;
using namespace wsd::http;

TEST_CASE("an origin is allowed by an entry of the same scheme, host and port") {
    const struct {
        const char* list;
        const char* origin;
        bool allowed;
    } kRows[] = {
        {"https://example.com", "https://example.com", true},
        {"https://example.com", "HTTPS://Example.COM", true},
        {"HTTPS://EXAMPLE.com", "https://example.com", true},
        {"https://example.com", "https://example.com:443", true},
        {"https://example.com:443", "https://example.com", true},
        {"http://example.com:80", "http://example.com", true},
        {"https://example.com:80", "https://example.com", false},
        {"https://example.com", "http://example.com", false},
        {"https://example.com", "https://example.com:8443", false},
        {"https://example.com:8443", "https://example.com:8443", true},
        {"https://example.com", "https://example.com.evil.org", false},
        {"https://example.com", "https://notexample.com", false},
        {"https://example.com", "https://www.example.com", false},
        {"https://*.example.com", "https://www.example.com", true},
        {"https://*.example.com", "https://a.b.Example.com:443", true},
        {"https://*.example.com", "https://example.com", false},
        {"https://*.example.com", "https://.example.com", false},
        {"https://*.example.com", "https://evilexample.com", false},
        {"https://*.example.com", "https://www.example.com.evil.org", false},
        {"https://*.example.com", "http://www.example.com", false},
        {"https://*.example.com", "https://*.example.com", false},
        {"https://*.example.com:8443", "https://a.example.com:8443", true},
        {"https://*.example.com:8443", "https://a.example.com", false},
        {"example.com", "https://example.com", true},
        {"example.com", "http://example.com", true},
        {"example.com", "http://example.com:443", false},
        {"example.com", "ftp://example.com", false},
        {"example.com:3000", "http://example.com:3000", true},
        {"*.example.com", "http://a.example.com", true},
        {"a.org, https://b.org ,c.org", "https://b.org", true},
        {"a.org, https://b.org ,c.org", "http://c.org", true},
        {"a.org, https://b.org ,c.org", "https://d.org", false},
        {"http://[::1]:3000", "http://[::1]:3000", true},
        {"http://[::1]", "http://[::2]", false},
        {"chrome-extension://abcdef", "chrome-extension://abcdef", true},
        {"chrome-extension://abcdef", "https://abcdef", false},
        {"null", "null", true},
        {"null", "NULL", false},
        {"example.com", "null", false},
        {"null", "https://example.com", false},
        {"", "https://example.com", false},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.list);
        CAPTURE(row.origin);
        CHECK(origin_list_fault(bytes_of(row.list)) == nullptr);
        CHECK(origin_allowed(bytes_of(row.list), bytes_of(row.origin)) == row.allowed);
    }
}

TEST_CASE("what is no origin is allowed by nothing") {
    for (const char* text :
         {"", "example.com", "https:", "https://", "https:/example.com", "https://example.com/",
          "https://example.com?a", "https://user@example.com", "https://example.com:", "https://example.com:0",
          "https://example.com:65536", "https://example.com https://example.com", "://example.com",
          "1https://example.com", "ht tps://example.com", "https://example.com,https://example.com"}) {
        CAPTURE(text);
        CHECK_FALSE(origin_allowed(bytes_of("https://example.com, *.example.com, example.com, null"), bytes_of(text)));
    }
}

TEST_CASE("a list says what is wrong with it") {
    const struct {
        const char* list;
        const char* why;
    } kRows[] = {
        {"https://", "host"},
        {"https://example.com/", "host"},
        {"https://user@example.com", "host"},
        {"example.com:0", "port"},
        {"example.com:", "port"},
        {"https://a*.example.com", "*"},
        {"https://*.*.com", "*"},
        {"*", "*"},
        {"https://*", "*"},
        {"://a", "scheme"},
        {"1a://b", "scheme"},
        {"a.org, b c", "host"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.list);
        const char* const why = origin_list_fault(bytes_of(row.list));
        REQUIRE(why);
        CHECK(std::string(why).find(row.why) != std::string::npos);
    }
}
