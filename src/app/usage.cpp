#include "app/usage.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace app {
namespace {

double seconds_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

void read_memory(ProcessUsage* usage) {
    FILE* const file = std::fopen("/proc/self/statm", "re");
    if (!file) return;
    unsigned long long whole_pages = 0;
    unsigned long long resident_pages = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers
    if (std::fscanf(file, "%llu %llu", &whole_pages, &resident_pages) == 2) {
        const uint64_t page_bytes = uint64_t(sysconf(_SC_PAGESIZE));
        usage->virtual_bytes = whole_pages * page_bytes;
        usage->resident_bytes = resident_pages * page_bytes;
    }
    std::fclose(file);
}

void count_descriptors(ProcessUsage* usage) {
    // From Linux 6.2 on the folder's size is their count: to read through it would hold up the loop for a
    // microsecond a connection, at the wish of whoever can ask for metrics.
    struct stat about {};
    if (stat("/proc/self/fd", &about) == 0 && about.st_size > 0) {
        usage->fds_open = uint64_t(about.st_size);
        return;
    }
    DIR* const folder = opendir("/proc/self/fd");
    if (!folder) return;
    uint64_t count = 0;
    while (const dirent* const entry = readdir(folder)) count += entry->d_name[0] != '.';
    closedir(folder);
    usage->fds_open = count - 1;  // without the one that was used to look
}

}  // namespace

ProcessUsage process_usage() {
    ProcessUsage usage;
    usage.cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.fds_max = limit.rlim_cur;
    read_memory(&usage);
    count_descriptors(&usage);
    return usage;
}

double wall_clock_s() { return seconds_of(CLOCK_REALTIME); }

}  // namespace app
