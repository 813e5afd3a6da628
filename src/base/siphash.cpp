#include "base/siphash.h"

namespace wsd {
namespace {

struct State {
    uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1;
        v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = std::rotl(v1, 17) ^ v2;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }

    // The "1" of 1-3.
    void absorb(uint64_t word) {
        v3 ^= word;
        round();
        v0 ^= word;
    }
};

// The bytes after the last whole word, and above them the low byte of the length.
uint64_t last_word(Bytes tail, size_t len) {
    uint64_t word = uint64_t(len) << 56;
    for (size_t i = 0; i < tail.len; i++) word |= uint64_t(tail.p[i]) << (8 * i);
    return word;
}

}  // namespace

uint64_t siphash13(const HashKey& key, Bytes data) {
    // "somepseudorandomlygeneratedbytes"
    State s{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
            key.k1 ^ 0x7465646279746573};
    Bytes rest = data;
    for (; rest.len >= 8; rest = drop(rest, 8)) s.absorb(load_le64(rest.p));
    s.absorb(last_word(rest, data.len));
    s.v2 ^= 0xff;
    for (int i = 0; i < 3; i++) s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace wsd
