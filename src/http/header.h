// Header lines of a head that scan_head has found (RFC 9112 §5), and the values in them that are tokens or lists
// (RFC 9110 §5.6). Which headers matter, and what they mean, is for others to know.
#pragma once

#include "base/bytes.h"

namespace wsd::http {

// A part of the head by position, so that it survives the head being moved.
struct Slice {
    uint16_t at = 0;
    uint16_t len = 0;
};

inline Bytes slice(Bytes head, Slice s) { return {head.p + s.at, s.len}; }

// The position of `part`, which lies inside `head`.
inline Slice slice_of(Bytes head, Bytes part) { return {uint16_t(part.p - head.p), uint16_t(part.len)}; }

struct Header {
    Slice name;   // a token, in the sender's case
    Slice value;  // without the white space around it; VCHAR, SP, HTAB and obs-text only (RFC 9110 §5.5)
};

// The line of a scanned head that begins at `at`, without its CRLF; `at` < head.len.
Bytes line_at(Bytes head, size_t at);

enum class HeaderLine : uint8_t { kHeader, kEnd, kMalformed };

// Reads the header line at `*at` of a scanned head and moves `*at` behind it.
//   kHeader     `*header` is set
//   kEnd        the empty line, behind which the head ends
//   kMalformed  no colon, or a name that is empty, not a token, or followed by white space (RFC 9112 §5.1)
[[nodiscard]] HeaderLine read_header_line(Bytes head, size_t* at, Header* header);

// Walks a comma-separated list (RFC 9110 §5.6.1) in one value: the next element without white space around it, empty
// ones skipped. False at the end. Quoted strings are kept whole.
bool next_element(Bytes* list, Bytes* element);

// Does the list have `token` as an element, ignoring case?
bool list_has(Bytes list, const char* token);

bool is_token(Bytes text);  // RFC 9110 §5.6.2; false for empty text

}  // namespace wsd::http
