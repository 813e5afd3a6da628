// The time of day, for what people read. Whatever waits uses the loop's time instead, which nobody sets back.
#pragma once

#include <cstdint>
#include <ctime>

namespace app::hub {

// Milliseconds since 1970, UTC.
inline int64_t wall_ms() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return int64_t(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

}  // namespace app::hub
