#include <algorithm>
#include <bit>

#include "deflate/match.h"
#include "deflate/match_load.h"

namespace wsd::deflate {
namespace {

constexpr unsigned kCandidates = 16;    // of a hash of four bytes that are looked at
constexpr uint32_t kLongEnough = 64;    // a match that is not bettered
constexpr uint32_t kThreeReach = 4096;  // a match of three further back costs more than its literals

struct Match {
    uint32_t length = 0;  // 0: none
    uint32_t distance = 0;
};

struct Search {
    Chains chains;
    const uint8_t* p;
    uint32_t position;
    uint32_t window;

    // The latest positions with the hashes of p[i], as distances; p[i] takes their places.
    struct Candidates {
        uint32_t three;
        uint32_t four;
    };
    Candidates enter(uint32_t i) const {
        const uint32_t word = load_le32(p + i), here = position + i;
        uint32_t& three = chains.threes[hash_of(word & 0xffffff, chains.three_bits)];
        uint32_t& four = chains.fours[hash_of(word, chains.four_bits)];
        const Candidates found{here - three, here - four};
        three = four = here;
        chains.back[here & chains.back_mask] = uint16_t(found.four <= window ? found.four : 0);
        return found;
    }

    // The longest match for p[i] that is longer than `least`; `max` > least.
    Match find(uint32_t i, Candidates c, uint32_t least, uint32_t max, unsigned tries) const {
        Match best{least, 0};
        const uint32_t reach = std::min(i, window), word = load_le32(p + i);
        if (best.length < 3 && c.three - 1 < std::min(reach, kThreeReach)) {
            if (((load_le32(p + i - c.three) ^ word) & 0xffffff) == 0) {
                best = {agreement(p + i, p + i - c.three, 3, max), c.three};
            }
        }
        uint32_t distance = c.four;
        for (; tries > 0 && distance - 1 < reach && best.length < max; tries--) {
            const uint8_t* const q = p + i - distance;
            // Most candidates are no longer than the best: the byte that would make them so is asked first.
            if (q[best.length] == p[i + best.length] && load_le32(q) == word) {
                const uint32_t length = agreement(p + i, q, 4, max);
                if (length > best.length) {
                    best = {length, distance};
                    if (length >= kLongEnough) break;
                }
            }
            const uint32_t further = chains.back[(position + i - distance) & chains.back_mask];
            if (further == 0) break;
            distance += further;
        }
        if (best.distance == 0) best.length = 0;
        return best;
    }
};

// Is `next`, one byte later, worth the literal before it? A byte more of match, or as much with two bits less distance.
bool better(Match next, Match m) {
    if (next.length == 0) return false;
    const int gain = 4 * (int(next.length) - int(m.length));
    return gain + std::bit_width(m.distance) - std::bit_width(next.distance) > 2;
}

}  // namespace

void match_lazy(const Chains& chains, Text& text, Block& block) {
    const Search search{chains, text.p, text.position, text.window};
    const uint32_t end = std::min(text.end, text.at + (kBlockBytes - block.bytes));
    const uint32_t last = end >= 4 ? end - 3 : 0;
    uint32_t i = text.at, done = text.at;
    while (i < last && block.count < kBlockSequences - 1) {
        Match m = search.find(i, search.enter(i), 2, std::min(end - i, kLengthMax), kCandidates);
        if (m.length == 0) {
            block_count(block, text.p[i++]);
            continue;
        }
        while (m.length < kLongEnough && i + 1 < last) {
            const uint32_t max = std::min(end - i - 1, kLengthMax);
            const auto candidates = search.enter(i + 1);
            if (m.length > max) break;
            const Match next = search.find(i + 1, candidates, m.length - 1, max, kCandidates / 2);
            if (!better(next, m)) {
                break;
            }
            m = next;
            block_count(block, text.p[i++]);
        }
        block_add(block, i - done, m.length, m.distance);
        const bool entered = m.length < kLongEnough && i + 1 < last;
        done = i + m.length;
        for (i += entered ? 2 : 1; i < done && i < last; i++) (void)search.enter(i);
        i = done;
    }
    if (block.count < kBlockSequences - 1) {
        for (; i < end; i++) block_count(block, text.p[i]);
    }
    if (done < i) block_add_literals(block, i - done);
    text.at = i;
}

}  // namespace wsd::deflate
