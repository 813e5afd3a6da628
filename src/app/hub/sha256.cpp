#include "app/hub/sha256.h"

#include <bit>
#include <cstring>

namespace app::hub {
namespace {

constexpr size_t kBlockBytes = 64;

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 §4.2.2).
constexpr uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t load_be32(const uint8_t* p) {
    return uint32_t(p[0]) << 24 | uint32_t(p[1]) << 16 | uint32_t(p[2]) << 8 | p[3];
}

// Data arrives in pieces, as the code's key stands before its message.
struct Sha256 {
    std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t block[kBlockBytes] = {};
    size_t block_len = 0;
    uint64_t total_bytes = 0;

    void add_block();
    void add(std::string_view data);
    Sha256Digest finish();
};

void Sha256::add_block() {
    uint32_t w[64];
    for (size_t t = 0; t < 16; t++) w[t] = load_be32(block + 4 * t);
    for (size_t t = 16; t < 64; t++) {
        const uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
        const uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (size_t t = 0; t < 64; t++) {
        const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
        const uint32_t t1 = h + sum1 + (g ^ (e & (f ^ g))) + kRoundConstants[t] + w[t];
        const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
        const uint32_t t2 = sum0 + ((a & b) | (c & (a | b)));
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    const uint32_t v[8] = {a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < state.size(); i++) state[i] += v[i];
    block_len = 0;
}

void Sha256::add(std::string_view data) {
    total_bytes += data.size();
    while (!data.empty()) {
        const std::string_view piece = data.substr(0, kBlockBytes - block_len);
        std::memcpy(block + block_len, piece.data(), piece.size());
        block_len += piece.size();
        data.remove_prefix(piece.size());
        if (block_len == kBlockBytes) add_block();
    }
}

// The end: a one bit, zeros up to the last eight bytes of a block, and the length in bits (§5.1.1).
Sha256Digest Sha256::finish() {
    const uint64_t bits = total_bytes * 8;
    constexpr size_t kLengthAt = kBlockBytes - sizeof bits;
    block[block_len++] = 0x80;
    if (block_len > kLengthAt) {
        std::memset(block + block_len, 0, kBlockBytes - block_len);
        add_block();
    }
    std::memset(block + block_len, 0, kLengthAt - block_len);
    for (size_t i = 0; i < sizeof bits; i++) block[kLengthAt + i] = uint8_t(bits >> (56 - 8 * i));
    add_block();
    Sha256Digest digest;
    for (size_t i = 0; i < digest.size(); i++) digest[i] = uint8_t(state[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

}  // namespace

Sha256Digest sha256(std::string_view data) {
    Sha256 hash;
    hash.add(data);
    return hash.finish();
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view data) {
    std::array<char, kBlockBytes> pad = {};
    const Sha256Digest short_key = sha256(key);
    if (key.size() > pad.size()) key = digest_text(short_key);
    if (!key.empty()) std::memcpy(pad.data(), key.data(), key.size());

    Sha256 inner, outer;
    for (char& c : pad) c = char(c ^ 0x36);
    inner.add({pad.data(), pad.size()});
    inner.add(data);
    for (char& c : pad) c = char(c ^ (0x36 ^ 0x5c));
    outer.add({pad.data(), pad.size()});
    outer.add(digest_text(inner.finish()));
    return outer.finish();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    volatile unsigned char difference = 0;  // so that no compiler sees that the first one settles it
    for (size_t i = 0; i < a.size(); i++) difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

}  // namespace app::hub
