#include "wsbench/histogram.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using wsbench::Histogram;

namespace {

// A sequence that visits every order of magnitude.
std::vector<uint64_t> some_values() {
    std::vector<uint64_t> values;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 5000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        values.push_back(random >> (i % 64));
    }
    return values;
}

}  // namespace

TEST_CASE("an empty histogram knows nothing") {
    const Histogram h;
    CHECK(h.count() == 0);
    CHECK(h.max() == 0);
    CHECK(h.quantile(0.5) == 0);
    CHECK(h.quantile(1) == 0);
}

TEST_CASE("values below 64 are kept as they are") {
    for (uint64_t value = 0; value < 64; value++) {
        Histogram h;
        h.add(value);
        h.add(UINT64_MAX);
        CHECK(h.quantile(0.5) == value);
    }
}

TEST_CASE("a quantile is never less than the value it stands for, and at most 1/32 more") {
    std::vector<uint64_t> values = some_values();
    Histogram h;
    for (const uint64_t value : values) h.add(value);
    std::sort(values.begin(), values.end());
    for (size_t rank = 1; rank <= values.size(); rank++) {
        CAPTURE(rank);
        const uint64_t exact = values[rank - 1];
        // Half a rank back, as the division is not exact.
        const uint64_t told = h.quantile((double(rank) - 0.5) / double(values.size()));
        CHECK(told >= exact);
        CHECK(told - exact <= exact / 32);
    }
}

TEST_CASE("the bounds of the buckets are where they should be") {
    const struct {
        uint64_t value;
        uint64_t told;  // the last value of its bucket
    } kRows[] = {
        {63, 63},
        {64, 65},
        {65, 65},
        {66, 67},
        {127, 127},
        {128, 131},
        {1000, 1007},
        {1023, 1023},
        {1024, 1055},
        {1u << 30, (33ull << 25) - 1},
        {UINT64_MAX / 2, UINT64_MAX / 2},
        {UINT64_MAX / 2 + 1, (33ull << 58) - 1},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.value);
        Histogram h;
        h.add(row.value);
        h.add(UINT64_MAX);  // or the greatest value itself would be told
        CHECK(h.quantile(0.5) == row.told);
    }
}

TEST_CASE("no quantile is more than the greatest value") {
    Histogram h;
    h.add(1024);
    CHECK(h.max() == 1024);
    CHECK(h.quantile(0) == 1024);
    CHECK(h.quantile(1) == 1024);
}

TEST_CASE("adding a value some times is adding it that often") {
    Histogram once, often;
    often.add(50, 999);
    often.add(5000);
    for (int i = 0; i < 999; i++) once.add(50);
    once.add(5000);
    CHECK(often.count() == once.count());
    for (const double q : {0.5, 0.99, 0.999, 0.9991, 1.0}) CHECK(often.quantile(q) == once.quantile(q));
    CHECK(often.quantile(0.999) == 50);
    CHECK(often.quantile(0.9991) == 5000);
}

TEST_CASE("a cleared histogram is an empty one") {
    Histogram h;
    h.add(7, 3);
    h.clear();
    CHECK(h.count() == 0);
    CHECK(h.max() == 0);
    CHECK(h.quantile(0.5) == 0);
}
