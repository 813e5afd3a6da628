#include "deflate/huffman.h"

#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace wsd::deflate {
namespace {

// The place of a symbol among those that occur below its frequency, so that keys compare by frequency.
using Key = uint32_t;
constexpr unsigned kPlaceBits = 9;
constexpr Key kPlaceMask = (1u << kPlaceBits) - 1;

// With frequencies of 16 bits in alphabets of 288 symbols a tree weighs less than 2^25. A leaf at depth d needs a tree
// of the (d + 2)th Fibonacci number at least, so none is deeper than this.
constexpr unsigned kDepthMax = 36;

// What occurs, in order of symbol. Returns all frequencies or-ed together.
uint32_t gather(const uint16_t* freq, unsigned size, CodeLengths& out, Key* keys) {
    unsigned count = 0;
    uint64_t seen = 0;
    for (unsigned s = 0; s < size; s += 4) {
        uint64_t four;
        std::memcpy(&four, freq + s, sizeof four);
        if (four == 0) continue;
        seen |= four;
        for (unsigned i = s; i < s + 4; i++) {
            const uint32_t f = freq[i];
            out.symbols[count] = uint16_t(i);
            keys[count] = f << kPlaceBits | count;
            count += f != 0;
        }
    }
    out.count = count;
    seen |= seen >> 32;
    return uint32_t((seen | seen >> 16) & 0xffff);
}

void sort_few(Key* keys, unsigned count) {
    for (unsigned i = 1; i < count; i++) {
        const Key key = keys[i];
        unsigned at = i;
        for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

constexpr unsigned kDigitBits = 5;  // most frequencies have one digit in short messages and two in long ones

// One stable pass over a digit of the keys.
void sort_digit(const Key* from, Key* to, unsigned count, unsigned shift) {
    constexpr unsigned kDigits = 1u << kDigitBits;
    uint16_t place[kDigits] = {};
    for (unsigned i = 0; i < count; i++) place[(from[i] >> shift) % kDigits]++;
    unsigned next = 0;
    for (uint16_t& p : place) next += std::exchange(p, uint16_t(next));
    for (unsigned i = 0; i < count; i++) to[place[(from[i] >> shift) % kDigits]++] = from[i];
}

// Rarest first, in `keys` or `other`; returns which. `seen` has the bits of all frequencies.
Key* sort(Key* keys, Key* other, unsigned count, uint32_t seen) {
    if (count <= 12) {
        sort_few(keys, count);
        return keys;
    }
    for (unsigned shift = kPlaceBits; seen > 0; seen >>= kDigitBits, shift += kDigitBits) {
        sort_digit(keys, other, count, shift);
        std::swap(keys, other);
    }
    return keys;
}

// Joins the two lightest trees until one is left. Leaves come sorted and joined trees come about in order of weight, so
// the lightest is always at the front of one of the two. `parents[i]` is of the i-th joined tree; the last is the root.
// Returns the sum of what was joined: a symbol is counted there once for every bit of its code.
// Trees have their weight where keys have theirs, and all bits below it: so they compare, leaves first.
uint32_t join(Key* keys, unsigned count, uint16_t* parents) {
    constexpr Key kNone = UINT32_MAX;  // behind the last leaf and the last tree
    Key trees[kAlphabetMax];
    keys[count] = kNone;
    uint32_t total = 0;
    const Key *leaf = keys, *tree = trees;
    for (unsigned made = 0; made + 1 < count; made++) {
        trees[made] = kNone;
        uint32_t sum = 0;
        for (unsigned half = 0; half < 2; half++) {
            if (*leaf <= *tree) {
                sum += *leaf++ >> kPlaceBits;
            } else {
                sum += *tree++ >> kPlaceBits;
                *parents++ = uint16_t(made);
            }
        }
        trees[made] = sum << kPlaceBits | kPlaceMask;
        total += sum;
    }
    return total;
}

// How many leaves each depth of the tree has, from 0 to the greatest, which is returned. Only joined trees are walked,
// from the root: none is less deep than one that was joined after it. What they have room for at a depth and do not
// fill themselves is leaves.
unsigned count_leaves(const uint16_t* parents, unsigned count, unsigned* leaves) {
    uint8_t depth[kAlphabetMax];
    const unsigned root = count - 2;
    unsigned deepest = 0, inner = 1;
    depth[root] = 0;
    leaves[0] = 0;
    for (unsigned i = root; i-- > 0;) {
        depth[i] = uint8_t(depth[parents[i]] + 1);
        if (depth[i] > deepest) {
            deepest = depth[i];
            leaves[deepest] = 2 * inner;
            inner = 0;
        }
        leaves[deepest]--;
        inner++;
    }
    leaves[deepest + 1] = 2 * inner;
    return deepest + 1;
}

// Brings leaves below `limit` up to it, and pays for the room this takes: a leaf above goes down by one and takes one
// from the bottom beside itself, which gives back the room of exactly one leaf at the bottom.
void limit_depth(unsigned* leaves, unsigned deepest, unsigned limit) {
    for (unsigned d = limit + 1; d <= deepest; d++) leaves[limit] += leaves[d];
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

// A code of two symbols where fewer occur.
uint32_t make_two(const uint16_t* freq, CodeLengths& out) {
    const uint16_t symbol = out.count ? out.symbols[0] : 0;
    out.symbols[0] = symbol ? 0 : symbol;
    out.symbols[1] = symbol ? symbol : 1;
    out.lens[0] = out.lens[1] = 1;
    out.with_len[1] = 2;
    out.count = 2;
    return freq[symbol];
}

constexpr auto kReversed = [] {
    std::array<uint8_t, 256> reversed{};
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned bit = 0; bit < 8; bit++) reversed[i] |= uint8_t((i >> bit & 1) << (7 - bit));
    }
    return reversed;
}();

}  // namespace

uint32_t huffman_lengths(const uint16_t* freq, unsigned size, unsigned limit, CodeLengths& out) {
    Key gathered[kAlphabetMax + 1], other[kAlphabetMax + 1];
    std::memset(out.with_len, 0, sizeof out.with_len);
    const uint32_t seen = gather(freq, size, out, gathered);
    if (out.count < 2) return make_two(freq, out);
    Key* const keys = sort(gathered, other, out.count, seen);
    uint16_t parents[kAlphabetMax];
    uint32_t bits = join(keys, out.count, parents);
    unsigned leaves[kDepthMax + 2];
    unsigned deepest = count_leaves(parents, out.count, leaves);
    const bool limited = deepest > limit;
    if (limited) {
        limit_depth(leaves, deepest, limit);
        deepest = limit;
        bits = 0;
    }
    // The rarest symbols are the deepest leaves.
    unsigned next = 0;
    for (unsigned len = deepest; len > 0; len--) {
        out.with_len[len] = uint16_t(leaves[len]);
        for (unsigned i = 0; i < leaves[len]; i++, next++) {
            out.lens[keys[next] & kPlaceMask] = uint8_t(len);
            if (limited) bits += (keys[next] >> kPlaceBits) * len;
        }
    }
    return bits;
}

void huffman_codes(const CodeLengths& lengths, Code* codes) {
    uint16_t next[kCodeLenMax + 1];
    unsigned code = 0;
    for (unsigned len = 1; len <= kCodeLenMax; len++) {
        code = (code + lengths.with_len[len - 1]) << 1;
        next[len] = uint16_t(code);
    }
    for (unsigned i = 0; i < lengths.count; i++) {
        const unsigned len = lengths.lens[i];
        const unsigned bits = next[len]++;
        const unsigned reversed = unsigned(kReversed[bits & 255]) << 8 | kReversed[bits >> 8];
        codes[lengths.symbols[i]] = {uint16_t(reversed >> (16 - len)), uint16_t(len)};
    }
}

}  // namespace wsd::deflate
