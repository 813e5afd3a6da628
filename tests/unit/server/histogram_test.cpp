#include "server/histogram.h"

#include <doctest/doctest.h>

using namespace wsd::server;

TEST_CASE("a bucket counts times up to its power of two, and the last all that are longer") {
    const struct {
        uint64_t ms;
        unsigned bucket;
    } kRows[] = {{0, 0}, {1, 0},     {2, 1},     {3, 2},      {4, 2},      {5, 3},
                 {8, 3}, {1024, 10}, {1025, 11}, {16384, 14}, {16385, 15}, {UINT64_MAX, 15}};
    for (const auto& row : kRows) {
        CAPTURE(row.ms);
        CHECK(histogram_bucket(row.ms) == row.bucket);
    }
    wsd_histogram histogram = {};
    histogram_add(histogram, 3);
    histogram_add(histogram, 4);
    CHECK(histogram.count == 2);
    CHECK(histogram.sum_ms == 7);
    CHECK(histogram.buckets[2] == 2);
}
