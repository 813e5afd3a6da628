// SHA-1 (RFC 3174), for the handshake's accept value only (§4.2.2): it is no protection of anything.
#pragma once

#include <array>

#include "base/bytes.h"

namespace wsd {

using Sha1Digest = std::array<uint8_t, 20>;

Sha1Digest sha1(Bytes data);

}  // namespace wsd
