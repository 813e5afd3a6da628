#include "app/utf8.h"

#include <algorithm>

namespace app {
namespace {

// What the second byte may be after a first one: its range keeps overlong forms, surrogates and what is beyond U+10FFFF
// out (RFC 3629 §4).
struct Lead {
    size_t len;
    uint8_t low, high;
};

Lead lead_of(uint8_t first) {
    if (first >= 0xc2 && first <= 0xdf) return {2, 0x80, 0xbf};
    if (first == 0xe0) return {3, 0xa0, 0xbf};
    if (first == 0xed) return {3, 0x80, 0x9f};
    if (first >= 0xe1 && first <= 0xef) return {3, 0x80, 0xbf};
    if (first == 0xf0) return {4, 0x90, 0xbf};
    if (first >= 0xf1 && first <= 0xf3) return {4, 0x80, 0xbf};
    if (first == 0xf4) return {4, 0x80, 0x8f};
    return {0, 0, 0};
}

bool is_continuation(char c) { return (uint8_t(c) & 0xc0) == 0x80; }

}  // namespace

size_t utf8_character(std::string_view text) {
    if (text.empty()) return 0;
    if (uint8_t(text[0]) < 0x80) return 1;
    const Lead lead = lead_of(uint8_t(text[0]));
    if (lead.len == 0 || text.size() < lead.len) return 0;
    if (uint8_t(text[1]) < lead.low || uint8_t(text[1]) > lead.high) return 0;
    for (size_t i = 2; i < lead.len; i++) {
        if (!is_continuation(text[i])) return 0;
    }
    return lead.len;
}

size_t utf8_count(std::string_view text) {
    return text.size() - size_t(std::count_if(text.begin(), text.end(), is_continuation));
}

char* utf8_put(char* to, uint32_t scalar) {
    if (scalar < 0x80) {
        *to++ = char(scalar);
        return to;
    }
    const int following = scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3;
    const uint32_t mark = 0xf00u >> (following + 1) & 0xff;  // as many leading ones as there are bytes
    *to++ = char(mark | scalar >> 6 * following);
    for (int i = following - 1; i >= 0; i--) *to++ = char(0x80 | (scalar >> 6 * i & 0x3f));
    return to;
}

}  // namespace app
