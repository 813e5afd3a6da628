// What the files of the C API share: how it passes text, and structs that begin with their size so that they can grow.
#pragma once

#include "base/bytes.h"
#include "wsd.h"

namespace wsd {

inline Bytes bytes_of(wsd_str text) { return {reinterpret_cast<const uint8_t*>(text.p), text.len}; }

}  // namespace wsd

namespace wsd::server {

// Does a caller's struct say its size at all?
template <class T>
bool is_sized(const T& given) {
    return given.size >= sizeof(size_t);
}

// What a caller's struct says as far as both sides know it, and `defaults` for the rest.
template <class T>
T read_sized(const T& given, T defaults) {
    std::memcpy(&defaults, &given, given.size < sizeof(T) ? given.size : sizeof(T));
    return defaults;
}

// Fills a caller's struct as far as both sides know it; its size stays what the caller said.
template <class T>
void write_sized(T* to, const T& from) {
    const size_t size = to->size;
    std::memcpy(to, &from, size < sizeof(T) ? size : sizeof(T));
    to->size = size;
}

}  // namespace wsd::server
