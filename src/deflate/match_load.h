// Words of text and how long two strings agree: what all ways to search need.
#pragma once

#include <bit>

#include "base/bytes.h"

namespace wsd::deflate {

inline uint32_t hash_of(uint32_t word, unsigned bits) { return (word * 0x9e3779b1u) >> (32 - bits); }

// How many bytes from a[len] and b[len] on agree, counting the `len` that do; at most `max`.
inline uint32_t agreement(const uint8_t* a, const uint8_t* b, uint32_t len, uint32_t max) {
    for (; len + 8 <= max; len += 8) {
        const uint64_t differ = load_le64(a + len) ^ load_le64(b + len);
        if (differ) return len + unsigned(std::countr_zero(differ)) / 8;
    }
    while (len < max && a[len] == b[len]) len++;
    return len;
}

}  // namespace wsd::deflate
