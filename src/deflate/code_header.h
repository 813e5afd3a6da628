// What precedes a dynamic block (RFC 1951 §3.2.7): the code lengths of both alphabets, written as runs in a third one
// of nineteen symbols, which has a code of its own.
#pragma once

#include <cstdint>

#include "deflate/bit_writer.h"
#include "deflate/huffman.h"
#include "deflate/tables.h"

namespace wsd::deflate {

constexpr unsigned kRunFreqs = 20;  // whole words of them

struct Run {
    uint8_t symbol;
    uint8_t extra;  // the value of its extra bits
};

struct CodeHeader {
    unsigned literals;                                 // code lengths told of the first alphabet, 257..286
    unsigned distances;                                // of the second, 1..30
    unsigned told;                                     // of the runs' own, 4..19
    unsigned count;                                    // of runs
    Run runs[kLiteralSymbols + kDistanceSymbols + 2];  // two are written where none may be meant
    uint16_t freq[kRunFreqs];                          // of their symbols
    CodeLengths lengths;                               // of their code
};

// Returns how many bits it takes.
uint32_t code_header_make(CodeHeader& header, const CodeLengths& literal, const CodeLengths& distance);

// That there is room is the caller's to know.
void code_header_write(const CodeHeader& header, BitWriter& w);

}  // namespace wsd::deflate
