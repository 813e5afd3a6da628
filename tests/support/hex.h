// Bytes written as hex in a test, spaces ignored: hex("81 85 37fa213d").
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace test {

inline std::vector<uint8_t> hex(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    std::vector<uint8_t> bytes;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') continue;
        if (high < 0) {
            high = digit(c);
        } else {
            bytes.push_back(uint8_t(high << 4 | digit(c)));
            high = -1;
        }
    }
    return bytes;
}

}  // namespace test
