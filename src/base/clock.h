// The clock that deadlines run on: it is never set, and goes on while nothing happens.
#pragma once

#include <cstdint>

namespace wsd {

// Milliseconds, and microseconds, since some moment in the past (CLOCK_MONOTONIC).
uint64_t clock_monotonic_ms();
uint64_t clock_monotonic_us();

}  // namespace wsd
