// The few readings of plain text that configuration and headers share: items between commas, and small numbers. ASCII
// only, and nothing is repaired.
#pragma once

#include "base/bytes.h"

namespace wsd {

// `text` without the spaces and tabs around it.
inline Bytes trim_blanks(Bytes text) {
    const auto is_blank = [](uint8_t c) { return c == ' ' || c == '\t'; };
    while (text.len > 0 && is_blank(text.p[0])) text = drop(text, 1);
    while (text.len > 0 && is_blank(text.p[text.len - 1])) text.len--;
    return text;
}

// Takes the first item off a comma-separated list, without the blanks around it; empty ones are passed over, and quotes
// mean nothing. False at the end.
inline bool next_item(Bytes* list, Bytes* item) {
    while (list->len > 0) {
        const size_t n = find_byte(*list, ',');
        *item = trim_blanks(take(*list, n));
        *list = drop(*list, n < list->len ? n + 1 : n);
        if (item->len > 0) return true;
    }
    return false;
}

// A decimal number of at most `max` < 2^24, without sign or leading zeros: other readers take those for octal.
[[nodiscard]] inline bool parse_number(Bytes text, uint32_t max, uint32_t* out) {
    if (text.len == 0 || text.len > 8 || (text.p[0] == '0' && text.len > 1)) return false;
    uint32_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t digit = uint8_t(text.p[i] - '0');
        if (digit > 9) return false;
        n = n * 10 + digit;
    }
    *out = n;
    return n <= max;
}

}  // namespace wsd
