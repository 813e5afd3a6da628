// Prefix codes from how often symbols occur: lengths of least total under a limit, and the canonical codes that follow
// from lengths (RFC 1951 §3.2.2).
#pragma once

#include <cstdint>

namespace wsd::deflate {

constexpr unsigned kAlphabetMax = 288;
constexpr unsigned kCodeLengthMax = 15;

struct Code {
    uint16_t bits;  // first bit lowest, as it is written
    uint16_t len;
};

// Sets lens[0, count) to the code lengths of the symbols, none above `limit` and 0 where `freq` is 0. The code is
// complete: if fewer than two symbols occur, symbols that do not are given codes until there are two.
// `count` is 2..kAlphabetMax, 1 << limit at least the number of symbols that occur.
void huffman_lengths(const uint16_t* freq, unsigned count, unsigned limit, uint8_t* lens);

// The canonical codes for lens[0, count), each at most kCodeLengthMax; those of length 0 are left as they are.
void huffman_codes(const uint8_t* lens, unsigned count, Code* codes);

}  // namespace wsd::deflate
