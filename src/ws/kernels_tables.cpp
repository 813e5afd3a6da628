// What is wrong in two neighbouring bytes of UTF-8: all that can be, but for a third or fourth byte that is missing or
// too many. After J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2021).
#include "ws/kernels_impl.h"

namespace wsd::ws {

namespace {

// A rule is broken, and its bit stays, where all three halves lie in its ranges. Rules that share a bit differ in one
// half only, else the bit would stay for a mixture of them.
struct Rule {
    uint8_t bit;
    struct Range {
        uint8_t first, last;
    } first_high, first_low, second_high;
};

// Not an error by itself: two bytes that continue stand in a row in every character of three or four.
constexpr uint8_t kTwoContinue = 0x80;  // the high bit, which is the easiest to compute

constexpr Rule kRules[] = {
    {0x01, {0xc, 0xf}, {0x0, 0xf}, {0x0, 0x7}},  // a lead byte, then ASCII
    {0x01, {0xc, 0xf}, {0x0, 0xf}, {0xc, 0xf}},  // or another lead byte
    {0x02, {0x0, 0x7}, {0x0, 0xf}, {0x8, 0xb}},  // ASCII, then a byte that continues
    {0x04, {0xc, 0xc}, {0x0, 0x1}, {0x8, 0xb}},  // c0, c1: one byte would do
    {0x08, {0xe, 0xe}, {0x0, 0x0}, {0x8, 0x9}},  // e0 80..9f: two bytes would do
    {0x10, {0xe, 0xe}, {0xd, 0xd}, {0xa, 0xb}},  // ed a0..bf: surrogates
    {0x20, {0xf, 0xf}, {0x4, 0xf}, {0x9, 0xb}},  // f4 90 and above: past U+10FFFF
    {0x40, {0xf, 0xf}, {0x5, 0xf}, {0x8, 0x8}},  // f5 80 and above: the same
    {0x40, {0xf, 0xf}, {0x0, 0x0}, {0x8, 0x8}},  // f0 80..8f: three bytes would do
    {kTwoContinue, {0x8, 0xb}, {0x0, 0xf}, {0x8, 0xb}},
};

constexpr void mark(Utf8Tables::Sixteen& table, Rule::Range range, uint8_t bit) {
    for (unsigned half = range.first; half <= range.last; half++) table[half] |= bit;
}

constexpr void fill(Utf8Tables::Sixteen& table, uint8_t byte) {
    for (uint8_t& b : table) b = byte;
}

constexpr Utf8Tables make_tables() {
    Utf8Tables tables{};
    for (const Rule& rule : kRules) {
        mark(tables.first_high, rule.first_high, rule.bit);
        mark(tables.first_low, rule.first_low, rule.bit);
        mark(tables.second_high, rule.second_high, rule.bit);
    }
    fill(tables.low_half, 0x0f);
    fill(tables.below_three, 0xe0 - 0x80);
    fill(tables.below_four, 0xf0 - 0x80);
    fill(tables.two_continue, kTwoContinue);
    return tables;
}

}  // namespace

constinit const Utf8Tables kUtf8Tables = make_tables();

}  // namespace wsd::ws
