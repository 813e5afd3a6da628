#include "base/cpu.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace wsd {

namespace {

constexpr uint32_t kLeaf1EcxSsse3 = 1u << 9;
constexpr uint32_t kLeaf1EcxOsxsave = 1u << 27;  // the operating system lets xgetbv be asked
constexpr uint32_t kLeaf7EbxAvx2 = 1u << 5;
constexpr uint32_t kLeaf7EbxAvx512 = 1u << 16 | 1u << 30 | 1u << 31;  // F, BW, VL
constexpr uint32_t kLeaf7EcxVbmi = 1u << 1;
constexpr uint64_t kXcr0Avx = 0x06;     // the xmm and ymm registers survive a task switch
constexpr uint64_t kXcr0Avx512 = 0xe6;  // and the mask and zmm registers

template <class Word>
constexpr bool has(Word word, Word bits) {
    return (word & bits) == bits;
}

#ifdef __x86_64__
X86Answers ask() {
    X86Answers answers;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d)) answers.leaf1_ecx = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        answers.leaf7_ebx = b;
        answers.leaf7_ecx = c;
    }
    if (has(answers.leaf1_ecx, kLeaf1EcxOsxsave)) {
        __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        answers.xcr0 = uint64_t(d) << 32 | a;
    }
    return answers;
}
#endif

}  // namespace

uint32_t x86_features(const X86Answers& answers) {
    if (!has(answers.leaf1_ecx, kLeaf1EcxSsse3)) return 0;
    // A CPU may have registers that its operating system does not save: they would be lost at the next task switch.
    if (!has(answers.leaf7_ebx, kLeaf7EbxAvx2) || !has(answers.xcr0, kXcr0Avx)) return kCpuSsse3;
    if (!has(answers.leaf7_ebx, kLeaf7EbxAvx512) || !has(answers.leaf7_ecx, kLeaf7EcxVbmi) ||
        !has(answers.xcr0, kXcr0Avx512)) {
        return kCpuSsse3 | kCpuAvx2;
    }
    return kCpuSsse3 | kCpuAvx2 | kCpuAvx512;
}

uint32_t cpu_features() {
#if defined(__x86_64__)
    return x86_features(ask());
#elif defined(__aarch64__)
    return kCpuNeon;  // a part of the architecture
#else
    return 0;
#endif
}

}  // namespace wsd
