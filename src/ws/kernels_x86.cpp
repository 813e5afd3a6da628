// The kernels of x86-64. There is none of plain SSE2: a CPU without SSSE3, whose shuffle the look-ups need, is from
// before 2011, and the scalar kernels serve it. Every function here carries its own target; flags for the whole file
// would leak the instructions into the inline functions that it shares with others.
#ifdef __x86_64__

#include <immintrin.h>

#include "ws/kernels_impl.h"

// WSD_TARGET is defined anew for each level.
#define WSD_LEAF WSD_TARGET __attribute__((always_inline)) inline

namespace wsd::ws {

namespace ssse3 {
namespace {

#define WSD_TARGET __attribute__((target("ssse3")))
namespace narrower = scalar;
using Vec = __m128i;
constexpr size_t kWidth = sizeof(Vec);

WSD_LEAF Vec load(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const Vec*>(p)); }
WSD_LEAF void store(uint8_t* p, Vec v) { _mm_storeu_si128(reinterpret_cast<Vec*>(p), v); }
WSD_LEAF Vec splat(uint32_t four) { return _mm_set1_epi32(int(four)); }
WSD_LEAF Vec table(const uint8_t* sixteen) { return load(sixteen); }
WSD_LEAF Vec lookup(Vec table16, Vec v) { return _mm_shuffle_epi8(table16, v); }
WSD_LEAF Vec high_halves(Vec v, Vec low_half) { return _mm_srli_epi16(v, 4) & low_half; }
WSD_LEAF Vec minus(Vec a, Vec b) { return _mm_subs_epu8(a, b); }
WSD_LEAF bool any(Vec v) { return _mm_movemask_epi8(_mm_cmpeq_epi8(v, Vec{})) != 0xffff; }
WSD_LEAF bool any_high(Vec v) { return _mm_movemask_epi8(v) != 0; }
template <int n>
WSD_LEAF Vec before(Vec v, Vec prev) {
    return _mm_alignr_epi8(v, prev, 16 - n);
}

}  // namespace
#include "ws/kernels_vector.inc"
#undef WSD_TARGET
}  // namespace ssse3

namespace avx2 {
namespace {

#define WSD_TARGET __attribute__((target("avx2")))
namespace narrower = ssse3;
using Vec = __m256i;
constexpr size_t kWidth = sizeof(Vec);

WSD_LEAF Vec load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const Vec*>(p)); }
WSD_LEAF void store(uint8_t* p, Vec v) { _mm256_storeu_si256(reinterpret_cast<Vec*>(p), v); }
WSD_LEAF Vec splat(uint32_t four) { return _mm256_set1_epi32(int(four)); }
WSD_LEAF Vec table(const uint8_t* sixteen) { return _mm256_broadcastsi128_si256(ssse3::load(sixteen)); }
WSD_LEAF Vec lookup(Vec table16, Vec v) { return _mm256_shuffle_epi8(table16, v); }
WSD_LEAF Vec high_halves(Vec v, Vec low_half) { return _mm256_srli_epi16(v, 4) & low_half; }
WSD_LEAF Vec minus(Vec a, Vec b) { return _mm256_subs_epu8(a, b); }
WSD_LEAF bool any(Vec v) { return !_mm256_testz_si256(v, v); }
WSD_LEAF bool any_high(Vec v) { return _mm256_movemask_epi8(v) != 0; }
template <int n>
WSD_LEAF Vec before(Vec v, Vec prev) {
    // alignr stays within 16 bytes: beside each lane of `v` goes the lane before it.
    return _mm256_alignr_epi8(v, _mm256_permute2x128_si256(prev, v, 0x21), 16 - n);
}

}  // namespace
#include "ws/kernels_vector.inc"
#undef WSD_TARGET
}  // namespace avx2

namespace avx512 {
namespace {

#define WSD_TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
namespace narrower = avx2;
using Vec = __m512i;
constexpr size_t kWidth = sizeof(Vec);
// With a mask of all, as the forms without one begin with an uninitialised vector, of which g++ 12 warns.
constexpr __mmask16 kAll = 0xffff;

WSD_LEAF Vec load(const uint8_t* p) { return _mm512_loadu_si512(p); }
WSD_LEAF void store(uint8_t* p, Vec v) { _mm512_storeu_si512(p, v); }
WSD_LEAF Vec splat(uint32_t four) { return _mm512_set1_epi32(int(four)); }
WSD_LEAF Vec table(const uint8_t* sixteen) { return _mm512_maskz_broadcast_i32x4(kAll, ssse3::load(sixteen)); }
WSD_LEAF Vec lookup(Vec table16, Vec v) { return _mm512_shuffle_epi8(table16, v); }
WSD_LEAF Vec high_halves(Vec v, Vec low_half) { return _mm512_srli_epi16(v, 4) & low_half; }
WSD_LEAF Vec minus(Vec a, Vec b) { return _mm512_subs_epu8(a, b); }
WSD_LEAF bool any(Vec v) { return _mm512_test_epi8_mask(v, v) != 0; }
WSD_LEAF bool any_high(Vec v) { return _mm512_movepi8_mask(v) != 0; }
template <int n>
WSD_LEAF Vec before(Vec v, Vec prev) {
    return _mm512_alignr_epi8(v, _mm512_maskz_alignr_epi32(kAll, v, prev, 12), 16 - n);  // lane by lane, as for avx2
}

}  // namespace
#include "ws/kernels_vector.inc"
#undef WSD_TARGET
}  // namespace avx512

}  // namespace wsd::ws

#endif
