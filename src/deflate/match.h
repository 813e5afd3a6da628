// Strings that occurred before, found by hashing. Tables hold absolute positions of 32 bits, which count the bytes of
// all messages and wrap; nothing is ever cleared. An entry of another message, or one that wrapping brought back, is
// out of reach or has the wrong bytes: every candidate is compared, so what a table holds decides how much is saved
// and never whether the result is right.
#pragma once

#include <cstdint>

#include "deflate/block.h"

namespace wsd::deflate {

// Bytes to be searched, and in front of them those that may be referred to.
struct Text {
    const uint8_t* p;
    uint32_t position;  // of p[0]
    uint32_t at;        // the first byte that is not in a sequence yet: p[0, at) is history
    uint32_t end;       // bytes in all
    uint32_t window;    // no match refers further back; <= 32768
};

// The two latest positions of each hash of a string: the later one in the low half, so that both are one load and one
// store.
using Pair = uint64_t;
struct Pairs {
    Pair* entries;  // 1 << bits
    unsigned bits;
};

// The latest position of each hash of three and of four bytes, and how far before each position the one with the same
// hash of four stood.
struct Chains {
    uint32_t* threes;  // 1 << three_bits
    uint32_t* fours;   // 1 << four_bits
    uint16_t* back;    // for a position modulo back_mask + 1; 0: none, or too far
    uint32_t back_mask;
    uint8_t three_bits;
    uint8_t four_bits;
};

// Both add sequences to `block` for the text from `at`, which they move, until the text ends or the block is full, and
// enter what they pass in the tables.

// Takes the first match that is found. A look at one candidate for each string, or at two in short texts with history.
void match_greedy(const Pairs& pairs, Text& text, Block& block);

// Looks at more, and at whether the next byte begins a longer one.
void match_lazy(const Chains& chains, Text& text, Block& block);

}  // namespace wsd::deflate
