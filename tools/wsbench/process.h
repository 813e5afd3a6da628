// What the kernel knows of a process: the CPU time it has used and the memory it holds.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace wsbench {

uint64_t now_ns();  // CLOCK_MONOTONIC

// CPU time of this process, in seconds.
double own_cpu_secs();

// CPU time of another with all its threads, in seconds; 0 if there is no such process.
double cpu_secs_of(pid_t pid);

// Its resident memory; 0 if it cannot be read. Walks the process's pages, so not to be asked while measuring.
size_t rss_bytes_of(pid_t pid);

}  // namespace wsbench
