#include <algorithm>
#include <bit>

#include "deflate/match.h"
#include "deflate/match_load.h"

namespace wsd::deflate {
namespace {

constexpr uint32_t kLongEnough = 64;    // a match for which no better one is sought
constexpr uint32_t kThreeReach = 4096;  // a match of three bytes further back takes more bits than its literals

// Candidates that are looked at. Most of what a short message can save is in the messages before it, in which it has
// occurred many times.
constexpr unsigned kCandidates = 12;
constexpr unsigned kCandidatesOfShort = 32;
constexpr uint32_t kShort = 512;

struct Match {
    uint32_t length;  // 0: none
    uint32_t distance;
};

struct Search {
    Chains chains;
    const uint8_t* p;
    uint32_t position;
    uint32_t window;
    uint32_t end;

    // The latest positions with the hashes of a string, as distances from it.
    struct Latest {
        uint32_t three;
        uint32_t four;
    };

    // Enters p[i], of which four bytes can be read, and returns what stood in its places.
    Latest enter(uint32_t i) const {
        const uint32_t word = load_le32(p + i), here = position + i;
        uint32_t& three = chains.threes[hash_of(word & 0xffffff, chains.three_bits)];
        uint32_t& four = chains.fours[hash_of(word, chains.four_bits)];
        const Latest latest{here - three, here - four};
        three = four = here;
        chains.back[here & chains.back_mask] = uint16_t(latest.four <= window ? latest.four : 0);
        return latest;
    }

    void enter_range(uint32_t from, uint32_t to) const {
        for (uint32_t i = from; i < to; i++) (void)enter(i);
    }

    Match find_three(uint32_t i, uint32_t distance, uint32_t max) const {
        if (distance - 1 >= std::min({i, window, kThreeReach})) return {0, 0};
        if ((load_le32(p + i - distance) ^ load_le32(p + i)) & 0xffffff) return {0, 0};
        return {agreement(p + i, p + i - distance, 3, max), distance};
    }

    // Enters p[i] and returns the longest match for it that is longer than `least`. Inlined at both its calls, as else
    // every store to a table, being of the types of these fields, would have them loaded again.
    __attribute__((always_inline)) Match find(uint32_t i, uint32_t least, unsigned candidates) const {
        const Latest latest = enter(i);
        const uint32_t max = std::min(end - i, kLengthMax), reach = std::min(i, window), word = load_le32(p + i);
        Match best{least, 0};
        if (least < kLengthMin) {
            const Match three = find_three(i, latest.three, max);
            if (three.length) best = three;
        }
        uint32_t distance = latest.four;
        for (; candidates > 0 && distance - 1 < reach && best.length < max; candidates--) {
            const uint8_t* const q = p + i - distance;
            // Most candidates are no longer than the best: the byte that would make them so is asked first.
            if (q[best.length] == p[i + best.length] && load_le32(q) == word) {
                const uint32_t length = agreement(p + i, q, 4, max);
                if (length > best.length) best = {length, distance};
                if (length >= kLongEnough) break;
            }
            const uint32_t further = chains.back[(position + i - distance) & chains.back_mask];
            if (further == 0) break;
            distance += further;
        }
        return best.distance ? best : Match{0, 0};
    }
};

// Is `next`, a byte later, worth a literal before it? It has to gain a byte, or two bits of distance: a quarter of one.
bool better(Match next, Match m) {
    if (next.length == 0) return false;
    const int bytes = int(next.length) - int(m.length);
    return 4 * bytes + std::bit_width(m.distance) - std::bit_width(next.distance) > 2;
}

}  // namespace

void match_lazy(const Chains& chains, Text& text, Block& block) {
    const uint32_t end = std::min(text.end, text.at + (kBlockBytes - block.bytes));
    const Search search{chains, text.p, text.position, text.window, end};
    const bool is_short = text.at > 0 && text.end - text.at < kShort;
    const unsigned candidates = is_short ? kCandidatesOfShort : kCandidates;
    // A string is looked up by the word it begins with.
    const uint32_t last = end >= 4 ? end - 3 : 0;
    uint32_t i = text.at, done = text.at;
    while (i < last && block.count < kBlockSequences - 1) {
        Match m = search.find(i, kLengthMin - 1, candidates);
        if (m.length == 0) {
            block_count(block, text.p[i++]);
            continue;
        }
        uint32_t entered = i + 1;
        while (m.length < kLongEnough && entered < last) {
            const Match next = search.find(entered++, m.length - 1, candidates / 2);
            if (!better(next, m)) break;
            m = next;
            block_count(block, text.p[i++]);
        }
        block_add(block, i - done, m.length, m.distance);
        done = i + m.length;
        search.enter_range(entered, std::min(done, last));
        i = done;
    }
    if (block.count < kBlockSequences - 1) {
        for (; i < end; i++) block_count(block, text.p[i]);
    }
    if (done < i) block_add_literals(block, i - done);
    text.at = i;
}

}  // namespace wsd::deflate
