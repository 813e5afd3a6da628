// Prefix codes from how often symbols occur: lengths of least total under a limit, and the canonical codes that follow
// from lengths (RFC 1951 §3.2.2). All work is in proportion to the symbols that do occur: of a short message these are
// few, and building its codes is most of what it costs.
#pragma once

#include <cstdint>

#include "deflate/bit_writer.h"
#include "deflate/tables.h"

namespace wsd::deflate {

constexpr unsigned kAlphabetMax = 288;

// The symbols that have a code, ascending, and how long it is.
struct CodeLengths {
    unsigned count;
    uint16_t symbols[kAlphabetMax + 3];  // so that three more can be looked at
    uint8_t lens[kAlphabetMax + 3];      // of symbols[i]
    uint16_t with_len[kCodeLenMax + 1];  // how many are that long; [0] is 0
};

// Gives all symbols of freq[0, size) that occur a code of at most `limit` bits, and returns what writing each as often
// as it occurs takes. The code is complete: if fewer than two symbols occur, others are given codes until there are
// two. `size` is a multiple of 4, at most kAlphabetMax; `limit` allows for as many codes as symbols occur.
uint32_t huffman_lengths(const uint16_t* freq, unsigned size, unsigned limit, CodeLengths& out);

// The canonical codes, by symbol; those of other symbols are left as they are.
void huffman_codes(const CodeLengths& lengths, Code* codes);

}  // namespace wsd::deflate
