// The time of day, for what people read. Whatever waits uses the loop's time instead, which nobody sets back.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

namespace app {

// Milliseconds since 1970, UTC.
inline int64_t wall_ms() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return int64_t(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// "2026-11-21T04:00:00.123Z" (RFC 3339).
std::string format_time(int64_t time_ms);

}  // namespace app
