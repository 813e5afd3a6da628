#include "histogram.h"

#include <doctest/doctest.h>

#include <memory>

using tools::Histogram;

TEST_CASE("buckets cover every value in order, and are narrow") {
    size_t last = 0;
    for (uint64_t value = 1; value; value <<= 1) {
        for (const uint64_t v : {value - 1, value, value + value / 3}) {
            const size_t bucket = Histogram::bucket_of(v);
            CAPTURE(v);
            CHECK(bucket >= last);
            CHECK(Histogram::top_of(bucket) >= v);
            CHECK(double(Histogram::top_of(bucket)) <= double(v) * 1.016 + 1);
            last = bucket;
        }
    }
}

TEST_CASE("percentiles of a thousand equal steps are where they should be") {
    const auto histogram = std::make_unique<Histogram>();
    CHECK(histogram->percentile(0.5) == 0);
    for (uint64_t value = 1; value <= 1000; value++) histogram->add(value * 1000);
    for (const double share : {0.5, 0.99, 0.999}) {
        CAPTURE(share);
        CHECK(double(histogram->percentile(share)) == doctest::Approx(share * 1000000).epsilon(0.02));
    }
    CHECK(histogram->total() == 1000);
}
