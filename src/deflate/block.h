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
};

struct Block {
    uint32_t bytes;  // of input in the sequences, <= kBlockBytes
    uint32_t count;  // of sequences, <= kBlockSequences
    uint16_t literal_freq[kLiteralSymbols];
    uint16_t distance_freq[kDistanceSymbols];
    Sequence sequences[kBlockSequences];
};

void block_clear(Block& block);

// Room for one more sequence of up to `bytes` bytes is the caller's to know.
inline void block_add(Block& block, const uint8_t* literals, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) block.literal_freq[literals[i]]++;
    block.bytes += count;
    block.sequences[block.count++] = {uint16_t(count), 0, 0};
}

inline void block_add(Block& block, const uint8_t* literals, uint32_t count, uint32_t length, uint32_t distance) {
    for (uint32_t i = 0; i < count; i++) block.literal_freq[literals[i]]++;
    block.literal_freq[kEndOfBlock + 1 + kLengthSymbol[length]]++;
    block.distance_freq[distance_symbol(distance)]++;
    block.bytes += count + length;
    block.sequences[block.count++] = {uint16_t(count), uint16_t(length), uint16_t(distance)};
}

// Writes the block whose input begins at `input`, in the form that takes the fewest bits, as one that others follow,
// and clears it. False: no form fits into the room, and nothing was written.
[[nodiscard]] bool block_write(Block& block, const uint8_t* input, BitWriter& w);

}  // namespace wsd::deflate
