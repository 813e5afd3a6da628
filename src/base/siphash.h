// SipHash-1-3 (Aumasson and Bernstein): a 64-bit hash that nobody can find collisions for without knowing its key.
// For hash tables only; it authenticates nothing.
#pragma once

#include "base/bytes.h"

namespace wsd {

struct HashKey {
    uint64_t k0 = 0;
    uint64_t k1 = 0;
};

uint64_t siphash13(const HashKey& key, Bytes data);

}  // namespace wsd
