// One block on its way out: the literals and matches found so far, how often each symbol occurs, and the choice between
// the three forms of a block (RFC 1951 §3.2.3) by their exact sizes. It finds no matches itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "deflate/bit_writer.h"
#include "deflate/huffman.h"
#include "deflate/tables.h"

namespace wsd::deflate {

// Bytes of input in a block: as much as one stored block holds. Counts therefore fit in 16 bits.
constexpr uint32_t kBlockBytes = 65535;
constexpr uint32_t kBlockSequences = 8192;

// Literals, and the match behind them. Where the literals are is known from what came before.
struct Sequence {
    uint16_t literals;  // bytes, <= kBlockBytes
    uint16_t length;    // of the match; 0: there is none
    uint16_t distance;
    uint8_t length_symbol;    // in kLengthSpans
    uint8_t distance_symbol;  // in kDistanceSpans
};

struct Block {
    uint32_t bytes;  // of input in the sequences, <= kBlockBytes
    uint32_t count;  // of sequences, <= kBlockSequences
    // By symbol, with some at the end that never occur, so that they are summed and searched in whole words.
    uint16_t literal_freq[kAlphabetMax];
    uint16_t distance_freq[32];
    Sequence sequences[kBlockSequences];
};

void block_clear(Block& block);

// A literal is counted when it is found, a sequence when it is complete.
inline void block_count(Block& block, uint8_t literal) { block.literal_freq[literal]++; }

// Adds `literals` bytes that were counted and a match. There must be room: fewer than kBlockSequences, and no more than
// kBlockBytes with these.
inline void block_add(Block& block, uint32_t literals, uint32_t length, uint32_t distance) {
    const unsigned length_symbol = kLengthSymbol[length], far = distance_symbol(distance);
    block.literal_freq[kEndOfBlock + 1 + length_symbol]++;
    block.distance_freq[far]++;
    block.bytes += literals + length;
    block.sequences[block.count++] = {uint16_t(literals), uint16_t(length), uint16_t(distance), uint8_t(length_symbol),
                                      uint8_t(far)};
}

// As block_add for literals that no match follows.
inline void block_add_literals(Block& block, uint32_t literals) {
    block.bytes += literals;
    block.sequences[block.count++] = {uint16_t(literals), 0, 0, 0, 0};
}

// Writes the block whose input begins at `input`, in the form that takes the fewest bits, as one that others follow,
// and clears it. False: no form fits into the room, and nothing was written.
[[nodiscard]] bool block_write(Block& block, const uint8_t* input, BitWriter& w);

}  // namespace wsd::deflate
