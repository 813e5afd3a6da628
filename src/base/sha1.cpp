#include "base/sha1.h"

#include <bit>

namespace wsd {
namespace {

constexpr size_t kBlock = 64;

struct State {
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
};

// One of the four groups of twenty rounds (RFC 3174 §6.1).
template <class F>
inline void rounds(uint32_t (&v)[5], const uint32_t* w, uint32_t k, F f) {
#pragma GCC unroll 20  // the five words then change names instead of places
    for (int i = 0; i < 20; i++) {
        const uint32_t next = std::rotl(v[0], 5) + f(v[1], v[2], v[3]) + v[4] + w[i] + k;
        v[4] = v[3];
        v[3] = v[2];
        v[2] = std::rotl(v[1], 30);
        v[1] = v[0];
        v[0] = next;
    }
}

void add_block(State& state, const uint8_t* p) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++) w[i] = load_be32(p + 4 * i);
    for (int i = 16; i < 80; i++) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);

    uint32_t v[5];
    for (int i = 0; i < 5; i++) v[i] = state.h[i];
    const auto parity = [](uint32_t b, uint32_t c, uint32_t d) { return b ^ c ^ d; };
    rounds(v, w, 0x5a827999, [](uint32_t b, uint32_t c, uint32_t d) { return d ^ (b & (c ^ d)); });
    rounds(v, w + 20, 0x6ed9eba1, parity);
    rounds(v, w + 40, 0x8f1bbcdc, [](uint32_t b, uint32_t c, uint32_t d) { return (b & c) | (d & (b | c)); });
    rounds(v, w + 60, 0xca62c1d6, parity);
    for (int i = 0; i < 5; i++) state.h[i] += v[i];
}

}  // namespace

Sha1Digest sha1(Bytes data) {
    State state;
    Bytes rest = data;
    for (; rest.len >= kBlock; rest = drop(rest, kBlock)) add_block(state, rest.p);

    // The end: a one bit, zeros, and the length in bits; it needs a second block where the length no longer fits.
    uint8_t last[2 * kBlock] = {};
    if (rest.len) std::memcpy(last, rest.p, rest.len);
    last[rest.len] = 0x80;
    const size_t end = rest.len + 1 + sizeof(uint64_t) <= kBlock ? kBlock : 2 * kBlock;
    store_be64(last + end - sizeof(uint64_t), uint64_t(data.len) * 8);
    for (size_t at = 0; at < end; at += kBlock) add_block(state, last + at);

    Sha1Digest digest;
    for (size_t i = 0; i < 5; i++) store_be32(digest.data() + 4 * i, state.h[i]);
    return digest;
}

}  // namespace wsd
