#include "base/cpu.h"

#include <doctest/doctest.h>

using namespace wsd;

namespace {

// The bits as the manuals number them, apart from those of cpu.cpp.
constexpr uint32_t kSsse3Osxsave = 1u << 9 | 1u << 27;
constexpr uint32_t kAvx2 = 1u << 5;
constexpr uint32_t kF = 1u << 16, kBw = 1u << 30, kVl = 1u << 31;
constexpr uint32_t kVbmi = 1u << 1;

struct Row {
    const char* what;
    X86Answers answers;
    uint32_t features;
};

const Row kRows[] = {
    {"nothing", {0, 0, 0, 0}, 0},
    {"SSSE3 and no leaf 7", {1u << 9, 0, 0, 0}, kCpuSsse3},
    {"everything", {kSsse3Osxsave, kAvx2 | kF | kBw | kVl, kVbmi, 0xe7}, kCpuSsse3 | kCpuAvx2 | kCpuAvx512},
    {"AVX2 whose registers nobody saves", {kSsse3Osxsave, kAvx2, 0, 0x03}, kCpuSsse3},
    {"AVX2 where xgetbv may not be asked", {1u << 9, kAvx2, 0, 0}, kCpuSsse3},
    {"AVX2", {kSsse3Osxsave, kAvx2, 0, 0x07}, kCpuSsse3 | kCpuAvx2},
    {"no zmm saved", {kSsse3Osxsave, kAvx2 | kF | kBw | kVl, kVbmi, 0x07}, kCpuSsse3 | kCpuAvx2},
    {"not all of zmm saved", {kSsse3Osxsave, kAvx2 | kF | kBw | kVl, kVbmi, 0x67}, kCpuSsse3 | kCpuAvx2},
    {"no F", {kSsse3Osxsave, kAvx2 | kBw | kVl, kVbmi, 0xe7}, kCpuSsse3 | kCpuAvx2},
    {"no BW", {kSsse3Osxsave, kAvx2 | kF | kVl, kVbmi, 0xe7}, kCpuSsse3 | kCpuAvx2},
    {"no VL", {kSsse3Osxsave, kAvx2 | kF | kBw, kVbmi, 0xe7}, kCpuSsse3 | kCpuAvx2},
    {"no VBMI", {kSsse3Osxsave, kAvx2 | kF | kBw | kVl, 0, 0xe7}, kCpuSsse3 | kCpuAvx2},
    {"AVX-512 without AVX2", {kSsse3Osxsave, kF | kBw | kVl, kVbmi, 0xe7}, kCpuSsse3},
    {"AVX2 without SSSE3", {1u << 27, kAvx2, 0, 0x07}, 0},
};

}  // namespace

TEST_CASE("an x86 level needs its instructions, those below it and an operating system that saves its registers") {
    for (const Row& row : kRows) {
        CAPTURE(row.what);
        CHECK(x86_features(row.answers) == row.features);
    }
}

TEST_CASE("the features of this CPU are those that the compiler's run-time library sees") {
    const uint32_t features = cpu_features();
#if defined(__x86_64__)
    CHECK(bool(features & kCpuSsse3) == bool(__builtin_cpu_supports("ssse3")));
    CHECK(bool(features & kCpuAvx2) == bool(__builtin_cpu_supports("avx2")));
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi");
    CHECK(bool(features & kCpuAvx512) == avx512);
    CHECK(!(features & kCpuNeon));
#elif defined(__aarch64__)
    CHECK(features == kCpuNeon);
#else
    CHECK(features == 0);
#endif
}
