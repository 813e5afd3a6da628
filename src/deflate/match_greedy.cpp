#include <algorithm>

#include "deflate/match.h"
#include "deflate/match_load.h"

namespace wsd::deflate {
namespace {

struct Match {
    uint32_t length;  // 0: none
    uint32_t distance;
};

// Three bytes that stood further back are as short in literals as in a match.
constexpr uint32_t kThreeReach = 64;

// Strings are found by their first kBytes bytes: three in very short texts, where matches are few and any saves.
// kThorough: the earlier candidate is looked at, too, and every string of a match is entered, not just some.
template <unsigned kBytes, bool kThorough>
struct Search {
    Pairs pairs;
    const uint8_t* p;
    uint32_t position;
    uint32_t window;

    uint32_t word(uint32_t i) const { return load_le32(p + i) & (kBytes == 3 ? 0xffffff : 0xffffffff); }

    // Enters p[i], which begins with `w`, and returns what stood there.
    Pair enter(uint32_t i, uint32_t w) const {
        Pair& pair = pairs.entries[hash_of(w, pairs.bits)];
        const Pair old = pair;
        pair = old << 32 | (position + i);
        return old;
    }

    // How long the match at `distance` is; 0: it is none, or out of reach.
    uint32_t length(uint32_t i, uint32_t w, uint32_t distance, uint32_t end) const {
        if (distance - 1 >= std::min(i, window) || word(i - distance) != w) return 0;
        return agreement(p + i, p + i - distance, kBytes, std::min(end - i, kLengthMax));
    }

    Match find(uint32_t i, uint32_t end) const {
        const uint32_t w = word(i);
        const Pair old = enter(i, w);
        const uint32_t near = position + i - uint32_t(old), far = position + i - uint32_t(old >> 32);
        const uint32_t near_length = length(i, w, near, end);
        if (kBytes == 3 && near_length == 3 && near > kThreeReach) return {0, 0};
        if constexpr (!kThorough) return {near_length, near};
        const uint32_t far_length = length(i, w, far, end);
        if (far_length > near_length) return {far_length, far};
        return {near_length, near};
    }

    // Enters strings of the match p[from, to), whose first one is entered. Each costs as much as a literal does, and a
    // few are enough to find the next occurrence of nearly all.
    void enter_match(uint32_t from, uint32_t to, uint32_t last) const {
        if constexpr (kThorough) {
            for (uint32_t i = from + 1; i < to && i < last; i++) (void)enter(i, word(i));
            return;
        }
        if (to >= last) return;
        (void)enter(from + 1, word(from + 1));
        (void)enter(from + 2, word(from + 2));
        (void)enter(to - 1, word(to - 1));
    }
};

template <unsigned kBytes, bool kThorough>
void run(const Pairs& pairs, Text& text, Block& block) {
    const Search<kBytes, kThorough> search{pairs, text.p, text.position, text.window};
    const uint32_t end = std::min(text.end, text.at + (kBlockBytes - block.bytes));
    // A string is looked up by the word it begins with.
    const uint32_t last = end >= 4 ? end - 3 : 0;
    uint32_t i = text.at, done = text.at;
    while (i < last && block.count < kBlockSequences - 1) {
        const Match m = search.find(i, end);
        if (m.length == 0) {
            block_count(block, text.p[i++]);
            continue;
        }
        block_add(block, i - done, m.length, m.distance);
        done = i + m.length;
        search.enter_match(i, done, last);
        i = done;
    }
    if (block.count < kBlockSequences - 1) {
        for (; i < end; i++) block_count(block, text.p[i]);
    }
    if (done < i) block_add_literals(block, i - done);
    text.at = i;
}

constexpr uint32_t kVeryShort = 120;
constexpr uint32_t kShort = 8192;

}  // namespace

void match_greedy(const Pairs& pairs, Text& text, Block& block) {
    if (text.end < kVeryShort) return run<3, false>(pairs, text, block);
    // What a short message has in common with those before it is most of what can be saved: here looking pays.
    if (text.at > 0 && text.end - text.at < kShort) return run<4, true>(pairs, text, block);
    run<4, false>(pairs, text, block);
}

}  // namespace wsd::deflate
