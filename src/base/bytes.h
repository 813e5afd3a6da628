// Borrowed byte ranges and integers of either order: what every codec reads from and writes to.
// A range never owns, never allocates and is never NUL-terminated.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wsd {

// Borrowed, read-only. `p` may be null only when `len` is 0.
struct Bytes {
    const uint8_t* p = nullptr;
    size_t len = 0;
};

// The bytes of a C string, without its NUL.
inline Bytes bytes_of(const char* text) { return {reinterpret_cast<const uint8_t*>(text), std::strlen(text)}; }

// `in` without its first `n` bytes; `n` <= in.len.
inline Bytes drop(Bytes in, size_t n) { return {in.p + n, in.len - n}; }

// The first `n` bytes of `in`; `n` <= in.len.
inline Bytes take(Bytes in, size_t n) { return {in.p, n}; }

inline bool equal(Bytes a, Bytes b) { return a.len == b.len && (a.len == 0 || std::memcmp(a.p, b.p, a.len) == 0); }

// ASCII only: a protocol's names do not change with the locale.
constexpr uint8_t to_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? uint8_t(c | 0x20) : c; }

// Are they the same but for ASCII case?
inline bool equal_ignoring_case(Bytes a, Bytes b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        // Most are the same as they stand, and then cost no folding.
        if (a.p[i] != b.p[i] && to_lower(a.p[i]) != to_lower(b.p[i])) return false;
    }
    return true;
}
inline bool equal_ignoring_case(Bytes a, const char* b) { return equal_ignoring_case(a, bytes_of(b)); }

// The position of the first `byte` in `in`, or in.len when there is none.
inline size_t find_byte(Bytes in, uint8_t byte) {
    const void* const found = in.len ? std::memchr(in.p, byte, in.len) : nullptr;
    return found ? size_t(static_cast<const uint8_t*>(found) - in.p) : in.len;
}

inline uint16_t load_be16(const uint8_t* p) { return uint16_t(p[0] << 8 | p[1]); }

inline uint32_t load_be32(const uint8_t* p) { return uint32_t(load_be16(p)) << 16 | load_be16(p + 2); }

inline uint64_t load_be64(const uint8_t* p) { return uint64_t(load_be32(p)) << 32 | load_be32(p + 4); }

inline void store_be16(uint8_t* p, uint16_t v) {
    p[0] = uint8_t(v >> 8);
    p[1] = uint8_t(v);
}

inline void store_be32(uint8_t* p, uint32_t v) {
    store_be16(p, uint16_t(v >> 16));
    store_be16(p + 2, uint16_t(v));
}

inline void store_be64(uint8_t* p, uint64_t v) {
    store_be32(p, uint32_t(v >> 32));
    store_be32(p + 4, uint32_t(v));
}

// Little-endian: the first byte is the lowest.
inline uint32_t load_le32(const uint8_t* p) {
    uint32_t v;
    std::memcpy(&v, p, sizeof v);
    if constexpr (std::endian::native == std::endian::big) v = __builtin_bswap32(v);
    return v;
}

inline uint64_t load_le64(const uint8_t* p) {
    uint64_t v;
    std::memcpy(&v, p, sizeof v);
    if constexpr (std::endian::native == std::endian::big) v = __builtin_bswap64(v);
    return v;
}

inline void store_le64(uint8_t* p, uint64_t v) {
    if constexpr (std::endian::native == std::endian::big) v = __builtin_bswap64(v);
    std::memcpy(p, &v, sizeof v);
}

}  // namespace wsd
