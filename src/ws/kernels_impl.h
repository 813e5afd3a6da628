// What the files of kernels share and nobody else includes: the names of the loops, and what is wrong in two
// neighbouring bytes of UTF-8.
#pragma once

#include "ws/kernels.h"

namespace wsd::ws {

using UnmaskLoop = void(uint8_t* p, size_t len, uint32_t mask);
using Utf8Loop = Utf8State(const uint8_t* p, size_t len, Utf8State state);
using UnmaskUtf8Loop = Utf8State(uint8_t* p, size_t len, uint32_t mask, Utf8State state);

// Each is defined where its instructions exist. A wide one hands the ranges too short for it to the next narrower.
namespace avx512 {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace avx512
namespace avx2 {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace avx2
namespace ssse3 {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace ssse3
namespace neon {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace neon
namespace scalar {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace scalar

// Three look-ups of half a byte each that, ANDed, leave a bit for each rule that two neighbouring bytes break: all
// that can be wrong in UTF-8 but for a third or fourth byte that is missing or too many. After J. Keiser and
// D. Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2021).
struct Utf8Pairs {
    alignas(16) uint8_t first_high[16];
    alignas(16) uint8_t first_low[16];
    alignas(16) uint8_t second_high[16];
};

// Not an error by itself: two continuation bytes, right where a character has a third byte and wrong elsewhere.
constexpr uint8_t kUtf8TwoContinue = 0x80;

// A rule is what the halves must be for its bit to stay; halves are given as first and last.
struct Utf8PairRule {
    uint8_t bit;
    struct Range {
        uint8_t first, last;
    } first_high, first_low, second_high;
};

constexpr Utf8PairRule kUtf8PairRules[] = {
    {0x01, {0xc, 0xf}, {0x0, 0xf}, {0x0, 0x7}},  // a lead byte, then none that continues: ASCII
    {0x01, {0xc, 0xf}, {0x0, 0xf}, {0xc, 0xf}},  // or another lead byte
    {0x02, {0x0, 0x7}, {0x0, 0xf}, {0x8, 0xb}},  // ASCII, then a byte that continues
    {0x04, {0xc, 0xc}, {0x0, 0x1}, {0x8, 0xb}},  // c0, c1: one byte would do
    {0x08, {0xe, 0xe}, {0x0, 0x0}, {0x8, 0x9}},  // e0 80..9f: two bytes would do
    {0x10, {0xe, 0xe}, {0xd, 0xd}, {0xa, 0xb}},  // ed a0..bf: surrogates
    {0x20, {0xf, 0xf}, {0x4, 0xf}, {0x9, 0xb}},  // f4 90 and above: past U+10FFFF
    {0x40, {0xf, 0xf}, {0x5, 0xf}, {0x8, 0x8}},  // f5 80 and above: the same
    {0x40, {0xf, 0xf}, {0x0, 0x0}, {0x8, 0x8}},  // f0 80..8f: three bytes would do
    {kUtf8TwoContinue, {0x8, 0xb}, {0x0, 0xf}, {0x8, 0xb}},
};

constexpr Utf8Pairs make_utf8_pairs() {
    Utf8Pairs pairs{};
    const auto mark = [](uint8_t* table, Utf8PairRule::Range range, uint8_t bit) {
        for (unsigned half = range.first; half <= range.last; half++) table[half] |= bit;
    };
    for (const Utf8PairRule& rule : kUtf8PairRules) {
        mark(pairs.first_high, rule.first_high, rule.bit);
        mark(pairs.first_low, rule.first_low, rule.bit);
        mark(pairs.second_high, rule.second_high, rule.bit);
    }
    return pairs;
}

inline constexpr Utf8Pairs kUtf8Pairs = make_utf8_pairs();

}  // namespace wsd::ws
