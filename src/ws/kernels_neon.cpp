// The kernels of 64-bit ARM, where NEON is a part of the architecture. Big-endian ones are left to the scalar kernels:
// nobody could test them.
#ifdef __AARCH64EL__

#include <arm_neon.h>

#include "ws/kernels_impl.h"

#define WSD_TARGET
#define WSD_LEAF __attribute__((always_inline)) inline

namespace wsd::ws::neon {
namespace {

namespace narrower = scalar;
using Vec = uint8x16_t;
constexpr size_t kWidth = sizeof(Vec);

WSD_LEAF Vec load(const uint8_t* p) { return vld1q_u8(p); }
WSD_LEAF void store(uint8_t* p, Vec v) { vst1q_u8(p, v); }
WSD_LEAF Vec splat(uint32_t four) { return vreinterpretq_u8_u32(vdupq_n_u32(four)); }
WSD_LEAF Vec table(const uint8_t* sixteen) { return vld1q_u8(sixteen); }
WSD_LEAF Vec lookup(Vec table16, Vec v) { return vqtbl1q_u8(table16, v); }
WSD_LEAF Vec high_halves(Vec v, Vec) { return vshrq_n_u8(v, 4); }
WSD_LEAF Vec minus(Vec a, Vec b) { return vqsubq_u8(a, b); }
WSD_LEAF bool any(Vec v) { return vmaxvq_u8(v) != 0; }
WSD_LEAF bool any_high(Vec v) { return vmaxvq_u8(v) >= 0x80; }
template <int n>
WSD_LEAF Vec before(Vec v, Vec prev) {
    return vextq_u8(prev, v, 16 - n);
}

}  // namespace
#include "ws/kernels_vector.inc"
}  // namespace wsd::ws::neon

#endif
