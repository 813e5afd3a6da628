#include "app/utf8.h"

#include <doctest/doctest.h>

#include "support/plain_utf8.h"

TEST_CASE("every scalar value is written as a character, and nothing else of that length is one") {
    for (uint32_t scalar = 0; scalar < 0x110000; scalar++) {
        if (scalar >= 0xd800 && scalar <= 0xdfff) continue;
        char text[4];
        const auto len = size_t(app::utf8_put(text, scalar) - text);
        if (app::utf8_character({text, len}) == len && app::utf8_count({text, len}) == 1) continue;
        CAPTURE(scalar);
        FAIL("not a character");
    }
}

namespace {

size_t plain_character(const uint8_t* text, size_t most) {
    for (size_t len = 1; len <= most; len++) {
        if (test::plain_utf8(text, len).whole) return len;
    }
    return 0;
}

}  // namespace

TEST_CASE("bytes are a character exactly where arithmetic on code points says so") {
    for (uint32_t bytes = 0; bytes < 1u << 24; bytes += bytes % 7 + 1) {
        const uint8_t text[] = {uint8_t(bytes >> 16), uint8_t(bytes >> 8), uint8_t(bytes), 0x80};
        const size_t len = app::utf8_character({reinterpret_cast<const char*>(text), sizeof text});
        if (len == plain_character(text, sizeof text)) continue;
        CAPTURE(bytes);
        FAIL("judged otherwise");
    }
}

TEST_CASE("a character that is cut is none") {
    CHECK(app::utf8_character("") == 0);
    for (const std::string_view text : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x92\xa9"}) {
        for (size_t len = 1; len < text.size(); len++) CHECK(app::utf8_character(text.substr(0, len)) == 0);
        CHECK(app::utf8_character(text) == text.size());
    }
}

TEST_CASE("characters are counted, not bytes") { CHECK(app::utf8_count("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9") == 4); }
