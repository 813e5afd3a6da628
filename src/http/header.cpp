#include "http/header.h"

#include "base/assert.h"
#include "base/text.h"
#include "http/grammar.h"

namespace wsd::http {
namespace {

// The length of the first element: up to a comma that no quoted string holds (RFC 9110 §5.6.4), or all of `list`.
size_t element_length(Bytes list) {
    bool quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        const uint8_t c = list.p[i];
        if (c == '"') {
            quoted = !quoted;
        } else if (quoted && c == '\\') {
            i++;  // the byte behind a backslash ends nothing
        } else if (!quoted && c == ',') {
            return i;
        }
    }
    return list.len;
}

}  // namespace

Bytes line_at(Bytes head, size_t at) {
    WSD_ASSERT(at < head.len);
    const Bytes rest = drop(head, at);
    const Bytes line = take(rest, find_byte(rest, '\r'));
    WSD_ASSERT(rest.len - line.len >= 2);  // a scanned head has CR only before LF, and ends in both
    return line;
}

HeaderLine read_header_line(Bytes head, size_t* at, Header* header) {
    const Bytes line = line_at(head, *at);
    *at += line.len + 2;
    if (line.len == 0) return HeaderLine::kEnd;
    const size_t name_len = run_length(line, kTokenByte);
    // White space before the colon has made proxies and servers disagree about names: RFC 9112 §5.1 wants a refusal.
    if (name_len == 0 || name_len == line.len || line.p[name_len] != ':') return HeaderLine::kMalformed;
    header->name = slice_of(head, take(line, name_len));
    header->value = slice_of(head, trim_blanks(drop(line, name_len + 1)));  // RFC 9110 §5.6.3
    return HeaderLine::kHeader;
}

bool next_element(Bytes* list, Bytes* element) {
    while (list->len > 0) {
        const size_t n = element_length(*list);
        *element = trim_blanks(take(*list, n));
        *list = drop(*list, n < list->len ? n + 1 : n);  // the comma goes with its element
        if (element->len > 0) return true;
    }
    return false;
}

bool list_has(Bytes list, const char* token) {
    for (Bytes element; next_element(&list, &element);) {
        if (equal_ignoring_case(element, token)) return true;
    }
    return false;
}

bool is_token(Bytes text) { return text.len > 0 && run_length(text, kTokenByte) == text.len; }

}  // namespace wsd::http
