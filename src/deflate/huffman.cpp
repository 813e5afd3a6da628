#include "deflate/huffman.h"

#include <array>
#include <utility>

#include "base/assert.h"

namespace wsd::deflate {
namespace {

// A symbol below its frequency, so that keys compare by frequency.
using Key = uint32_t;
constexpr unsigned kSymbolBits = 9;
constexpr Key kSymbolMask = (1u << kSymbolBits) - 1;

// With frequencies of 16 bits in alphabets of 288 symbols a tree weighs less than 2^25. A leaf at depth d needs a tree
// of the (d + 2)th Fibonacci number at least, so none is deeper than this.
constexpr unsigned kDepthMax = 36;

// Of few keys, or of keys that are nearly in order.
void sort_few(Key* keys, unsigned count) {
    for (unsigned i = 1; i < count; i++) {
        const Key key = keys[i];
        unsigned at = i;
        for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

// One stable pass over eight bits of the keys.
void sort_digit(const Key* from, Key* to, unsigned count, unsigned shift) {
    uint16_t place[256] = {};
    for (unsigned i = 0; i < count; i++) place[from[i] >> shift & 255]++;
    unsigned next = 0;
    for (uint16_t& p : place) next += std::exchange(p, uint16_t(next));
    for (unsigned i = 0; i < count; i++) to[place[from[i] >> shift & 255]++] = from[i];
}

// The symbols that occur, rarest first. They are gathered in order of symbol, and sorting keeps that among equals.
unsigned sorted_keys(const uint16_t* freq, unsigned count, Key* keys) {
    unsigned used = 0;
    Key greatest = 0;
    for (unsigned symbol = 0; symbol < count; symbol++) {
        keys[used] = Key(freq[symbol]) << kSymbolBits | symbol;
        greatest |= freq[symbol];
        used += freq[symbol] != 0;
    }
    if (used <= 20) {
        sort_few(keys, used);
        return used;
    }
    Key other[kAlphabetMax];
    sort_digit(keys, other, used, kSymbolBits);
    if (greatest < 256) {
        for (unsigned i = 0; i < used; i++) keys[i] = other[i];
    } else {
        sort_digit(other, keys, used, kSymbolBits + 8);
    }
    return used;
}

// Joins the two lightest trees until one is left. Leaves come sorted and joined trees come about in order of weight, so
// the lightest is always at the front of one of the two. `parents[i]` is of the i-th joined tree; the last is the root.
void join(const Key* keys, unsigned count, uint16_t* parents) {
    uint32_t weights[kAlphabetMax];
    unsigned leaf = 0, tree = 0;
    for (unsigned made = 0; made + 1 < count; made++) {
        uint32_t sum = 0;
        for (unsigned half = 0; half < 2; half++) {
            const uint32_t leaf_weight = leaf < count ? keys[leaf] >> kSymbolBits : UINT32_MAX;
            if (tree == made || leaf_weight <= weights[tree]) {
                sum += leaf_weight;
                leaf++;
            } else {
                sum += weights[tree];
                parents[tree++] = uint16_t(made);
            }
        }
        weights[made] = sum;
    }
}

// How many leaves each depth of the tree has. Only joined trees are walked: what they have room for at a depth and do
// not fill themselves is leaves.
void count_leaves(const uint16_t* parents, unsigned count, unsigned* leaves) {
    uint8_t depth[kAlphabetMax];
    unsigned inner[kDepthMax + 2] = {};
    const unsigned root = count - 2;
    depth[root] = 0;
    inner[0] = 1;
    for (unsigned i = root; i-- > 0;) {
        depth[i] = uint8_t(depth[parents[i]] + 1);
        inner[depth[i]]++;
    }
    leaves[0] = 0;
    for (unsigned d = 1; d <= kDepthMax + 1; d++) leaves[d] = 2 * inner[d - 1] - inner[d];
}

// Brings leaves below `limit` up to it, and pays for the room this takes: a leaf above goes down by one and takes one
// from the bottom beside itself, which gives back the room of exactly one leaf at the bottom.
void limit_depth(unsigned* leaves, unsigned limit) {
    unsigned deeper = 0;
    for (unsigned d = limit + 1; d <= kDepthMax + 1; d++) deeper += leaves[d];
    if (deeper == 0) return;
    leaves[limit] += deeper;
    uint32_t taken = 0;
    for (unsigned d = 1; d <= limit; d++) taken += leaves[d] << (limit - d);
    WSD_ASSERT(taken > 1u << limit);
    for (uint32_t over = taken - (1u << limit); over > 0; over--) {
        unsigned d = limit - 1;
        while (leaves[d] == 0) d--;
        leaves[d]--;
        leaves[d + 1] += 2;
        leaves[limit]--;
    }
}

constexpr auto kReversed = [] {
    std::array<uint8_t, 256> reversed{};
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned bit = 0; bit < 8; bit++) reversed[i] |= uint8_t((i >> bit & 1) << (7 - bit));
    }
    return reversed;
}();

}  // namespace

void huffman_lengths(const uint16_t* freq, unsigned count, unsigned limit, uint8_t* lens) {
    Key keys[kAlphabetMax + 1];
    const unsigned used = sorted_keys(freq, count, keys);
    for (unsigned i = 0; i < count; i++) lens[i] = 0;
    if (used < 2) {
        const unsigned symbol = used ? keys[0] & kSymbolMask : 0;
        lens[symbol] = 1;
        lens[symbol ? 0 : 1] = 1;
        return;
    }
    uint16_t parents[kAlphabetMax];
    join(keys, used, parents);
    unsigned leaves[kDepthMax + 2];
    count_leaves(parents, used, leaves);
    limit_depth(leaves, limit);
    // The rarest symbols are the deepest leaves.
    unsigned next = 0;
    for (unsigned len = limit; len > 0; len--) {
        for (unsigned i = 0; i < leaves[len]; i++) lens[keys[next++] & kSymbolMask] = uint8_t(len);
    }
}

void huffman_codes(const uint8_t* lens, unsigned count, Code* codes) {
    unsigned counts[kCodeLengthMax + 1] = {};
    for (unsigned i = 0; i < count; i++) counts[lens[i]]++;
    uint16_t next[kCodeLengthMax + 1];
    unsigned code = 0;
    counts[0] = 0;
    next[0] = 0;
    for (unsigned len = 1; len <= kCodeLengthMax; len++) {
        code = (code + counts[len - 1]) << 1;
        next[len] = uint16_t(code);
    }
    for (unsigned i = 0; i < count; i++) {
        const unsigned len = lens[i];
        if (len == 0) continue;
        const unsigned bits = next[len]++;
        const unsigned reversed = unsigned(kReversed[bits & 255]) << 8 | kReversed[bits >> 8];
        codes[i] = {uint16_t(reversed >> (16 - len)), uint16_t(len)};
    }
}

}  // namespace wsd::deflate
