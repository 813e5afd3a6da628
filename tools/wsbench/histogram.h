// How often each latency was seen: counts in log-linear buckets, 32 to every power of two, so that a value is known to
// within 1/32 whether it is a microsecond or a minute. It forgets the values themselves, and so never grows.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace wsbench {

class Histogram {
  public:
    void add(uint64_t value, uint64_t times = 1) {
        counts_[bucket_of(value)] += times;
        count_ += times;
        if (value > max_) max_ = value;
    }

    uint64_t count() const { return count_; }
    uint64_t max() const { return max_; }  // exact; 0 when empty

    // The least value that a share `q`, 0 to 1, of all values do not exceed, rounded up to the end of its bucket, so
    // that no figure is better than what was seen; 0 when empty.
    uint64_t quantile(double q) const {
        if (count_ == 0) return 0;
        const auto needed = uint64_t(std::ceil(q * double(count_)));
        uint64_t seen = 0;
        for (size_t i = 0; i < kBuckets; i++) {
            seen += counts_[i];
            if (seen >= needed && seen > 0) return last_of(i) < max_ ? last_of(i) : max_;
        }
        return max_;
    }

    void clear() { *this = {}; }

  private:
    // Below 2^kBits every value has a bucket of its own. Above, a value with its top bit at kBits + s is cut to its
    // kBits + 1 highest bits, which lie from 2^kBits to 2^(kBits + 1) - 1: 2^kBits buckets for each s.
    static constexpr unsigned kBits = 5;
    static constexpr size_t kBuckets = size_t(64 - kBits + 1) << kBits;

    static constexpr unsigned shift_of(uint64_t value) {
        const auto width = unsigned(std::bit_width(value));
        return width > kBits ? width - kBits - 1 : 0;
    }
    static constexpr size_t bucket_of(uint64_t value) {
        const unsigned shift = shift_of(value);
        return (size_t(shift) << kBits) + size_t(value >> shift);
    }
    static constexpr uint64_t last_of(size_t bucket) {
        const size_t row = bucket >> kBits;
        if (row < 2) return bucket;
        const unsigned shift = unsigned(row) - 1;
        const uint64_t top = bucket - (size_t(shift) << kBits);
        return ((top + 1) << shift) - 1;  // the last bucket's wraps to UINT64_MAX, which is what it should be
    }

    std::array<uint64_t, kBuckets> counts_ = {};
    uint64_t count_ = 0;
    uint64_t max_ = 0;
};

}  // namespace wsbench
