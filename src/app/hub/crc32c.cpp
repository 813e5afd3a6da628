#include "app/hub/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace app::hub {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // bits reversed: the lowest comes first
constexpr size_t kStep = 8;                   // bytes at once

// kTables[n][b]: what a byte `b` comes to once n more bytes of zeros have followed it.
using Tables = std::array<std::array<uint32_t, 256>, kStep>;

constexpr Tables make_tables() {
    Tables tables{};
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
        tables[0][b] = crc;
    }
    for (size_t n = 1; n < kStep; n++) {
        for (size_t b = 0; b < 256; b++) {
            const uint32_t crc = tables[n - 1][b];
            tables[n][b] = crc >> 8 ^ tables[0][crc & 0xff];
        }
    }
    return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t before) {
    static_assert(std::endian::native == std::endian::little);  // a word's first byte is its lowest
    uint32_t crc = ~before;
    const char* p = bytes.data();
    size_t len = bytes.size();
    for (; len >= kStep; p += kStep, len -= kStep) {
        uint64_t word = 0;
        std::memcpy(&word, p, sizeof word);
        word ^= crc;
        crc = 0;
        for (size_t i = 0; i < kStep; i++) crc ^= kTables[kStep - 1 - i][word >> 8 * i & 0xff];
    }
    for (; len; p++, len--) crc = crc >> 8 ^ kTables[0][(crc ^ uint8_t(*p)) & 0xff];
    return ~crc;
}

}  // namespace app::hub
