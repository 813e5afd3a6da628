// The alphabets of RFC 1951 §3.2.5 to §3.2.7: what the symbols mean, for those who write them and those who read.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace wsd::deflate {

constexpr unsigned kCodeLenMax = 15;  // bits in any code but that of runs

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

// Two for each power of two, but for the smallest.
constexpr auto kDistanceSpans = [] {
    std::array<Span, kDistanceSymbols> spans{};
    unsigned base = 1;
    for (unsigned s = 0; s < kDistanceSymbols; s++) {
        const unsigned extra = s < 4 ? 0 : s / 2 - 1;
        spans[s] = {uint16_t(base), uint8_t(extra)};
        base += 1u << extra;
    }
    return spans;
}();

// The number of the highest bit, and the bit below it.
constexpr unsigned distance_symbol(unsigned distance) {
    const unsigned d = distance - 1;
    if (d < 2) return d;
    const unsigned top = unsigned(std::bit_width(d)) - 1;
    return 2 * top + (d >> (top - 1) & 1);
}
// The code lengths of a block come in runs, in an alphabet of their own (§3.2.7): 0 to 15 are lengths, then there is a
// repetition of the one before, and two sizes of runs of zeros.
constexpr unsigned kRunSymbols = 19;
constexpr unsigned kRepeat = 16, kZeros = 17, kManyZeros = 18;
constexpr unsigned kRunLenMax = 7;  // of a code for them
constexpr std::array<uint8_t, kRunSymbols> kRunExtra = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7};
// In which a block tells the lengths of that code.
constexpr std::array<uint8_t, kRunSymbols> kRunOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                        11, 4,  12, 3, 13, 2, 14, 1, 15};

// The fixed codes (§3.2.6) are those of alphabets in which two symbols more mean nothing.
constexpr unsigned kFixedLiteralSymbols = kLiteralSymbols + 2;
constexpr unsigned kFixedDistanceSymbols = kDistanceSymbols + 2;
constexpr unsigned kFixedDistanceLen = 5;
constexpr unsigned fixed_literal_len(unsigned symbol) {
    if (symbol < 144) return 8;
    if (symbol < 256) return 9;
    return symbol < 280 ? 7 : 8;
}

static_assert(distance_symbol(1) == 0 && distance_symbol(4) == 3 && distance_symbol(5) == 4);
static_assert(distance_symbol(32768) == 29 && kDistanceSpans[29].base == 24577 && kDistanceSpans[29].extra == 13);

}  // namespace wsd::deflate
