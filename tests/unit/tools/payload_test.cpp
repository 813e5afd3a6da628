#include "wsbench/payload.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/plain_utf8.h"

using namespace wsbench;

namespace {

// How many characters of so many bytes there are in a text that is right.
size_t characters(const std::string& text, uint8_t lead_from, uint8_t lead_to) {
    return size_t(std::count_if(text.begin(), text.end(),
                                [&](char c) { return uint8_t(c) >= lead_from && uint8_t(c) < lead_to; }));
}

}  // namespace

TEST_CASE("text of any size is UTF-8 of exactly that size, none of it ASCII but a byte alone") {
    for (size_t size = 0; size < 600; size++) {
        CAPTURE(size);
        const std::string text = payload_of(Content::kUtf8, size);
        REQUIRE(text.size() == size);
        const test::PlainUtf8 plain = test::plain_utf8(reinterpret_cast<const uint8_t*>(text.data()), size);
        CHECK(plain.wrong_at == size);
        CHECK(plain.whole);
        CHECK(characters(text, 0, 0x80) == (size == 1));
    }
}

TEST_CASE("long text mixes characters of two and three bytes about evenly") {
    const std::string text = payload_of(Content::kUtf8, 30000);
    const size_t two = characters(text, 0xc0, 0xe0), three = characters(text, 0xe0, 0xf0);
    CHECK(2 * two + 3 * three == text.size());
    CHECK(two > 5000);
    CHECK(three > 5000);
}

TEST_CASE("ASCII and binary payloads are what they are called") {
    const std::string ascii = payload_of(Content::kAscii, 1000), binary = payload_of(Content::kBinary, 1000);
    CHECK(ascii.size() == 1000);
    CHECK(characters(ascii, 0x20, 0x7f) == 1000);
    CHECK(binary.size() == 1000);
    CHECK(characters(binary, 0x80, 0xff) > 400);
    CHECK(payload_of(Content::kBinary, 0).empty());
}
