#include "http/header.h"

#include <string>
#include <vector>

#include "http/grammar.h"
#include "support/parsed_request.h"

using namespace wsd;
using namespace wsd::http;
using test::to_bytes;
using test::to_string;

namespace {

std::vector<std::string> elements(std::string_view text) {
    test::GuardPage page(text.size());
    Bytes list = {page.before_end(text.data(), text.size()), text.size()};
    std::vector<std::string> all;
    for (Bytes element; next_element(&list, &element);) all.push_back(to_string(element));
    return all;
}

}  // namespace

TEST_CASE("a header line is split at its first colon and its value freed of white space") {
    struct {
        const char* line;
        const char* name;
        const char* value;
    } const rows[] = {
        {"Host: a", "Host", "a"},
        {"Host:a", "Host", "a"},
        {"X: \t a b\t c \t ", "X", "a b\t c"},
        {"X:", "X", ""},
        {"X: \t ", "X", ""},
        {"X: a: b", "X", "a: b"},
        {"!#$%&'*+-.^_`|~09azAZ: \x80\xff", "!#$%&'*+-.^_`|~09azAZ", "\x80\xff"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        const std::string text = std::string(row.line) + "\r\n\r\n";
        test::GuardPage page(text.size());
        const Bytes head = {page.before_end(text.data(), text.size()), text.size()};
        Header header;
        size_t at = 0;
        CHECK(read_header_line(head, &at, &header) == HeaderLine::kHeader);
        CHECK(to_string(slice(head, header.name)) == row.name);
        CHECK(to_string(slice(head, header.value)) == row.value);
        CHECK(read_header_line(head, &at, &header) == HeaderLine::kEnd);
        CHECK(at == text.size());
    }
}

TEST_CASE("a line without a proper name is malformed") {
    for (const char* const line :
         {"Host", ":", ": a", "Host : a", "Host\t: a", "Ho st: a", "H(st: a", "H\xc3\xb6st: a", " "}) {
        CAPTURE(line);
        const std::string text = std::string(line) + "\r\n\r\n";
        Header header;
        size_t at = 0;
        CHECK(read_header_line(to_bytes(text), &at, &header) == HeaderLine::kMalformed);
    }
}

TEST_CASE("a list gives its elements without white space and skips empty ones") {
    using List = std::vector<std::string>;
    CHECK(elements("") == List{});
    CHECK(elements(" \t") == List{});
    CHECK(elements(",, ,\t,") == List{});
    CHECK(elements("a") == List{"a"});
    CHECK(elements(" a ,\tb\t, c d ") == List{"a", "b", "c d"});
    CHECK(elements(",a,,b,") == List{"a", "b"});
}

TEST_CASE("a quoted string in a list is kept whole") {
    using List = std::vector<std::string>;
    CHECK(elements("a;b=\"x, y\", c") == List{"a;b=\"x, y\"", "c"});
    CHECK(elements("\"\\\",\", c") == List{"\"\\\",\"", "c"});
    CHECK(elements("\"\\\\\", c") == List{"\"\\\\\"", "c"});
    CHECK(elements("a\\,b") == List{"a\\", "b"});  // outside of one a backslash is a byte like others
    // One that never ends takes the rest with it rather than setting free what it may hide.
    CHECK(elements("\"a, b") == List{"\"a, b"});
    CHECK(elements("a, \"\\") == List{"a", "\"\\"});
}

TEST_CASE("a list is asked for a whole element in any case") {
    CHECK(list_has(bytes_of("keep-alive, Upgrade"), "upgrade"));
    CHECK_FALSE(list_has(bytes_of("upgrades, up, grade, \"upgrade\""), "upgrade"));
    CHECK_FALSE(list_has(bytes_of(""), "upgrade"));
}

TEST_CASE("a token is one or more of the bytes that RFC 9110 lists") {
    const std::string punctuation = "!#$%&'*+-.^_`|~";
    CHECK_FALSE(is_token({}));
    for (int c = 0; c < 256; c++) {
        CAPTURE(c);
        const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool tchar = alnum || (c && punctuation.find(char(c)) != std::string::npos);
        for (const std::string& text :
             {std::string(1, char(c)), "a" + std::string(1, char(c)), std::string(1, char(c)) + "a"}) {
            CHECK(is_token(to_bytes(text)) == tchar);
        }
    }
}

TEST_CASE("a decimal is digits alone, and no more than 64 bits hold") {
    struct {
        const char* text;
        bool good;
        uint64_t value;
    } const rows[] = {
        {"0", true, 0},    {"007", true, 7},  {"18446744073709551615", true, UINT64_MAX},
        {"", false, 0},    {"-1", false, 0},  {"18446744073709551616", false, 0},
        {"+1", false, 0},  {" 1", false, 0},  {"99999999999999999999", false, 0},
        {"1 ", false, 0},  {"0x1", false, 0}, {"184467440737095516150", false, 0},
        {"1,1", false, 0}, {"1.0", false, 0}, {"00000000000000000000000000000001", true, 1},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        uint64_t value = 0;
        CHECK(parse_decimal(bytes_of(row.text), &value) == row.good);
        if (row.good) CHECK(value == row.value);
    }
}
