// Inputs of every character for a compressor, the same in each run.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "support/json_messages.h"

namespace test {

enum class Packable {
    kJson,
    kRandom,
    kRuns,
    kTwoSymbols,
    kAllBytes,  // each byte one more than the one before
    kSkewed,    // each value half as often as the one before it: codes of all lengths
    kSyllables,
    kCount,
};

inline std::vector<uint8_t> packable_json(Rng& rng, size_t len) {
    std::vector<uint8_t> bytes;
    while (bytes.size() < len) {
        const std::string message = json_message(rng, len < 65536 ? len : 65536);
        bytes.insert(bytes.end(), message.begin(), message.end());
    }
    bytes.resize(len);
    return bytes;
}

// Words of four bytes, of a few hundred, and any byte behind each: matches are short, and there are more of them in
// 64 KB than a block holds.
inline std::vector<uint8_t> packable_syllables(Rng& rng, size_t len) {
    std::vector<uint8_t> bytes;
    while (bytes.size() < len) {
        const uint32_t word = rng.below(200) * 0x9e3779b1;
        for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(uint8_t(word >> shift));
        bytes.push_back(uint8_t(rng.below(256)));
    }
    bytes.resize(len);
    return bytes;
}

// `len` bytes; what comes from `rng` differs from call to call.
inline std::vector<uint8_t> packable(Packable kind, Rng& rng, size_t len) {
    if (kind == Packable::kJson) return packable_json(rng, len);
    if (kind == Packable::kSyllables) return packable_syllables(rng, len);
    std::vector<uint8_t> bytes(len);
    for (size_t i = 0; i < len; i++) {
        switch (kind) {
            case Packable::kRuns: bytes[i] = i > 0 && rng.below(300) ? bytes[i - 1] : uint8_t(rng.below(256)); break;
            case Packable::kTwoSymbols: bytes[i] = rng.below(2) ? 'a' : 'b'; break;
            case Packable::kAllBytes: bytes[i] = uint8_t(i); break;
            case Packable::kSkewed: bytes[i] = uint8_t(std::countl_zero(rng.next())); break;
            default: bytes[i] = uint8_t(rng.below(256)); break;
        }
    }
    return bytes;
}

}  // namespace test
