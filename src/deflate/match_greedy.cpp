#include <algorithm>

#include "deflate/match.h"
#include "deflate/match_load.h"

namespace wsd::deflate {
namespace {

struct Match {
    uint32_t length;  // 0: none
    uint32_t distance;
};

// Strings are found by their first kBytes bytes: three in short texts, where one more find is worth more than a better.
template <unsigned kBytes, bool kThorough>
struct Search {
    static constexpr uint32_t kMask = kBytes == 3 ? 0xffffff : 0xffffffff;

    Pairs pairs;
    const uint8_t* p;
    uint32_t position;
    uint32_t window;

    uint32_t word(uint32_t i) const { return load_le32(p + i) & kMask; }

    // Enters p[i] and returns what stood there.
    Pair enter(uint32_t i, uint32_t w) const {
        Pair& pair = pairs.entries[hash_of(w, pairs.bits)];
        const Pair old = pair;
        pair = old << 32 | (position + i);
        return old;
    }

    bool agrees(uint32_t i, uint32_t w, uint32_t distance, uint32_t reach) const {
        return distance - 1 < reach && word(i - distance) == w;
    }

    Match find(uint32_t i, uint32_t end) const {
        const uint32_t w = word(i), reach = std::min(i, window);
        const Pair old = enter(i, w);
        const uint32_t near = position + i - uint32_t(old), far = position + i - uint32_t(old >> 32);
        // What is older is out of reach, too.
        if (near - 1 >= reach) return {0, 0};
        const bool near_agrees = word(i - near) == w;
        if (!near_agrees && !agrees(i, w, far, reach)) return {0, 0};
        const uint32_t max = std::min(end - i, kLengthMax);
        if (kThorough && near_agrees && agrees(i, w, far, reach)) {
            const uint32_t a = agreement(p + i, p + i - near, kBytes, max),
                           b = agreement(p + i, p + i - far, kBytes, max);
            return {std::max(a, b), b > a ? far : near};
        }
        const uint32_t distance = near_agrees ? near : far;
        return {agreement(p + i, p + i - distance, kBytes, max), distance};
    }
};

template <unsigned kBytes, bool kThorough>
void run(const Pairs& pairs, Text& text, Block& block) {
    const Search<kBytes, kThorough> search{pairs, text.p, text.position, text.window};
    const uint8_t* const p = text.p;
    const uint32_t end = std::min(text.end, text.at + (kBlockBytes - block.bytes));
    // A string is looked up by the word it begins with.
    const uint32_t last = end >= 4 ? end - 3 : 0;
    uint32_t i = text.at, done = text.at;
    while (i < last && block.count < kBlockSequences - 1) {
        const Match m = search.find(i, end);
        if (m.length == 0) {
            block_count(block, p[i++]);
            continue;
        }
        block_add(block, i - done, m.length, m.distance);
        done = i + m.length;
        if (kThorough) {
            for (i++; i < done && i < last; i++) (void)search.enter(i, search.word(i));
        } else if (done < last) {
            (void)search.enter(i + 1, search.word(i + 1));
            (void)search.enter(i + 2, search.word(i + 2));
            (void)search.enter(done - 1, search.word(done - 1));
        }
        i = done;
    }
    if (block.count < kBlockSequences - 1) {
        for (; i < end; i++) block_count(block, p[i]);
    }
    if (done < i) block_add_literals(block, i - done);
    text.at = i;
}

}  // namespace

void match_greedy(const Pairs& pairs, Text& text, Block& block) {
    const uint32_t len = text.end - text.at;
    if (text.end < 300) return run<3, true>(pairs, text, block);
    if (len < 8192) return run<4, true>(pairs, text, block);
    run<4, false>(pairs, text, block);
}

}  // namespace wsd::deflate
