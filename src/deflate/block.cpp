#include "deflate/block.h"

#include <algorithm>

#include "base/assert.h"
#include "deflate/code_header.h"

namespace wsd::deflate {
namespace {

constexpr unsigned kHeaderBits = 3;  // of any block: is it the last, and its form
constexpr unsigned kStored = 0, kFixed = 1, kDynamic = 2;

// A block that takes fewer bits with the fixed codes is not tried with codes of its own: their header takes about 200
// bits with any text, and of the messages measured, alone or with takeover, they made few smaller and those by little.
constexpr uint64_t kDynamicMin = 720;

// Four literals and the seven bits left from before fit in the writer: 4 * 14 + 7 = 63.
constexpr unsigned kLiteralLimit = 14;
constexpr unsigned kDistanceLimit = 15;

struct Codes {
    Code literal[kAlphabetMax];
    Code distance[32];
};

constexpr uint16_t reversed(unsigned bits, unsigned len) {
    unsigned r = 0;
    for (unsigned i = 0; i < len; i++) r |= (bits >> i & 1) << (len - 1 - i);
    return uint16_t(r);
}

// RFC 1951 §3.2.6. The codes are those of 288 symbols, of which the last two never occur.
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
        codes.literal[s] = {reversed(bits, fixed_literal_len(s)), uint16_t(fixed_literal_len(s))};
    }
    for (unsigned s = 0; s < kFixedDistanceSymbols; s++)
        codes.distance[s] = {reversed(s, kFixedDistanceLen), kFixedDistanceLen};
    return codes;
}();

struct Dynamic {
    CodeLengths literal;
    CodeLengths distance;
    CodeHeader header;
};

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
        costs.literal_fixed[s] = uint16_t(costs.literal_extra[s] + fixed_literal_len(s));
    }
    for (unsigned s = 0; s < kDistanceSymbols; s++) {
        costs.distance_extra[s] = kDistanceSpans[s].extra;
        costs.distance_fixed[s] = uint16_t(kDistanceSpans[s].extra + kFixedDistanceLen);
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
    bits += code_header_make(d.header, d.literal, d.distance);
    constexpr unsigned kLengths = kEndOfBlock;  // from here on, lest the sum be of all literals
    bits += sum_costs<32>(block.literal_freq + kLengths, kCosts.literal_extra + kLengths);
    bits += sum_costs<32>(block.distance_freq, kCosts.distance_extra);
    return kHeaderBits + bits;
}

// Four at a time; returns how many are left, and leaves `p` at them.
uint32_t write_literals(const uint8_t*& p, uint32_t count, const Code* codes, BitWriter& w) {
    for (; count >= 4; count -= 4, p += 4) {
        code_put(w, codes[p[0]]);
        code_put(w, codes[p[1]]);
        code_put(w, codes[p[2]]);
        code_put(w, codes[p[3]]);
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
    code_put(w, codes.literal[kEndOfBlock + 1 + s.length_symbol]);
    bits_put(w, unsigned(s.length - length.base), length.extra);
    code_put(w, codes.distance[s.distance_symbol]);
    bits_put(w, unsigned(s.distance - distance.base), distance.extra);
    bits_flush(w);
}

void write_sequences(const Block& block, const uint8_t* input, const Codes& codes, BitWriter& writer) {
    BitWriter w = writer;  // a copy that nobody points at can live in registers
    for (uint32_t i = 0; i < block.count; i++) {
        const Sequence s = block.sequences[i];
        uint32_t left = write_literals(input, s.literals, codes.literal, w);
        if (s.length == 0) {
            for (; left > 0; left--) code_put(w, codes.literal[*input++]);
            bits_flush(w);
            continue;
        }
        // Behind the literals are the bytes of a match, so that three can be read.
        write_some(input, left, codes.literal, w);
        bits_flush(w);
        write_match(s, codes, w);
        input += left + s.length;
    }
    code_put(w, codes.literal[kEndOfBlock]);
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

void write_dynamic(const Block& block, const uint8_t* input, const Dynamic& d, BitWriter& w) {
    Codes codes;
    huffman_codes(d.literal, codes.literal);
    huffman_codes(d.distance, codes.distance);
    bits_put(w, kDynamic << 1, kHeaderBits);
    code_header_write(d.header, w);
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
    // Codes that are not worth their header would take half of the time of a short message.
    const uint64_t dynamic = fixed < kDynamicMin ? UINT64_MAX : make_dynamic(block, d);
    const uint64_t least = std::min({stored, fixed, dynamic}), room = bits_room(w);
    if (least > room) return false;
    if (stored == least) {
        write_stored(block, input, w);
    } else if (fixed == least) {
        bits_put(w, kFixed << 1, kHeaderBits);
        write_sequences(block, input, kFixedCodes, w);
    } else {
        write_dynamic(block, input, d, w);
    }
    WSD_ASSERT(bits_room(w) == room - least);  // else the room was never safe
    block_clear(block);
    return true;
}

}  // namespace wsd::deflate
