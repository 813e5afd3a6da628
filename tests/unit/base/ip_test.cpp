#include "base/ip.h"

#include <doctest/doctest.h>

#include <string>

#include "base/text.h"
#include "support/guard_page.h"

using namespace wsd;

namespace {

bool parses(std::string_view text, Ip* ip) {
    test::GuardPage page(text.size());
    return parse_ip({page.before_end(text.data(), text.size()), text.size()}, ip);
}

std::string items(const char* text) {
    Bytes list = bytes_of(text), item;
    std::string all;
    while (next_item(&list, &item)) all += "[" + std::string(reinterpret_cast<const char*>(item.p), item.len) + "]";
    return all;
}

}  // namespace

TEST_CASE("IPv4 is kept as IPv6 that it is mapped into, and both texts are the same address") {
    Ip v4, mapped, v6;
    REQUIRE(parses("192.0.2.1", &v4));
    REQUIRE(parses("::ffff:192.0.2.1", &mapped));
    REQUIRE(parses("::192.0.2.1", &v6));
    CHECK(equal(v4, mapped));
    CHECK(is_v4(v4));
    CHECK_FALSE(is_v4(v6));
    const uint8_t bytes[] = {192, 0, 2, 1};
    CHECK(equal(v4, ip_of_v4(bytes)));
}

TEST_CASE("what is no address is refused") {
    Ip ip;
    for (const std::string& text :
         {std::string(), std::string("a"), std::string("1.2.3"), std::string("1.2.3.4.5"), std::string("1.2.3.04"),
          std::string("1.2.3.4 "), std::string("[::1]"), std::string("::1%1"), std::string(":::"),
          std::string("1.2.3.4\0x", 9), std::string(200, ':')}) {
        CAPTURE(text);
        CHECK_FALSE(parses(text, &ip));
    }
}

TEST_CASE("items of a list stand between commas, without blanks, and empty ones do not count") {
    CHECK(items("") == "");
    CHECK(items(" , ,\t,") == "");
    CHECK(items("a") == "[a]");
    CHECK(items(" a b ,c,,\t\"d,e\" ") == "[a b][c][\"d][e\"]");
}

TEST_CASE("numbers are decimal, without sign or leading zeros") {
    uint32_t n = 0;
    CHECK((parse_number(bytes_of("0"), 32, &n) && n == 0));
    CHECK((parse_number(bytes_of("32"), 32, &n) && n == 32));
    for (const char* text : {"", "33", "01", "-1", "+1", " 1", "1 ", "0x1", "4294967296", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_number(bytes_of(text), 32, &n));
    }
}
