#include "base/clock.h"

#include <doctest/doctest.h>

TEST_CASE("the clock does not go back") {
    uint64_t last = wsd::clock_monotonic_ms();
    for (int i = 0; i < 1000; i++) {
        const uint64_t now = wsd::clock_monotonic_ms();
        REQUIRE(now >= last);
        last = now;
    }
}
