// The alphabets of RFC 1951 §3.2.5 as the encoder needs them: which symbol a length or a distance has.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace wsd::deflate {

constexpr unsigned kLengthMin = 3;
constexpr unsigned kLengthMax = 258;

constexpr unsigned kEndOfBlock = 256;
constexpr unsigned kLengthSymbols = 29;                                 // they begin behind kEndOfBlock
constexpr unsigned kLiteralSymbols = kEndOfBlock + 1 + kLengthSymbols;  // literals, the end and lengths: one alphabet
constexpr unsigned kDistanceSymbols = 30;

struct Span {
    uint16_t base;  // the smallest value of the symbol
    uint8_t extra;  // bits behind the symbol that are added to it
};

constexpr auto kLengthSpans = [] {
    std::array<Span, kLengthSymbols> spans{};
    unsigned base = kLengthMin;
    for (unsigned s = 0; s < kLengthSymbols; s++) {
        const unsigned extra = s < 8 ? 0 : s / 4 - 1;
        spans[s] = {uint16_t(base), uint8_t(extra)};
        base += 1u << extra;
    }
    // The greatest length has a symbol of its own, though the one before could hold it.
    spans[kLengthSymbols - 1] = {kLengthMax, 0};
    return spans;
}();

constexpr auto kLengthSymbol = [] {
    std::array<uint8_t, kLengthMax + 1> symbols{};
    for (unsigned s = 0; s < kLengthSymbols; s++) {
        for (unsigned length = kLengthSpans[s].base; length <= kLengthMax; length++) symbols[length] = uint8_t(s);
    }
    return symbols;
}();

constexpr unsigned distance_extra(unsigned symbol) { return symbol < 4 ? 0 : symbol / 2 - 1; }

constexpr unsigned distance_base(unsigned symbol) {
    if (symbol < 4) return symbol + 1;
    return ((2 + symbol % 2) << distance_extra(symbol)) + 1;
}

// Two symbols for each power of two: its number and the bit below the highest.
constexpr unsigned distance_symbol(unsigned distance) {
    const unsigned d = distance - 1;
    if (d < 2) return d;
    const unsigned top = unsigned(std::bit_width(d)) - 1;
    return 2 * top + (d >> (top - 1) & 1);
}
static_assert(distance_symbol(1) == 0 && distance_symbol(4) == 3 && distance_symbol(5) == 4);
static_assert(distance_symbol(32768) == 29 && distance_base(29) == 24577 && distance_extra(29) == 13);

}  // namespace wsd::deflate
