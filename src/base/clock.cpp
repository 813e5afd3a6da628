#include "base/clock.h"

#include <time.h>

namespace wsd {
namespace {

timespec monotonic() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail for this clock
    return now;
}

}  // namespace

uint64_t clock_monotonic_ms() {
    const timespec now = monotonic();
    return uint64_t(now.tv_sec) * 1000 + uint64_t(now.tv_nsec) / 1000000;
}

uint64_t clock_monotonic_us() {
    const timespec now = monotonic();
    return uint64_t(now.tv_sec) * 1000000 + uint64_t(now.tv_nsec) / 1000;
}

}  // namespace wsd
