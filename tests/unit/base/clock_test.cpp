#include "base/clock.h"

#include <doctest/doctest.h>

TEST_CASE("the clock does not go back, in whichever unit") {
    uint64_t last_us = wsd::clock_monotonic_us();
    for (int i = 0; i < 1000; i++) {
        const uint64_t ms = wsd::clock_monotonic_ms();
        const uint64_t us = wsd::clock_monotonic_us();
        REQUIRE(ms >= last_us / 1000);
        REQUIRE(us / 1000 >= ms);
        last_us = us;
    }
}
