#include "deflate/block.h"

#include <algorithm>
#include <array>

namespace wsd::deflate {
namespace {

constexpr unsigned kHeaderBits = 3;  // of any block: is it the last, and its form
constexpr unsigned kStored = 0, kFixed = 1, kDynamic = 2;

// A block that takes fewer bits with the fixed codes is not tried with its own: their header takes 200 bits or more
// with any text, and no message was seen, alone or with takeover, that they had made smaller.
constexpr uint64_t kDynamicMin = 560;

// Four literals and the seven bits left from before fit in the writer: 4 * 14 + 7 = 63.
constexpr unsigned kLiteralLimit = 14;
constexpr unsigned kDistanceLimit = 15;

struct Codes {
    Code literal[kAlphabetMax];
    Code distance[32];
};

constexpr unsigned fixed_len(unsigned symbol) {
    if (symbol < 144) return 8;
    if (symbol < 256) return 9;
    return symbol < 280 ? 7 : 8;
}

constexpr uint16_t reversed(unsigned bits, unsigned len) {
    unsigned r = 0;
    for (unsigned i = 0; i < len; i++) r |= (bits >> i & 1) << (len - 1 - i);
    return uint16_t(r);
}

// §3.2.6 of RFC 1951. The codes are canonical in a code of 288 symbols, of which the last two never occur.
constexpr Codes kFixedCodes = [] {
    Codes codes{};
    for (unsigned s = 0; s < kAlphabetMax; s++) {
        unsigned bits = 0;
        if (s < 144) {
            bits = 0x30 + s;
        } else if (s < 256) {
            bits = 0x190 + s - 144;
        } else if (s < 280) {
            bits = s - 256;
        } else {
            bits = 0xc0 + s - 280;
        }
        codes.literal[s] = {reversed(bits, fixed_len(s)), uint16_t(fixed_len(s))};
    }
    for (unsigned s = 0; s < 32; s++) codes.distance[s] = {reversed(s, 5), 5};
    return codes;
}();

// The code lengths of both alphabets as the header of a dynamic block tells them (RFC 1951 §3.2.7): runs in an
// alphabet of nineteen symbols, which has a code of its own.
constexpr unsigned kRunSymbols = 19;
constexpr unsigned kRunLimit = 7;
constexpr unsigned kRepeat = 16, kZeros = 17, kManyZeros = 18;
constexpr std::array<uint8_t, kRunSymbols> kRunOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                        11, 4,  12, 3, 13, 2, 14, 1, 15};
constexpr std::array<uint8_t, kRunSymbols> kRunExtra = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7};

struct Run {
    uint8_t symbol;
    uint8_t extra;  // the value of its extra bits
};

// What precedes a dynamic block: the code lengths of both alphabets.
struct Header {
    unsigned literals;   // code lengths told of the first alphabet, 257..286
    unsigned distances;  // of the second, 1..30
    unsigned told;       // code lengths of the code of the runs that are told, 4..19
    unsigned runs;
    uint16_t freq[20];                                // of the runs' symbols
    Run run[kLiteralSymbols + kDistanceSymbols + 2];  // two are written where none may be meant
    CodeLengths lengths;                              // of the runs' code
};

struct Dynamic {
    CodeLengths literal;
    CodeLengths distance;
    Header header;
};

// How symbols without a code are told, by how many there are in a row. From a table, as what comes next in a header
// cannot be foretold and every wrong guess would cost as much as several symbols.
constexpr unsigned kGapMax = 138;
struct Gap {
    uint8_t runs;  // 0..2, which are alike
    Run run;
};
constexpr auto kGaps = [] {
    std::array<Gap, kGapMax + 1> gaps{};
    for (unsigned zeros = 1; zeros <= kGapMax; zeros++) {
        if (zeros < 3) {
            gaps[zeros] = {uint8_t(zeros), {0, 0}};
        } else if (zeros < 11) {
            gaps[zeros] = {1, {kZeros, uint8_t(zeros - 3)}};
        } else {
            gaps[zeros] = {1, {kManyZeros, uint8_t(zeros - 11)}};
        }
    }
    return gaps;
}();

// Adds runs behind those that are there.
struct RunWriter {
    Run* next;
    uint16_t* freq;

    void add(unsigned symbol, unsigned extra) {
        *next++ = {uint8_t(symbol), uint8_t(extra)};
        freq[symbol]++;
    }

    void zeros(unsigned count) {
        for (; count > kGapMax; count -= kGapMax) add(kManyZeros, kGapMax - 11);
        const Gap gap = kGaps[count];
        next[0] = next[1] = gap.run;
        next += gap.runs;
        freq[gap.run.symbol] = uint16_t(freq[gap.run.symbol] + gap.runs);
    }

    // The length that came last, so many times again.
    void repeat(unsigned len, unsigned again) {
        while (again >= 3) {
            const unsigned many = std::min(again, 6u);
            add(kRepeat, many - 3);
            again -= many;
        }
        for (; again > 0; again--) add(len, 0);
    }
};

// Are the lengths of the three symbols behind symbols[i] the same as its own? Fewer are not told as a repetition.
bool repeats(const CodeLengths& c, unsigned i) {
    if (i + 3 >= c.count || c.symbols[i + 3] != c.symbols[i] + 3) return false;
    return c.lens[i + 1] == c.lens[i] && c.lens[i + 2] == c.lens[i] && c.lens[i + 3] == c.lens[i];
}

// The lengths of one alphabet; returns how many are told. Runs do not go on into the other: what this costs is a bit
// or two now and then.
unsigned add_alphabet(RunWriter& runs, const CodeLengths& c) {
    unsigned told = 0;
    for (unsigned i = 0; i < c.count;) {
        const unsigned first = i, symbol = c.symbols[i], len = c.lens[i];
        runs.zeros(symbol - told);
        runs.add(len, 0);
        i++;
        if (repeats(c, first)) {
            while (i < c.count && c.lens[i] == len && c.symbols[i] == symbol + (i - first)) i++;
            runs.repeat(len, i - first - 1);
        }
        told = symbol + (i - first);
    }
    return told;
}

// Returns its bits.
uint32_t make_header(Dynamic& d) {
    Header& h = d.header;
    std::memset(h.freq, 0, sizeof h.freq);
    RunWriter runs{h.run, h.freq};
    h.literals = add_alphabet(runs, d.literal);
    h.distances = add_alphabet(runs, d.distance);
    h.runs = unsigned(runs.next - h.run);
    uint32_t bits = huffman_lengths(h.freq, sizeof h.freq / sizeof *h.freq, kRunLimit, h.lengths);
    uint8_t lens[kRunSymbols] = {};
    for (unsigned i = 0; i < h.lengths.count; i++) lens[h.lengths.symbols[i]] = h.lengths.lens[i];
    h.told = kRunSymbols;
    while (h.told > 4 && lens[kRunOrder[h.told - 1]] == 0) h.told--;
    bits += h.freq[kRepeat] * 2u + h.freq[kZeros] * 3u + h.freq[kManyZeros] * 7u;
    return bits + 5 + 5 + 4 + 3 * h.told;
}

uint64_t stored_bits(const Block& block, const BitWriter& w) {
    const unsigned head = w.count + kHeaderBits;
    return kHeaderBits + (-head & 7) + 32 + uint64_t(block.bytes) * 8;
}

// What each symbol takes: the bits behind it, and those with its fixed code.
struct Costs {
    uint16_t literal_extra[kAlphabetMax];
    uint16_t literal_fixed[kAlphabetMax];
    uint16_t distance_extra[32];
    uint16_t distance_fixed[32];
};
constexpr Costs kCosts = [] {
    Costs costs{};
    for (unsigned s = 0; s < kLengthSymbols; s++) {
        costs.literal_extra[kEndOfBlock + 1 + s] = kLengthSpans[s].extra;
    }
    for (unsigned s = 0; s < kAlphabetMax; s++) {
        costs.literal_fixed[s] = uint16_t(costs.literal_extra[s] + fixed_len(s));
    }
    for (unsigned s = 0; s < kDistanceSymbols; s++) {
        costs.distance_extra[s] = kDistanceSpans[s].extra;
        costs.distance_fixed[s] = uint16_t(kDistanceSpans[s].extra + 5);
    }
    return costs;
}();

template <unsigned kCount>
uint32_t sum_costs(const uint16_t* freq, const uint16_t* costs) {
    uint32_t bits = 0;
    for (unsigned s = 0; s < kCount; s++) bits += uint32_t(freq[s]) * costs[s];
    return bits;
}

uint32_t fixed_bits(const Block& block) {
    return kHeaderBits + sum_costs<kAlphabetMax>(block.literal_freq, kCosts.literal_fixed) +
           sum_costs<32>(block.distance_freq, kCosts.distance_fixed);
}

uint32_t make_dynamic(const Block& block, Dynamic& d) {
    uint32_t bits = huffman_lengths(block.literal_freq, kAlphabetMax, kLiteralLimit, d.literal);
    bits += huffman_lengths(block.distance_freq, 32, kDistanceLimit, d.distance);
    bits += make_header(d);
    constexpr unsigned kLengths = kEndOfBlock;  // from here on, lest the sum be of all literals
    bits += sum_costs<32>(block.literal_freq + kLengths, kCosts.literal_extra + kLengths);
    bits += sum_costs<32>(block.distance_freq, kCosts.distance_extra);
    return kHeaderBits + bits;
}

void put(BitWriter& w, Code code) { bits_put(w, code.bits, code.len); }

// Four at a time; returns how many are left, and leaves `p` at them.
uint32_t write_literals(const uint8_t*& p, uint32_t count, const Code* codes, BitWriter& w) {
    for (; count >= 4; count -= 4, p += 4) {
        put(w, codes[p[0]]);
        put(w, codes[p[1]]);
        put(w, codes[p[2]]);
        put(w, codes[p[3]]);
        bits_flush(w);
    }
    return count;
}

// The first `count` of three literals, without a branch that no one could foretell: the others are put as no bits.
void write_some(const uint8_t* p, uint32_t count, const Code* codes, BitWriter& w) {
#pragma GCC unroll 3
    for (uint32_t i = 0; i < 3; i++) {
        const Code code = codes[p[i]];
        const uint64_t keep = -uint64_t(i < count);
        bits_put(w, code.bits & keep, unsigned(code.len & keep));
    }
}

void write_match(Sequence s, const Codes& codes, BitWriter& w) {
    const Span length = kLengthSpans[s.length_symbol], distance = kDistanceSpans[s.distance_symbol];
    put(w, codes.literal[kEndOfBlock + 1 + s.length_symbol]);
    bits_put(w, unsigned(s.length - length.base), length.extra);
    put(w, codes.distance[s.distance_symbol]);
    bits_put(w, unsigned(s.distance - distance.base), distance.extra);
    bits_flush(w);
}

void write_sequences(const Block& block, const uint8_t* input, const Codes& codes, BitWriter& writer) {
    BitWriter w = writer;  // a copy that nobody points at can live in registers
    for (uint32_t i = 0; i < block.count; i++) {
        const Sequence s = block.sequences[i];
        uint32_t left = write_literals(input, s.literals, codes.literal, w);
        if (s.length == 0) {
            for (; left > 0; left--) put(w, codes.literal[*input++]);
            bits_flush(w);
            continue;
        }
        // Behind the literals are the bytes of a match, so that three can be read.
        write_some(input, left, codes.literal, w);
        bits_flush(w);
        write_match(s, codes, w);
        input += left + s.length;
    }
    put(w, codes.literal[kEndOfBlock]);
    bits_flush(w);
    writer = w;
}

void write_stored(const Block& block, const uint8_t* input, BitWriter& w) {
    bits_put(w, kStored << 1, kHeaderBits);
    bits_align(w);
    bits_put(w, block.bytes | uint64_t(~block.bytes & 0xffff) << 16, 32);
    bits_flush(w);
    std::memcpy(w.out, input, block.bytes);
    w.out += block.bytes;
}

void write_header(const Header& h, BitWriter& w) {
    Code codes[kRunSymbols] = {};
    huffman_codes(h.lengths, codes);
    bits_put(w, h.literals - (kEndOfBlock + 1), 5);
    bits_put(w, h.distances - 1, 5);
    bits_put(w, h.told - 4, 4);
    for (unsigned i = 0; i < 4; i++) bits_put(w, codes[kRunOrder[i]].len, 3);
    bits_flush(w);
    for (unsigned i = 4; i < h.told; i++) bits_put(w, codes[kRunOrder[i]].len, 3);
    bits_flush(w);
    for (unsigned i = 0; i < h.runs; i++) {
        put(w, codes[h.run[i].symbol]);
        bits_put(w, h.run[i].extra, kRunExtra[h.run[i].symbol]);
        if (i % 4 == 3) bits_flush(w);  // four have 56 bits at most
    }
    bits_flush(w);
}

void write_dynamic(const Block& block, const uint8_t* input, const Dynamic& d, BitWriter& w) {
    Codes codes;
    huffman_codes(d.literal, codes.literal);
    huffman_codes(d.distance, codes.distance);
    bits_put(w, kDynamic << 1, kHeaderBits);
    write_header(d.header, w);
    write_sequences(block, input, codes, w);
}

}  // namespace

void block_clear(Block& block) {
    block.bytes = 0;
    block.count = 0;
    std::memset(block.literal_freq, 0, sizeof block.literal_freq);
    std::memset(block.distance_freq, 0, sizeof block.distance_freq);
}

bool block_write(Block& block, const uint8_t* input, BitWriter& w) {
    block.literal_freq[kEndOfBlock] = 1;
    const uint64_t stored = stored_bits(block, w);
    const uint64_t fixed = fixed_bits(block);
    Dynamic d;
    // Half of the time that a short message takes would go into codes that are not worth their header.
    const uint64_t dynamic = fixed < kDynamicMin ? UINT64_MAX : make_dynamic(block, d);
    if (std::min({stored, fixed, dynamic}) > bits_room(w)) return false;
    if (stored <= fixed && stored <= dynamic) {
        write_stored(block, input, w);
    } else if (fixed <= dynamic) {
        bits_put(w, kFixed << 1, kHeaderBits);
        write_sequences(block, input, kFixedCodes, w);
    } else {
        write_dynamic(block, input, d, w);
    }
    block_clear(block);
    return true;
}

}  // namespace wsd::deflate
