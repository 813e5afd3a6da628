// Time for benchmarks: the best of nine rounds, as noise only slows.
#pragma once

#include <chrono>
#include <cstddef>

namespace test {

// The compiler has to believe that what `p` points at is read, and may be written.
inline void keep(const void* p) { asm volatile("" : : "r"(p) : "memory"); }

// Nanoseconds that one call of `run` takes, this time.
template <class Run>
double once_ns(const Run& run) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    run();
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    return took.count();
}

// Nanoseconds for one call of `run`, each round being `runs` calls.
template <class Run>
double best_ns(size_t runs, const Run& run) {
    double best = 1e18;
    for (int round = 0; round < 9; round++) {
        const double took = once_ns([&] {
            for (size_t i = 0; i < runs; i++) run();
        });
        if (took / double(runs) < best) best = took / double(runs);
    }
    return best;
}

}  // namespace test
