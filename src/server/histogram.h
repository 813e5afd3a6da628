// Counts of times in the fixed buckets of wsd_histogram.
#pragma once

#include <bit>

#include "wsd.h"

namespace wsd::server {

// The first bucket whose bound of 2^i ms is not exceeded; the last takes the rest.
inline unsigned histogram_bucket(uint64_t ms) {
    const unsigned bucket = ms <= 1 ? 0 : unsigned(std::bit_width(ms - 1));
    return bucket < WSD_HISTOGRAM_BUCKETS ? bucket : WSD_HISTOGRAM_BUCKETS - 1;
}

inline void histogram_add(wsd_histogram& histogram, uint64_t ms) {
    histogram.count++;
    histogram.sum_ms += ms;
    histogram.buckets[histogram_bucket(ms)]++;
}

}  // namespace wsd::server
