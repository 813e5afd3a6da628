#include "app/wall_clock.h"

#include <cstdio>

namespace app {

std::string format_time(int64_t time_ms) {
    const time_t seconds = time_ms / 1000;
    tm parts{};
    gmtime_r(&seconds, &parts);
    char date[32];
    char text[48];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text, sizeof text, "%s.%03dZ", date, int(time_ms % 1000));
    return text;
}

}  // namespace app
