// Inputs of every character for a compressor, the same in each run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/json_messages.h"

namespace test {

enum class Packable { kJson, kRandom, kRuns, kTwoSymbols, kAllBytes, kCount };

inline std::vector<uint8_t> packable_json(Rng& rng, size_t len) {
    std::vector<uint8_t> bytes;
    while (bytes.size() < len) {
        const std::string message = json_message(rng, len < 65536 ? len : 65536);
        bytes.insert(bytes.end(), message.begin(), message.end());
    }
    bytes.resize(len);
    return bytes;
}

// `len` bytes; what comes from `rng` differs from call to call.
inline std::vector<uint8_t> packable(Packable kind, Rng& rng, size_t len) {
    if (kind == Packable::kJson) return packable_json(rng, len);
    std::vector<uint8_t> bytes(len);
    for (size_t i = 0; i < len; i++) {
        switch (kind) {
            case Packable::kRuns: bytes[i] = i > 0 && rng.below(300) ? bytes[i - 1] : uint8_t(rng.below(256)); break;
            case Packable::kTwoSymbols: bytes[i] = rng.below(2) ? 'a' : 'b'; break;
            case Packable::kAllBytes: bytes[i] = uint8_t(i); break;
            default: bytes[i] = uint8_t(rng.below(256)); break;
        }
    }
    return bytes;
}

}  // namespace test
