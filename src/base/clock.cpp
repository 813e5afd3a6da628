#include "base/clock.h"

#include <time.h>

namespace wsd {

uint64_t clock_monotonic_ms() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail for this clock
    return uint64_t(now.tv_sec) * 1000 + uint64_t(now.tv_nsec) / 1000000;
}

}  // namespace wsd
