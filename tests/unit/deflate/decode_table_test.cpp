#include "deflate/decode_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

using namespace wsd::deflate;

namespace {

// A code from the length of each symbol, 0 for none.
struct Code {
    std::vector<uint8_t> lengths;
    std::vector<uint16_t> used = {};

    GivenLengths view() {
        used.clear();
        GivenLengths view = {};
        for (size_t symbol = 0; symbol < lengths.size(); symbol++) {
            if (lengths[symbol] == 0) continue;
            view.counts[lengths[symbol]]++;
            used.push_back(uint16_t(symbol << 4 | lengths[symbol]));
        }
        view.used = used;
        return view;
    }
};

// A complete code over `count` symbols: leaves of a tree, split at random until there are enough, deep ones rather.
Code random_code(std::mt19937& rng, size_t count, size_t symbols) {
    std::vector<uint8_t> leaves = {0};
    while (leaves.size() < count) {
        const size_t last = leaves.size() - 1;
        const size_t at = rng() % 3 ? last : rng() % leaves.size();
        const size_t leaf =
            leaves[at] < kCodeLenMax ? at : size_t(std::min_element(leaves.begin(), leaves.end()) - leaves.begin());
        leaves[leaf]++;
        leaves.push_back(leaves[leaf]);
    }
    leaves.resize(symbols, 0);
    std::shuffle(leaves.begin(), leaves.end(), rng);
    return {leaves};
}

// What `bits` begin with, by the words of §3.2.2: the codes of a length are consecutive, highest bit first. The length
// of the code is added to the symbol as in a meaning of extra bits.
Entry decoded(const Code& code, unsigned bits) {
    unsigned next = 0;
    for (unsigned length = 1, prefix = 0; length <= kCodeLenMax; length++) {
        prefix = prefix << 1 | (bits >> (length - 1) & 1);
        next <<= 1;
        for (size_t symbol = 0; symbol < code.lengths.size(); symbol++) {
            if (code.lengths[symbol] == length && next++ == prefix) return Entry(symbol << 16 | length);
        }
    }
    return 0;
}

// The most entries behind a first table of `width` that a complete code can need, by search over all of its shapes: of
// each length it has some codes, and the other `open` ones go on. `started` slots of this length are open in the table
// that is being filled. -1 if so many symbols do not fit.
struct Search {
    int width;
    std::map<std::tuple<int, int, int, int>, int> known = {};

    int most(int symbols, int open, int length, int started) {
        if (open == 0) return symbols == 0 ? 0 : -1;
        if (symbols < open || symbols > open << (int(kCodeLenMax) - length)) return -1;
        const auto [at, fresh] = known.try_emplace({symbols, open, length, started}, -1);
        if (!fresh) return at->second;
        int best = -1;
        const bool last = length == int(kCodeLenMax);
        for (int codes = last ? open : 0; codes <= open && codes <= symbols; codes++) {
            const auto [entries, left] = length > width ? fill(codes, length, started) : std::pair{0, 0};
            const int more =
                last ? (codes == symbols ? 0 : -1) : most(symbols - codes, 2 * (open - codes), length + 1, 2 * left);
            if (more >= 0) best = std::max(best, entries + more);
        }
        return known[{symbols, open, length, started}] = best;
    }

    // Entries of the tables that `codes` of this length complete or begin anew, the latter as large as that length;
    // and the slots left open in the last one.
    std::pair<int, int> fill(int codes, int length, int started) const {
        const int size = 1 << (length - width);
        if (started > codes) return {0, started - codes};
        const int whole = (codes - started) / size, rest = (codes - started) % size;
        return {(started > 0 ? size : 0) + whole * size, rest > 0 ? size - rest : 0};
    }
};

int most_entries(int symbols, int width) {
    Search search{width};
    int best = 0;
    for (int count = 2; count <= symbols; count++) best = std::max(best, search.most(count, 2, 1, 0));
    return best + (1 << width);
}

}  // namespace

TEST_CASE("a table tells of any bits what code they begin with") {
    std::mt19937 rng(1);
    std::vector<Entry> meanings(286);
    for (size_t symbol = 0; symbol < meanings.size(); symbol++) meanings[symbol] = Entry(symbol << 16);
    std::vector<Entry> table(kLitLenEntries);
    for (int round = 0; round < 60; round++) {
        Code code = random_code(rng, 2 + rng() % 285, 286);
        REQUIRE(code_shape(code.view()) == CodeShape::kComplete);
        const unsigned width = build_table(code.view(), meanings.data(), kLitLenWidth, table);
        for (unsigned i = 0; i < 300; i++) {
            const unsigned bits = rng() & 0x7fff;
            Entry e = table[bits & ((1u << width) - 1)];
            unsigned skipped = 0;
            if (e & kEntryLink) {
                skipped = entry_bits(e);
                e = table[entry_value(e) + (bits >> skipped & ((1u << entry_code_bits(e)) - 1))];
            }
            const Entry expected = decoded(code, bits);
            REQUIRE(entry_value(e) == expected >> 16);
            REQUIRE(skipped + entry_code_bits(e) == (expected & 15));
            REQUIRE(skipped + entry_bits(e) == (expected & 15));
        }
    }
}

TEST_CASE("no code needs more entries than a table has") {
    CHECK(most_entries(30, int(kDistanceWidth)) == int(kDistanceEntries));
    CHECK(most_entries(286, int(kLitLenWidth)) == int(kLitLenEntries));
}

TEST_CASE("the shape of a code") {
    const auto shape = [](std::vector<uint8_t> lengths) { return code_shape(Code{lengths}.view()); };
    CHECK(shape({}) == CodeShape::kEmpty);
    CHECK(shape({0, 0}) == CodeShape::kEmpty);
    CHECK(shape({0, 1}) == CodeShape::kSingle);
    CHECK(shape({2}) == CodeShape::kBroken);
    CHECK(shape({1, 1}) == CodeShape::kComplete);
    CHECK(shape({1, 2}) == CodeShape::kBroken);
    CHECK(shape({1, 2, 2}) == CodeShape::kComplete);
    CHECK(shape({1, 1, 15}) == CodeShape::kBroken);
    CHECK(shape({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15}) == CodeShape::kComplete);
    CHECK(shape({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) == CodeShape::kBroken);
}
