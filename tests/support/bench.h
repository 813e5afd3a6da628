// Time for benchmarks: the best of nine rounds, as noise only slows.
#pragma once

#include <chrono>
#include <cstddef>

namespace test {

// The compiler has to believe that what `p` points at is read, and may be written.
inline void keep(const void* p) { asm volatile("" : : "r"(p) : "memory"); }

// Nanoseconds for one call of `run`, each round being `runs` calls.
template <class Run>
double best_ns(size_t runs, const Run& run) {
    using Clock = std::chrono::steady_clock;
    double best = 1e18;
    for (int round = 0; round < 9; round++) {
        const auto start = Clock::now();
        for (size_t i = 0; i < runs; i++) run();
        const std::chrono::duration<double, std::nano> took = Clock::now() - start;
        if (took.count() / double(runs) < best) best = took.count() / double(runs);
    }
    return best;
}

}  // namespace test
