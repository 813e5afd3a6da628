// Text put together piece by piece or, where there is no place to put it, only measured: one function then says both
// what a head is and how long it is. It knows nothing of limits: the place has been measured for.
#pragma once

#include "base/bytes.h"

namespace wsd::http {

struct TextOut {
    uint8_t* p = nullptr;  // borrowed, with room for all that is put; null: measure only
    size_t len = 0;        // bytes put so far
};

inline void put(TextOut* out, Bytes text) {
    if (out->p && text.len > 0) std::memcpy(out->p + out->len, text.p, text.len);
    out->len += text.len;
}

inline void put(TextOut* out, const char* text) { put(out, bytes_of(text)); }

inline void put_decimal(TextOut* out, uint64_t value) {
    uint8_t digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = uint8_t('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(out, {digits + at, sizeof(digits) - at});
}

}  // namespace wsd::http
