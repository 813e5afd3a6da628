#include "base/sha1.h"

#include <bit>

namespace wsd {
namespace {

constexpr size_t kBlock = 64;

using State = std::array<uint32_t, 5>;
using Words = std::array<uint32_t, 16>;
constexpr State kStart = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

// The functions of RFC 3174 §5, each for twenty rounds or forty.
inline uint32_t choose(uint32_t b, uint32_t c, uint32_t d) { return d ^ (b & (c ^ d)); }
inline uint32_t parity(uint32_t b, uint32_t c, uint32_t d) { return b ^ c ^ d; }
inline uint32_t majority(uint32_t b, uint32_t c, uint32_t d) { return (b & c) | (d & (b | c)); }
using Function = uint32_t (*)(uint32_t, uint32_t, uint32_t);

// W(t), made when its round comes: only the last sixteen are kept, in a circle (§6.2 there). `t` goes up from 0.
inline uint32_t next_word(Words& w, unsigned t) {
    if (t >= 16) w[t % 16] = std::rotl(w[(t - 3) % 16] ^ w[(t - 8) % 16] ^ w[(t - 14) % 16] ^ w[t % 16], 1);
    return w[t % 16];
}

// One round, `word` being W(t) + K(t). The five words ought to change places after it; the caller turns their names
// instead, so that only the two that change are written.
template <Function kFunction>
inline void round(uint32_t a, uint32_t& b, uint32_t c, uint32_t d, uint32_t& e, uint32_t word) {
    e += std::rotl(a, 5) + kFunction(b, c, d) + word;
    b = std::rotl(b, 30);
}

// The twenty rounds from `kFirst` on. After each five the names are back where they were; unrolled whole, no place in
// the circle is left to work out.
template <unsigned kFirst, Function kFunction>
inline void twenty_rounds(State& v, Words& w, uint32_t k) {
    auto [a, b, c, d, e] = v;
#pragma GCC unroll 4
    for (unsigned t = kFirst; t < kFirst + 20; t += 5) {
        round<kFunction>(a, b, c, d, e, next_word(w, t) + k);
        round<kFunction>(e, a, b, c, d, next_word(w, t + 1) + k);
        round<kFunction>(d, e, a, b, c, next_word(w, t + 2) + k);
        round<kFunction>(c, d, e, a, b, next_word(w, t + 3) + k);
        round<kFunction>(b, c, d, e, a, next_word(w, t + 4) + k);
    }
    v = {a, b, c, d, e};
}

void add_block(State& state, const uint8_t* p) {
    Words w;
    for (size_t i = 0; i < w.size(); i++) w[i] = load_be32(p + 4 * i);

    State v = state;
    twenty_rounds<0, choose>(v, w, 0x5a827999);
    twenty_rounds<20, parity>(v, w, 0x6ed9eba1);
    twenty_rounds<40, majority>(v, w, 0x8f1bbcdc);
    twenty_rounds<60, parity>(v, w, 0xca62c1d6);
    for (size_t i = 0; i < v.size(); i++) state[i] += v[i];
}

}  // namespace

Sha1Digest sha1(Bytes data) {
    State state = kStart;
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
    for (size_t i = 0; i < state.size(); i++) store_be32(digest.data() + 4 * i, state[i]);
    return digest;
}

}  // namespace wsd
