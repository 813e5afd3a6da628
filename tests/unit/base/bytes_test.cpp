#include "base/bytes.h"

#include <doctest/doctest.h>

using namespace wsd;

TEST_CASE("big-endian integers read back as they were written, at any address") {
    uint8_t room[16] = {};
    for (size_t at = 0; at < 8; at++) {
        CAPTURE(at);
        store_be16(room + at, 0x0102);
        CHECK(room[at] == 1);
        CHECK(load_be16(room + at) == 0x0102);
        store_be32(room + at, 0x01020304);
        CHECK(room[at + 3] == 4);
        CHECK(load_be32(room + at) == 0x01020304);
        store_be64(room + at, 0xf102030405060708);
        CHECK(room[at] == 0xf1);
        CHECK(load_be64(room + at) == 0xf102030405060708);
    }
}

TEST_CASE("ranges are equal by their bytes, and empty ones are all equal") {
    CHECK(equal(bytes_of("abc"), bytes_of("abc")));
    CHECK_FALSE(equal(bytes_of("abc"), bytes_of("abd")));
    CHECK_FALSE(equal(bytes_of("abc"), bytes_of("ab")));
    CHECK(equal({}, bytes_of("")));
}

TEST_CASE("case is ignored for ASCII letters and nothing else") {
    CHECK(equal_ignoring_case(bytes_of("WebSocket"), "websocket"));
    CHECK_FALSE(equal_ignoring_case(bytes_of("WebSocke"), "websocket"));
    CHECK_FALSE(equal_ignoring_case(bytes_of("WebSockets"), "websocket"));
    CHECK_FALSE(equal_ignoring_case(bytes_of("["), "{"));  // they differ by the bit that tells letters apart
    CHECK_FALSE(equal_ignoring_case({reinterpret_cast<const uint8_t*>("a\0b"), 3}, "a"));
}

TEST_CASE("taking and dropping split a range") {
    const Bytes whole = bytes_of("header:value");
    CHECK(equal(take(whole, 6), bytes_of("header")));
    CHECK(equal(drop(whole, 7), bytes_of("value")));
    CHECK(drop(whole, whole.len).len == 0);
}
