#include <algorithm>

#include "deflate/match.h"
#include "deflate/match_load.h"

namespace wsd::deflate {
namespace {

struct Match {
    uint32_t length;  // 0: none
    uint32_t distance;
};

// Enters p[i] and returns what stood there.
inline Pairs::Entry enter(const Pairs& pairs, uint32_t word, uint32_t position) {
    Pairs::Entry& entry = pairs.entries[hash_of(word, pairs.bits)];
    const Pairs::Entry old = entry;
    entry = {position, old.latest};
    return old;
}

// Strings are found by their first kBytes bytes: three in short texts, where one more find is worth more than a better.
template <unsigned kBytes>
struct Search {
    static constexpr uint32_t kMask = kBytes == 3 ? 0xffffff : 0xffffffff;

    Pairs pairs;
    const uint8_t* p;
    uint32_t position;
    uint32_t window;

    uint32_t word(uint32_t i) const { return load_le32(p + i) & kMask; }

    uint32_t length(uint32_t i, uint32_t w, uint32_t distance, uint32_t max) const {
        if (distance - 1 >= std::min(i, window) || word(i - distance) != w) return 0;
        return agreement(p + i, p + i - distance, kBytes, max);
    }

    Match find(uint32_t i, uint32_t max) const {
        const uint32_t w = word(i);
        const Pairs::Entry old = enter(pairs, w, position + i);
        const uint32_t near = position + i - old.latest, far = position + i - old.before;
        const uint32_t near_length = length(i, w, near, max), far_length = length(i, w, far, max);
        if (far_length > near_length) return {far_length, far};
        return {near_length, near};
    }
};

template <unsigned kBytes>
void run(const Pairs& pairs, Text& text, Block& block) {
    const Search<kBytes> search{pairs, text.p, text.position, text.window};
    const uint8_t* const p = text.p;
    const uint32_t end = std::min(text.end, text.at + (kBlockBytes - block.bytes));
    // A string is looked up by the word it begins with.
    const uint32_t last = end >= 4 ? end - 3 : 0;
    uint32_t i = text.at, done = text.at;
    while (i < last && block.count < kBlockSequences - 1) {
        const Match m = search.find(i, std::min(end - i, kLengthMax));
        if (m.length == 0) {
            i++;
            continue;
        }
        block_add(block, p + done, i - done, m.length, m.distance);
        done = i + m.length;
        for (i++; i < done && i < last; i++) enter(pairs, search.word(i), text.position + i);
        i = done;
    }
    if (block.count < kBlockSequences - 1) i = end;
    if (done < i) block_add(block, p + done, i - done);
    text.at = i;
}

}  // namespace

void match_greedy(const Pairs& pairs, Text& text, Block& block) {
    if (text.end < 1024) return run<3>(pairs, text, block);
    run<4>(pairs, text, block);
}

}  // namespace wsd::deflate
