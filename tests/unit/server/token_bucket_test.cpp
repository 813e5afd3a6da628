#include "server/token_bucket.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace wsd::server;

namespace {

// How many tokens are there to take now.
unsigned drain(Bucket& bucket, const Rate& rate, uint64_t now_ms) {
    unsigned taken = 0;
    while (bucket_take(bucket, rate, now_ms)) taken++;
    return taken;
}

}  // namespace

TEST_CASE("at another rate the same tokens are owed, and come at that rate") {
    const Rate slow{1, 1000, 10}, fast{10, 1000, 10}, small{10, 1000, 2}, none{0, 1000, 1};
    const uint64_t now = 123456789;
    Bucket bucket;
    CHECK(drain(bucket, slow, now) == 10);
    bucket_rerate(bucket, slow, fast, now + 5000);  // five are back
    CHECK(drain(bucket, fast, now + 5000) == 5);
    CHECK(drain(bucket, fast, now + 5099) == 0);
    CHECK(drain(bucket, fast, now + 5100) == 1);
    bucket_rerate(bucket, fast, slow, now + 5100);
    CHECK(drain(bucket, slow, now + 6099) == 0);
    CHECK(drain(bucket, slow, now + 6100) == 1);
    bucket_rerate(bucket, slow, small, now + 6100);  // which cannot owe more than two
    CHECK(drain(bucket, small, now + 6199) == 0);
    CHECK(drain(bucket, small, now + 6200) == 1);
    bucket_rerate(bucket, small, none, now + 6200);
    bucket_rerate(bucket, none, slow, now + 6200);  // and without a limit there is no debt
    CHECK(drain(bucket, slow, now + 6200) == 10);
}

TEST_CASE("a new bucket holds its burst, and a rate of N refills at N") {
    for (const uint32_t tokens : {1u, 3u, 7u, 60u, 999u, 1000u, 1001u, 1000000u}) {
        for (const uint32_t period_ms : {1000u, 60000u}) {
            CAPTURE(tokens);
            CAPTURE(period_ms);
            const Rate rate{tokens, period_ms, 2000};  // more than come in a millisecond
            Bucket bucket;
            uint64_t now = 123456789;
            CHECK(drain(bucket, rate, now) == 2000);
            // Whoever takes each token as it comes has N of them in every period, to the millisecond.
            uint64_t taken = 0;
            uint64_t wrong = 0;
            for (uint64_t ms = 1; ms <= 2 * period_ms; ms++) {
                taken += drain(bucket, rate, ++now);
                wrong += taken != ms * tokens / period_ms;
            }
            CHECK(wrong == 0);
            CHECK(taken == 2 * uint64_t(tokens));
        }
    }
}

TEST_CASE("a bucket left alone fills to its burst and no further") {
    const Rate rate{60, 60000, 10};
    Bucket bucket;
    CHECK(drain(bucket, rate, 1000000) == 10);
    CHECK_FALSE(bucket_is_full(bucket, rate, 1009999));
    CHECK(bucket_is_full(bucket, rate, 1010000));
    CHECK(drain(bucket, rate, 1003999) == 3);
    CHECK(drain(bucket, rate, 9000000) == 10);
}

TEST_CASE("the time at which a token will be there is the first at which it is") {
    for (const uint32_t tokens : {1u, 3u, 7u, 600u, 1000u}) {
        for (const uint32_t burst : {1u, 2u, 50u}) {
            CAPTURE(tokens);
            CAPTURE(burst);
            const Rate rate{tokens, 1000, burst};
            Bucket bucket;
            CHECK(drain(bucket, rate, 5000) == burst);
            const uint64_t ready = bucket_ready_ms(bucket, rate);
            CHECK(ready > 5000);
            Bucket early = bucket;
            CHECK_FALSE(bucket_take(early, rate, ready - 1));
            CHECK(bucket_take(bucket, rate, ready));
        }
    }
}

TEST_CASE("a rate of none takes without end") {
    Bucket bucket;
    for (int i = 0; i < 1000; i++) CHECK(bucket_take(bucket, {}, 0));
}

TEST_CASE("the largest rate and burst at the end of the clock's round do not overflow") {
    const Rate rate{kRateMax, 60000, kRateMax};
    const uint64_t now = uint64_t(1) << 42;
    Bucket bucket;
    for (uint32_t i = 0; i < kRateMax; i++) REQUIRE(bucket_take(bucket, rate, now));
    CHECK_FALSE(bucket_take(bucket, rate, now));
    CHECK(bucket_ready_ms(bucket, rate) == now + 1);
    CHECK(drain(bucket, rate, now + 60) == 1000);
}
