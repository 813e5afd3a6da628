#include "deflate/huffman.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <vector>

#include "support/json_messages.h"

using namespace wsd::deflate;

namespace {

using Freqs = std::vector<uint16_t>;
using Lens = std::vector<uint8_t>;

uint64_t cost(const Freqs& freq, const Lens& lens) {
    uint64_t bits = 0;
    for (size_t i = 0; i < lens.size(); i++) bits += uint64_t(freq[i]) * lens[i];
    return bits;
}

// By symbol. What the code says it costs has to be what it costs.
Lens lengths(Freqs freq, unsigned limit) {
    const size_t size = freq.size();
    freq.resize((size + 3) / 4 * 4);
    CodeLengths code;
    const uint32_t bits = huffman_lengths(freq.data(), unsigned(freq.size()), limit, code);
    Lens lens(size);
    for (unsigned i = 0; i < code.count; i++) {
        REQUIRE((i == 0 || code.symbols[i - 1] < code.symbols[i]));
        lens.at(code.symbols[i]) = code.lens[i];
    }
    CHECK(bits == cost(freq, lens));
    return lens;
}

// The least that any prefix code without a limit can cost: the sum of all joined weights.
uint64_t least_cost(const Freqs& freq) {
    std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> weights;
    for (const uint16_t f : freq) {
        if (f) weights.push(f);
    }
    uint64_t bits = 0;
    while (weights.size() > 1) {
        uint64_t sum = weights.top();
        weights.pop();
        sum += weights.top();
        weights.pop();
        bits += sum;
        weights.push(sum);
    }
    return bits;
}

// A code of all that occur, which leaves no bits without meaning.
bool complete(const Freqs& freq, const Lens& lens, unsigned limit) {
    uint64_t room = 0;
    for (size_t i = 0; i < freq.size(); i++) {
        if (lens[i] > limit || (freq[i] && lens[i] == 0)) return false;
        if (lens[i]) room += uint64_t(1) << (limit - lens[i]);
    }
    return room == uint64_t(1) << limit;
}

Freqs fibonacci(size_t count) {
    Freqs freq{1, 1};
    while (freq.size() < count) freq.push_back(uint16_t(freq.back() + freq[freq.size() - 2]));
    return freq;
}

}  // namespace

TEST_CASE("code lengths are complete, and the least where no limit is met") {
    test::Rng rng;
    for (int round = 0; round < 2000; round++) {
        Freqs freq(2 + rng.below(287));
        const uint32_t density = 1 + rng.below(20), greatest = 1 + rng.below(2000);
        for (uint16_t& f : freq) f = rng.below(20) < density ? uint16_t(rng.skewed(greatest)) : 0;
        const Lens lens = lengths(freq, 15);
        CAPTURE(round);
        REQUIRE(complete(freq, lens, 15));
        const size_t used = freq.size() - size_t(std::count(freq.begin(), freq.end(), 0));
        const bool limited = *std::max_element(lens.begin(), lens.end()) == 15;
        if (used >= 2 && !limited) CHECK(cost(freq, lens) == least_cost(freq));
    }
}

TEST_CASE("no code is longer than the limit, however skewed the frequencies are") {
    for (size_t count = 2; count <= 23; count++) {
        CAPTURE(count);
        const Freqs freq = fibonacci(count);
        for (unsigned limit = 5; limit <= 15; limit++) {
            CAPTURE(limit);
            const Lens lens = lengths(freq, limit);
            CHECK(complete(freq, lens, limit));
            // What is rare pays, so that little is lost until the limit is near what that many symbols need.
            if (limit >= 10) CHECK(cost(freq, lens) <= least_cost(freq) * 21 / 20);
        }
    }
    const Freqs full(286, 1);
    CHECK(complete(full, lengths(full, 9), 9));
}

TEST_CASE("a code of fewer than two symbols is made one of two") {
    CHECK(lengths({0, 0, 0}, 15) == Lens{1, 1, 0});
    CHECK(lengths({7, 0, 0}, 15) == Lens{1, 1, 0});
    CHECK(lengths({0, 0, 7}, 15) == Lens{1, 0, 1});
    CHECK(lengths({0, 3, 7}, 15) == Lens{0, 1, 1});
}

TEST_CASE("codes are canonical and written from their first bit") {
    // RFC 1951 §3.2.2: lengths 3 3 3 3 3 2 4 4 give 010 011 100 101 110 00 1110 1111.
    const CodeLengths lengths{8, {0, 1, 2, 3, 4, 5, 6, 7}, {3, 3, 3, 3, 3, 2, 4, 4}, {0, 0, 1, 5, 2}};
    Code codes[8];
    huffman_codes(lengths, codes);
    const uint16_t expected[] = {0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111};
    for (int i = 0; i < 8; i++) {
        CHECK(codes[i].bits == expected[i]);
        CHECK(codes[i].len == lengths.lens[i]);
    }
}
