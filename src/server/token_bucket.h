// Token buckets in one number, exact for every rate: a bucket is the time at which it will be full again, counted in
// ticks of which a millisecond has as many as tokens come in a period. Nothing is rounded, and nothing ticks.
#pragma once

#include <cstdint>

namespace wsd::server {

struct Rate {
    uint32_t tokens = 0;  // that come in a period, <= kRateMax; 0: no limit
    uint32_t period_ms = 1000;
    uint32_t burst = 1;  // that a full bucket holds, 1 - kRateMax
};

// A clock of 2^42 ms times this fits 64 bits.
constexpr uint32_t kRateMax = 1000000;

struct Bucket {
    uint64_t full_at = 0;  // in ticks; what is past means full, so a new bucket is full
};

inline uint64_t ticks_of(const Rate& rate, uint64_t now_ms) { return now_ms * rate.tokens; }

inline bool bucket_is_full(const Bucket& bucket, const Rate& rate, uint64_t now_ms) {
    return bucket.full_at <= ticks_of(rate, now_ms);
}

// Takes one token; false if there is none, which changes nothing.
[[nodiscard]] inline bool bucket_take(Bucket& bucket, const Rate& rate, uint64_t now_ms) {
    if (rate.tokens == 0) return true;
    const uint64_t now = ticks_of(rate, now_ms);
    const uint64_t from = bucket.full_at > now ? bucket.full_at : now;
    if (from + rate.period_ms > now + uint64_t(rate.burst) * rate.period_ms) return false;
    bucket.full_at = from + rate.period_ms;
    return true;
}

// The same bucket at another rate of the same period: what was taken from it is owed on, but for what would be more
// than an empty bucket.
inline void bucket_rerate(Bucket& bucket, const Rate& from, const Rate& to, uint64_t now_ms) {
    const uint64_t before = ticks_of(from, now_ms);
    const uint64_t owed = bucket.full_at > before ? bucket.full_at - before : 0;
    const uint64_t most = uint64_t(to.burst) * to.period_ms;
    bucket.full_at = to.tokens ? ticks_of(to, now_ms) + (owed < most ? owed : most) : 0;
}

// The first millisecond in which a bucket that has just refused has a token.
inline uint64_t bucket_ready_ms(const Bucket& bucket, const Rate& rate) {
    const uint64_t ticks = bucket.full_at - uint64_t(rate.burst - 1) * rate.period_ms;
    return (ticks + rate.tokens - 1) / rate.tokens;
}

}  // namespace wsd::server
