// SHA-256 (FIPS 180-4) and the message authentication code made with it (RFC 2104), for tokens. Whether two codes or
// two secrets are the same is asked of equal_in_constant_time() only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace app::hub {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest sha256(std::string_view data);

// HMAC-SHA-256 with a key of any length.
Sha256Digest hmac_sha256(std::string_view key, std::string_view data);

// The bytes of a digest, valid as long as it is.
inline std::string_view digest_text(const Sha256Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Its time depends on the lengths alone, so that it does not tell a forger how much of a guess was right.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace app::hub
