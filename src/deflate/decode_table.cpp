#include "deflate/decode_table.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/assert.h"

namespace wsd::deflate {
namespace {

constexpr Entry kNoCode = kEntryOdd;

constexpr Entry meaning(unsigned value, unsigned extra_bits) { return value << 16 | extra_bits; }

// A code of `bits` bits with that meaning.
constexpr Entry coded(Entry meaning_of_symbol, unsigned bits) { return meaning_of_symbol + bits * 0x101; }

constexpr std::array<Entry, kFixedLiteralSymbols> litlen_meanings() {
    std::array<Entry, kFixedLiteralSymbols> all{};
    for (unsigned literal = 0; literal < kEndOfBlock; literal++) all[literal] = kEntryLiteral | meaning(literal, 0);
    all[kEndOfBlock] = kEntryOdd | kEntryEnd;
    for (unsigned s = kEndOfBlock + 1; s < kFixedLiteralSymbols; s++) {
        const unsigned length = s - (kEndOfBlock + 1);
        all[s] = length < kLengthSymbols ? meaning(kLengthSpans[length].base, kLengthSpans[length].extra) : kNoCode;
    }
    return all;
}

constexpr std::array<Entry, kFixedDistanceSymbols> distance_meanings() {
    std::array<Entry, kFixedDistanceSymbols> all{};
    for (unsigned s = 0; s < kFixedDistanceSymbols; s++) {
        all[s] = s < kDistanceSymbols ? meaning(kDistanceSpans[s].base, kDistanceSpans[s].extra) : kNoCode;
    }
    return all;
}

constexpr std::array<Entry, kRunSymbols> lengths_meanings() {
    std::array<Entry, kRunSymbols> all{};
    for (unsigned s = 0; s < kRunSymbols; s++) all[s] = meaning(s, kRunExtra[s]);
    return all;
}

// Codes are sent from their highest bit on, while the stream is read from its lowest: all codes here are mirrored. The
// code after `code`, both of `bits` bits, adds one at the top and carries downwards; `code` is not the last one. The
// first longer code is the same number, as its further bits are zeros, and stand above.
constexpr unsigned next_code(unsigned code, unsigned bits) {
    const unsigned carried_to = std::bit_floor(code ^ ((1u << bits) - 1));
    return (code & (carried_to - 1)) | carried_to;
}

constexpr bool last_code(unsigned code, unsigned bits) { return code == (1u << bits) - 1; }

// The second half of a table twice as wide says what the first does: the bit it tells apart is not looked at yet.
constexpr void double_table(Entry* table, size_t size) {
    if (std::is_constant_evaluated()) {
        for (size_t i = 0; i < size; i++) table[size + i] = table[i];
    } else {
        std::memcpy(table + size, table, size * sizeof(Entry));
    }
}

// A code being handed out, shortest first and within a length by symbol (§3.2.2).
struct Canonical {
    std::array<uint16_t, kFixedLiteralSymbols> symbols;
    std::array<uint16_t, kCodeLenMax + 1> left;  // symbols of each length without a code yet
    unsigned longest;
    const uint16_t* symbol;  // the next one
    unsigned code;           // its code, mirrored
};

constexpr void sort_symbols(const GivenLengths& code, Canonical& c) {
    std::array<uint16_t, kCodeLenMax + 1> places{};
    for (unsigned bits = 1; bits < kCodeLenMax; bits++) {
        places[bits + 1] = uint16_t(places[bits] + code.counts[bits]);
    }
    for (const uint16_t used : code.used) c.symbols[places[used & 15]++] = used >> 4;
    c.left = code.counts;
    c.longest = kCodeLenMax;
    while (code.counts[c.longest] == 0) c.longest--;
    c.symbol = c.symbols.data();
    c.code = 0;
}

// The codes that fit in the first table, which begins as wide as the shortest and doubles as they grow.
constexpr void fill_first(Canonical& c, const Entry* meanings, unsigned width, std::span<Entry> table) {
    unsigned shortest = 1;
    while (c.left[shortest] == 0) shortest++;
    for (unsigned bits = shortest; bits <= width; bits++) {
        for (; c.left[bits] > 0; c.left[bits]--) {
            table[c.code] = coded(meanings[*c.symbol++], bits);
            if (last_code(c.code, bits)) return;  // of the longest ones, so the table is as wide as it gets
            c.code = next_code(c.code, bits);
        }
        if (bits < width) double_table(table.data(), size_t(1) << bits);
    }
}

constexpr void widen(std::span<Entry> table, unsigned width, unsigned wanted) {
    for (; width < wanted; width++) double_table(table.data(), size_t(1) << width);
}

// How wide a table the codes from `c.code` on, the first of which has `bits` bits, fill behind a table of `width`.
constexpr unsigned link_width(const Canonical& c, unsigned bits, unsigned width) {
    int open = (1 << (bits - width)) - c.left[bits];
    while (open > 0) open = 2 * open - c.left[++bits];
    return bits - width;
}

// The codes that are longer: those that begin with the same bits share a table of their own.
constexpr void fill_links(Canonical& c, const Entry* meanings, unsigned width, std::span<Entry> table) {
    const unsigned mask = (1u << width) - 1;
    size_t end = size_t(1) << width;
    unsigned bits = width + 1;
    for (;;) {
        while (c.left[bits] == 0) bits++;
        const unsigned more = link_width(c, bits, width), first = c.code & mask;
        const std::span<Entry> linked = table.subspan(end, size_t(1) << more);
        table[first] = kEntryOdd | kEntryLink | Entry(end << 16) | more << 8 | width;
        end += linked.size();
        WSD_ASSERT(end <= table.size());
        do {
            const Entry entry = coded(meanings[*c.symbol++], bits - width);
            for (size_t i = c.code >> width; i < linked.size(); i += size_t(1) << (bits - width)) linked[i] = entry;
            if (last_code(c.code, bits)) return;
            c.code = next_code(c.code, bits);
            c.left[bits]--;
            while (c.left[bits] == 0) bits++;
        } while ((c.code & mask) == first);
    }
}

constexpr unsigned build(const GivenLengths& code, const Entry* meanings, unsigned width_max, std::span<Entry> table) {
    Canonical c;
    sort_symbols(code, c);
    const unsigned width = c.longest < width_max ? c.longest : width_max;
    fill_first(c, meanings, width, table);
    if (width < c.longest) fill_links(c, meanings, width, table);
    return width;
}

// §3.2.6: a code is handed out to all symbols there are, those that mean nothing too.
template <unsigned kWidth, size_t kSymbols, class BitsOf>
constexpr std::array<Entry, size_t(1) << kWidth> fixed_table(const std::array<Entry, kSymbols>& meanings,
                                                             BitsOf bits_of) {
    std::array<uint16_t, kSymbols> used{};
    GivenLengths code{{}, used};
    for (unsigned symbol = 0; symbol < kSymbols; symbol++) {
        used[symbol] = uint16_t(symbol << 4 | bits_of(symbol));
        code.counts[bits_of(symbol)]++;
    }
    std::array<Entry, size_t(1) << kWidth> table{};
    widen(table, build(code, meanings.data(), kWidth, table), kWidth);
    return table;
}

}  // namespace

constinit const std::array<Entry, kFixedLiteralSymbols> kLitLenMeanings = litlen_meanings();
constinit const std::array<Entry, kFixedDistanceSymbols> kDistanceMeanings = distance_meanings();
constinit const std::array<Entry, kRunSymbols> kLengthsMeanings = lengths_meanings();
constinit const std::array<Entry, size_t(1) << kFixedLitLenWidth> kFixedLitLen =
    fixed_table<kFixedLitLenWidth>(litlen_meanings(), fixed_literal_len);
constinit const std::array<Entry, size_t(1) << kDistanceWidth> kFixedDistance =
    fixed_table<kDistanceWidth>(distance_meanings(), [](unsigned) { return kFixedDistanceLen; });

CodeShape code_shape(const GivenLengths& code) {
    if (code.used.empty()) return CodeShape::kEmpty;
    int open = 1;  // codes of this length that none before has taken
    for (unsigned bits = 1; bits <= kCodeLenMax; bits++) {
        open = 2 * open - code.counts[bits];
        if (open < 0) return CodeShape::kBroken;
    }
    if (open == 0) return CodeShape::kComplete;
    return code.used.size() == 1 && code.counts[1] == 1 ? CodeShape::kSingle : CodeShape::kBroken;
}

unsigned build_table(const GivenLengths& code, const Entry* meanings, unsigned width_max, std::span<Entry> table) {
    if (code.used.size() > 1) return build(code, meanings, width_max, table);
    // None, or one of one bit: what has no code is told apart by a bit as well.
    table[0] = code.used.empty() ? coded(kNoCode, 1) : coded(meanings[code.used[0] >> 4], 1);
    table[1] = coded(kNoCode, 1);
    return 1;
}

void widen_table(std::span<Entry> table, unsigned width, unsigned wanted) { widen(table, width, wanted); }

}  // namespace wsd::deflate
