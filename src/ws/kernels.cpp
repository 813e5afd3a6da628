#include "ws/kernels.h"

#include <cstring>

#include "base/cpu.h"
#include "ws/kernels_impl.h"

namespace wsd::ws {

namespace {

constinit const Kernels kKernels[] = {
#ifdef __x86_64__
    {"avx512", kCpuAvx512, avx512::unmask, avx512::utf8, avx512::unmask_utf8},
    {"avx2", kCpuAvx2, avx2::unmask, avx2::utf8, avx2::unmask_utf8},
    {"ssse3", kCpuSsse3, ssse3::unmask, ssse3::utf8, ssse3::unmask_utf8},
#endif
#ifdef __AARCH64EL__
    {"neon", kCpuNeon, neon::unmask, neon::utf8, neon::unmask_utf8},
#endif
    {"scalar", 0, scalar::unmask, scalar::utf8, scalar::unmask_utf8},
};

}  // namespace

std::span<const Kernels> kernels_all() { return kKernels; }

const Kernels* kernels_find(const char* name) {
    const uint32_t have = cpu_features();
    for (const Kernels& kernels : kKernels) {
        const bool runs = (kernels.needs & ~have) == 0;
        if (runs && (!name || std::strcmp(name, kernels.name) == 0)) return &kernels;
    }
    return nullptr;
}

}  // namespace wsd::ws
