#include "deflate/code_header.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace wsd::deflate {
namespace {

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
        const Gap& gap = kGaps[count];  // not copied: so small a struct is put together on the stack, which takes long
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

// Have symbols[i] and the three behind it the same length? Fewer are not told as a repetition. Mostly they have not,
// for one reason or another, so all are looked at before there is a branch.
bool repeats(const CodeLengths& c, unsigned i) {
    const bool in_a_row = c.symbols[i + 3] == c.symbols[i] + 3;
    const bool same_lens = load_le32(c.lens + i) == c.lens[i] * 0x01010101u;
    return in_a_row & same_lens & (i + 3 < c.count);
}

// The lengths of one alphabet; returns how many are told. Runs do not go on into the other: what this costs is a bit
// or two now and then.
unsigned add_alphabet(RunWriter& writer, const CodeLengths& c) {
    RunWriter runs = writer;  // a copy that nobody points at can live in registers
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
    writer = runs;
    return told;
}

}  // namespace

uint32_t code_header_make(CodeHeader& h, const CodeLengths& literal, const CodeLengths& distance) {
    std::memset(h.freq, 0, sizeof h.freq);
    RunWriter runs{h.runs, h.freq};
    h.literals = add_alphabet(runs, literal);
    h.distances = add_alphabet(runs, distance);
    h.count = unsigned(runs.next - h.runs);
    uint32_t bits = huffman_lengths(h.freq, kRunFreqs, kRunLenMax, h.lengths);
    for (unsigned s = kRepeat; s < kRunSymbols; s++) bits += h.freq[s] * kRunExtra[s];
    uint8_t lens[kRunSymbols] = {};
    for (unsigned i = 0; i < h.lengths.count; i++) lens[h.lengths.symbols[i]] = h.lengths.lens[i];
    h.told = kRunSymbols;
    while (h.told > 4 && lens[kRunOrder[h.told - 1]] == 0) h.told--;
    return bits + 5 + 5 + 4 + 3 * h.told;
}

void code_header_write(const CodeHeader& h, BitWriter& writer) {
    BitWriter w = writer;  // a copy that nobody points at can live in registers
    Code codes[kRunSymbols] = {};
    huffman_codes(h.lengths, codes);
    bits_put(w, h.literals - (kEndOfBlock + 1), 5);
    bits_put(w, h.distances - 1, 5);
    bits_put(w, h.told - 4, 4);
    for (unsigned i = 0; i < 4; i++) bits_put(w, codes[kRunOrder[i]].len, 3);
    bits_flush(w);
    for (unsigned i = 4; i < h.told; i++) bits_put(w, codes[kRunOrder[i]].len, 3);
    bits_flush(w);
    for (unsigned i = 0; i < h.count; i++) {
        const Run run = h.runs[i];
        code_put(w, codes[run.symbol]);
        bits_put(w, run.extra, kRunExtra[run.symbol]);
        if (i % 4 == 3) bits_flush(w);  // four have 56 bits at most
    }
    bits_flush(w);
    writer = w;
}

}  // namespace wsd::deflate
