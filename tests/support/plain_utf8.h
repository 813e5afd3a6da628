// UTF-8 judged the long way, by arithmetic on code points (RFC 3629 §3): what the fast ways are held against.
#pragma once

#include <cstddef>
#include <cstdint>

namespace test {

struct PlainUtf8 {
    size_t wrong_at;  // the first byte that continues no text; `len` if there is none
    bool whole;       // it ends between two characters
};

// Is there a code point from `low` to `high` that a character of `bytes` bytes may say?
inline bool some_code_point(uint32_t low, uint32_t high, int bytes) {
    const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (low < least[bytes]) low = least[bytes];
    if (high > 0x10ffff) high = 0x10ffff;
    const bool all_surrogates = low >= 0xd800 && high <= 0xdfff;
    return low <= high && !all_surrogates;
}

inline PlainUtf8 plain_utf8(const uint8_t* p, size_t len) {
    for (size_t i = 0; i < len;) {
        const uint8_t lead = p[i];
        const int bytes = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
        if (bytes == 0) return {i, false};
        uint32_t code = bytes == 1 ? lead : lead & (0x7fu >> bytes);
        for (int left = bytes - 1;; left--) {
            // The bytes that are left may make it anything in this range.
            if (!some_code_point(code << 6 * left, ((code + 1) << 6 * left) - 1, bytes)) return {i, false};
            i++;
            if (left == 0) break;
            if (i == len) return {len, false};
            if ((p[i] & 0xc0) != 0x80) return {i, false};
            code = code << 6 | (p[i] & 0x3f);
        }
    }
    return {len, true};
}

}  // namespace test
