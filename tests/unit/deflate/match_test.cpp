#include "deflate/match.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "support/packable.h"

using namespace wsd::deflate;
using test::Packable;

namespace {

// Both ways to search, with tables of their own.
struct Searcher {
    std::vector<Pair> pairs = std::vector<Pair>(8192);
    std::vector<uint32_t> threes = std::vector<uint32_t>(512), fours = std::vector<uint32_t>(8192);
    std::vector<uint16_t> back = std::vector<uint16_t>(32768);
    bool lazy;

    void run(Text& text, Block& block) {
        if (lazy) {
            match_lazy({threes.data(), fours.data(), back.data(), 32767, 9, 13}, text, block);
        } else {
            match_greedy({pairs.data(), 13}, text, block);
        }
    }
};

// Do the sequences of `block` say bytes[from, from + block.bytes), with matches of what is there and in reach?
bool spells(const Block& block, const std::vector<uint8_t>& bytes, size_t from, uint32_t window) {
    size_t at = from;
    std::vector<uint16_t> literals(256);
    for (uint32_t i = 0; i < block.count; i++) {
        const Sequence s = block.sequences[i];
        for (uint32_t n = 0; n < s.literals; n++) literals[bytes.at(at++)]++;
        if (s.length == 0) continue;
        if (s.length < kLengthMin || s.length > kLengthMax || s.distance > window || s.distance > at) return false;
        for (uint32_t n = 0; n < s.length; n++, at++) {
            if (bytes.at(at) != bytes[at - s.distance]) return false;
        }
    }
    return at == from + block.bytes && std::equal(literals.begin(), literals.end(), block.literal_freq);
}

}  // namespace

TEST_CASE("sequences spell the text, and no match goes beyond window or history") {
    test::Rng rng;
    const auto block = std::make_unique<Block>();
    for (const bool lazy : {false, true}) {
        Searcher searcher{.lazy = lazy};
        uint32_t position = 0;
        for (int round = 0; round < 300; round++) {
            const auto kind = Packable(rng.below(uint32_t(Packable::kCount)));
            const std::vector<uint8_t> bytes = test::packable(kind, rng, rng.skewed(20000));
            const uint32_t end = uint32_t(bytes.size()), from = rng.below(end + 1);
            Text text{bytes.data(), position, from, end, 256u << rng.below(8)};
            block_clear(*block);
            searcher.run(text, *block);
            CAPTURE(round);
            REQUIRE(text.at == from + block->bytes);
            REQUIRE((text.at == end || block->count >= kBlockSequences - 1));
            REQUIRE(spells(*block, bytes, from, text.window));
            // Sometimes the same positions again, as after a message that did not fit.
            if (rng.below(3)) position += end;
        }
    }
}

TEST_CASE("a block that is full ends the search, and the next goes on where it ended") {
    test::Rng rng;
    const auto block = std::make_unique<Block>();
    for (const bool lazy : {false, true}) {
        for (const Packable kind : {Packable::kSyllables, Packable::kRandom}) {
            const std::vector<uint8_t> bytes = test::packable(kind, rng, 200000);
            Searcher searcher{.lazy = lazy};
            Text text{bytes.data(), 0, 0, uint32_t(bytes.size()), 32768};
            while (text.at < text.end) {
                const uint32_t from = text.at;
                block_clear(*block);
                searcher.run(text, *block);
                REQUIRE(text.at == from + block->bytes);
                REQUIRE(block->count <= kBlockSequences);
                REQUIRE(block->bytes <= kBlockBytes);
                if (text.at < text.end) {
                    REQUIRE((block->bytes == kBlockBytes || block->count >= kBlockSequences - 1));
                    CHECK((block->bytes == kBlockBytes) == (kind == Packable::kRandom));
                }
                REQUIRE(spells(*block, bytes, from, 32768));
            }
        }
    }
}
