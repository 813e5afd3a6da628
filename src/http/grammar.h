// The character classes that HTTP's grammar is made of, one table for all of them, and the few readings built on them.
// Only classes of single bytes live here: what a name, a target or a host is, the files that parse them say.
#pragma once

#include <array>

#include "base/bytes.h"

namespace wsd::http {

constexpr uint8_t kTokenByte = 1 << 0;   // tchar (RFC 9110 §5.6.2)
constexpr uint8_t kTargetByte = 1 << 1;  // visible ASCII but '#', which a target never has (RFC 9112 §3.2, §3)
constexpr uint8_t kHostByte = 1 << 2;    // unreserved and sub-delims of a registered name (RFC 3986 §3.2.2)
constexpr uint8_t kTextByte = 1 << 3;    // SP, HTAB, VCHAR and obs-text: all that a line may hold (RFC 9110 §5.5)

constexpr std::array<uint8_t, 256> make_byte_classes() {
    std::array<uint8_t, 256> classes{};
    const auto add = [&classes](const char* members, uint8_t bits) {
        for (; *members; members++) classes[uint8_t(*members)] |= bits;
    };
    for (size_t c = 0; c < 256; c++) {
        if ((c >= 0x20 && c != 0x7f) || c == '\t') classes[c] |= kTextByte;
        if (c > 0x20 && c < 0x7f && c != '#') classes[c] |= kTargetByte;
    }
    add("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~!$&'*+", kTokenByte | kHostByte);
    add("#%^`|", kTokenByte);
    add("(),;=", kHostByte);
    return classes;
}

inline constexpr std::array<uint8_t, 256> kByteClasses = make_byte_classes();

// How many bytes at the start of `in` are all of the given class.
inline size_t run_length(Bytes in, uint8_t byte_class) {
    size_t n = 0;
    while (n < in.len && (kByteClasses[in.p[n]] & byte_class)) n++;
    return n;
}

// 1*DIGIT as a number; false for anything else, and for what 64 bits do not hold.
[[nodiscard]] inline bool parse_decimal(Bytes text, uint64_t* out) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t digit = uint8_t(text.p[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return text.len > 0;
}

}  // namespace wsd::http
