#include "base/base64.h"

#include <array>

namespace wsd {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNotBase64 = 0xff;

constexpr std::array<uint8_t, 256> make_values() {
    std::array<uint8_t, 256> values{};
    for (uint8_t& value : values) value = kNotBase64;
    for (uint8_t i = 0; i < 64; i++) values[uint8_t(kAlphabet[i])] = i;
    return values;
}
constexpr std::array<uint8_t, 256> kValues = make_values();

}  // namespace

void base64_encode(Bytes in, char* out) {
    for (; in.len >= 3; in = drop(in, 3)) {
        const uint32_t bits = uint32_t(in.p[0]) << 16 | uint32_t(in.p[1]) << 8 | in.p[2];
        for (int shift = 18; shift >= 0; shift -= 6) *out++ = kAlphabet[bits >> shift & 63];
    }
    if (in.len == 0) return;
    const uint32_t bits = uint32_t(in.p[0]) << 16 | (in.len == 2 ? uint32_t(in.p[1]) << 8 : 0);
    *out++ = kAlphabet[bits >> 18 & 63];
    *out++ = kAlphabet[bits >> 12 & 63];
    *out++ = in.len == 2 ? kAlphabet[bits >> 6 & 63] : '=';
    *out++ = '=';
}

bool base64_decode(Bytes in, uint8_t* out, size_t* out_len) {
    if (in.len % 4 != 0) return false;
    size_t padding = 0;
    while (padding < 2 && padding < in.len && in.p[in.len - 1 - padding] == '=') padding++;
    const size_t digits = in.len - padding;

    uint32_t bits = 0;
    size_t written = 0;
    for (size_t i = 0; i < digits; i++) {
        const uint8_t value = kValues[in.p[i]];
        if (value == kNotBase64) return false;
        bits = bits << 6 | value;
        // The first digit of four completes no byte; each other one does, and carries 4, 2 or 0 bits over.
        if (i % 4 != 0) out[written++] = uint8_t(bits >> (6 - 2 * (i % 4)));
    }
    const uint32_t left_over = padding == 1 ? bits & 0x3 : padding == 2 ? bits & 0xf : 0;
    if (left_over) return false;
    *out_len = written;
    return true;
}

}  // namespace wsd
