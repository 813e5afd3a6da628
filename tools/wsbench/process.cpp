#include "process.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>

namespace wsbench {
namespace {

std::string read_proc(pid_t pid, const char* name) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

timespec read_clock(clockid_t clock) {
    timespec t = {};
    clock_gettime(clock, &t);
    return t;
}

}  // namespace

uint64_t now_ns() {
    const timespec t = read_clock(CLOCK_MONOTONIC);
    return uint64_t(t.tv_sec) * 1000000000 + uint64_t(t.tv_nsec);
}

double own_cpu_secs() {
    const timespec t = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

double cpu_secs_of(pid_t pid) {
    // What /proc/PID/stat tells too, but there it is rounded to ticks of 10 ms.
    clockid_t clock;
    if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0) return 0;
    const timespec t = read_clock(clock);
    return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

size_t rss_bytes_of(pid_t pid) {
    // Not stat's figure, which is a sum of per-CPU counters and may be off by as much as an idle connection costs.
    const std::string rollup = read_proc(pid, "smaps_rollup");
    const size_t line = rollup.find("\nRss:");
    return line == rollup.npos ? 0 : std::strtoull(rollup.c_str() + line + 5, nullptr, 10) * 1024;
}

}  // namespace wsbench
