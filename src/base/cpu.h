// Which vector instructions this CPU and its operating system allow, by cpuid and xgetbv (the compiler's own test
// would need its run-time library). It says what may run, not what is fastest, and keeps nothing between calls.
#pragma once

#include <cstdint>

namespace wsd {

// The levels of x86-64 are cumulative: one is told only together with those before it.
constexpr uint32_t kCpuSsse3 = 1u << 0;
constexpr uint32_t kCpuAvx2 = 1u << 1;
// F, BW, VL and VBMI together. Nothing here needs VBMI itself: it is the mark of the CPUs that do not slow down when
// they meet 512-bit registers.
constexpr uint32_t kCpuAvx512 = 1u << 2;
constexpr uint32_t kCpuNeon = 1u << 3;

// What an x86-64 CPU says of itself, and what its operating system saves of it.
struct X86Answers {
    uint32_t leaf1_ecx = 0;
    uint32_t leaf7_ebx = 0;  // both 0 where there is no leaf 7
    uint32_t leaf7_ecx = 0;
    uint64_t xcr0 = 0;  // 0 where xgetbv may not be asked
};

// The levels that follow from these answers.
uint32_t x86_features(const X86Answers& answers);

// The features of the CPU this runs on. It asks anew at each call, which under a hypervisor may take microseconds.
uint32_t cpu_features();

}  // namespace wsd
