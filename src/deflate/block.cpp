#include "deflate/block.h"

#include <algorithm>
#include <array>

namespace wsd::deflate {
namespace {

constexpr unsigned kHeaderBits = 3;  // of any block: is it the last, and its form
constexpr unsigned kStored = 0, kFixed = 1, kDynamic = 2;

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

struct Header {
    unsigned literals;   // code lengths told of the first alphabet, 257..286
    unsigned distances;  // of the second, 1..30
    unsigned run_lens;   // of the code of the runs, 4..19
    unsigned runs;
    uint8_t run_len[kRunSymbols];
    Run run[kLiteralSymbols + kDistanceSymbols];
    uint64_t bits;  // in all, without the block's first three
};

struct Dynamic {
    uint8_t lens[kLiteralSymbols + kDistanceSymbols];  // of both alphabets, the second behind the first as it is told
    uint8_t literal_lens[kLiteralSymbols];
    uint8_t distance_lens[kDistanceSymbols];
    Header header;
};

void add_run(Header& h, unsigned symbol, unsigned extra, uint16_t* freq) {
    h.run[h.runs++] = {uint8_t(symbol), uint8_t(extra)};
    freq[symbol]++;
}

void add_zeros(Header& h, unsigned count, uint16_t* freq) {
    for (; count >= 11; count -= std::min(count, 138u)) add_run(h, kManyZeros, std::min(count, 138u) - 11, freq);
    if (count >= 3) {
        add_run(h, kZeros, count - 3, freq);
    } else {
        for (; count > 0; count--) add_run(h, 0, 0, freq);
    }
}

void add_lens(Header& h, unsigned len, unsigned count, uint16_t* freq) {
    add_run(h, len, 0, freq);
    for (count--; count >= 3; count -= std::min(count, 6u)) add_run(h, kRepeat, std::min(count, 6u) - 3, freq);
    for (; count > 0; count--) add_run(h, len, 0, freq);
}

unsigned used_symbols(const uint8_t* lens, unsigned count, unsigned least) {
    while (count > least && lens[count - 1] == 0) count--;
    return count;
}

void make_header(Dynamic& d) {
    Header& h = d.header;
    h.literals = used_symbols(d.literal_lens, kLiteralSymbols, kEndOfBlock + 1);
    h.distances = used_symbols(d.distance_lens, kDistanceSymbols, 1);
    h.runs = 0;
    std::copy_n(d.literal_lens, h.literals, d.lens);
    std::copy_n(d.distance_lens, h.distances, d.lens + h.literals);
    uint16_t freq[kRunSymbols] = {};
    const unsigned total = h.literals + h.distances;
    for (unsigned i = 0; i < total;) {
        const unsigned start = i;
        while (i < total && d.lens[i] == d.lens[start]) i++;
        if (d.lens[start] == 0) {
            add_zeros(h, i - start, freq);
        } else {
            add_lens(h, d.lens[start], i - start, freq);
        }
    }
    huffman_lengths(freq, kRunSymbols, kRunLimit, h.run_len);
    h.run_lens = kRunSymbols;
    while (h.run_lens > 4 && h.run_len[kRunOrder[h.run_lens - 1]] == 0) h.run_lens--;
    h.bits = 5 + 5 + 4 + 3 * h.run_lens;
    for (unsigned s = 0; s < kRunSymbols; s++) h.bits += freq[s] * unsigned(h.run_len[s] + kRunExtra[s]);
}

// Of all lengths and distances.
uint64_t extra_bits(const Block& block) {
    uint64_t bits = 0;
    for (unsigned s = 0; s < kLengthSymbols; s++) {
        bits += block.literal_freq[kEndOfBlock + 1 + s] * kLengthSpans[s].extra;
    }
    for (unsigned s = 0; s < kDistanceSymbols; s++) bits += block.distance_freq[s] * distance_extra(s);
    return bits;
}

uint64_t stored_bits(const Block& block, const BitWriter& w) {
    const unsigned head = w.count + kHeaderBits;
    return kHeaderBits + (-head & 7) + 32 + uint64_t(block.bytes) * 8;
}

uint64_t fixed_bits(const Block& block) {
    uint32_t bits = 0;
    for (unsigned s = 0; s < 144; s++) bits += block.literal_freq[s] * 8u;
    for (unsigned s = 144; s < 256; s++) bits += block.literal_freq[s] * 9u;
    for (unsigned s = 256; s < 280; s++) bits += block.literal_freq[s] * 7u;
    for (unsigned s = 280; s < kLiteralSymbols; s++) bits += block.literal_freq[s] * 8u;
    for (unsigned s = 0; s < kDistanceSymbols; s++) bits += block.distance_freq[s] * 5u;
    return kHeaderBits + bits;
}

uint64_t make_dynamic(const Block& block, Dynamic& d) {
    huffman_lengths(block.literal_freq, kLiteralSymbols, kLiteralLimit, d.literal_lens);
    huffman_lengths(block.distance_freq, kDistanceSymbols, kDistanceLimit, d.distance_lens);
    make_header(d);
    uint32_t bits = 0;
    for (unsigned s = 0; s < kLiteralSymbols; s++) bits += uint32_t(block.literal_freq[s]) * d.literal_lens[s];
    for (unsigned s = 0; s < kDistanceSymbols; s++) bits += uint32_t(block.distance_freq[s]) * d.distance_lens[s];
    return kHeaderBits + d.header.bits + bits;
}

void put(BitWriter& w, Code code) { bits_put(w, code.bits, code.len); }

void write_literals(const uint8_t* p, uint32_t count, const Code* codes, BitWriter& w) {
    for (; count >= 4; count -= 4, p += 4) {
        put(w, codes[p[0]]);
        put(w, codes[p[1]]);
        put(w, codes[p[2]]);
        put(w, codes[p[3]]);
        bits_flush(w);
    }
    if (count == 0) return;
    for (; count > 0; count--) put(w, codes[*p++]);
    bits_flush(w);
}

void write_match(Sequence s, const Codes& codes, BitWriter& w) {
    const unsigned length = kLengthSymbol[s.length];
    put(w, codes.literal[kEndOfBlock + 1 + length]);
    bits_put(w, unsigned(s.length - kLengthSpans[length].base), kLengthSpans[length].extra);
    const unsigned distance = distance_symbol(s.distance);
    put(w, codes.distance[distance]);
    bits_put(w, s.distance - distance_base(distance), distance_extra(distance));
    bits_flush(w);
}

void write_sequences(const Block& block, const uint8_t* input, const Codes& codes, BitWriter& w) {
    for (uint32_t i = 0; i < block.count; i++) {
        const Sequence s = block.sequences[i];
        write_literals(input, s.literals, codes.literal, w);
        input += s.literals;
        if (s.length == 0) continue;
        write_match(s, codes, w);
        input += s.length;
    }
    put(w, codes.literal[kEndOfBlock]);
    bits_flush(w);
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
    bits_put(w, h.literals - (kEndOfBlock + 1), 5);
    bits_put(w, h.distances - 1, 5);
    bits_put(w, h.run_lens - 4, 4);
    for (unsigned i = 0; i < 4; i++) bits_put(w, h.run_len[kRunOrder[i]], 3);
    bits_flush(w);
    for (unsigned i = 4; i < h.run_lens; i++) bits_put(w, h.run_len[kRunOrder[i]], 3);
    bits_flush(w);
    Code codes[kRunSymbols];
    huffman_codes(h.run_len, kRunSymbols, codes);
    for (unsigned i = 0; i < h.runs; i++) {
        put(w, codes[h.run[i].symbol]);
        bits_put(w, h.run[i].extra, kRunExtra[h.run[i].symbol]);
        bits_flush(w);
    }
}

void write_dynamic(const Block& block, const uint8_t* input, const Dynamic& d, BitWriter& w) {
    Codes codes;
    huffman_codes(d.literal_lens, kLiteralSymbols, codes.literal);
    huffman_codes(d.distance_lens, kDistanceSymbols, codes.distance);
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
    const uint64_t extra = extra_bits(block);
    const uint64_t stored = stored_bits(block, w);
    const uint64_t fixed = fixed_bits(block) + extra;
    Dynamic d;
    const uint64_t dynamic = make_dynamic(block, d) + extra;
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
