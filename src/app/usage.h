// What this process takes of the machine, as the kernel tells it.
#pragma once

#include <cstdint>
#include <optional>

namespace app {

struct ProcessUsage {
    double cpu_s = 0;      // user and system
    uint64_t fds_max = 0;  // soft limit of descriptors
    // Absent where /proc cannot be read.
    std::optional<uint64_t> fds_open;
    std::optional<uint64_t> resident_bytes;
    std::optional<uint64_t> virtual_bytes;
};

// Before Linux 6.2 it takes time in proportion to the descriptors that are open.
ProcessUsage process_usage();

// Seconds since 1970, by the wall clock.
double wall_clock_s();

}  // namespace app
