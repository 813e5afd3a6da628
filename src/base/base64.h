// Base64 with the standard alphabet and padding (RFC 4648 §4), strict: no white space, no missing padding,
// and the bits that padding leaves over must be zero.
#pragma once

#include "base/bytes.h"

namespace wsd {

constexpr size_t base64_encoded_size(size_t len) { return (len + 2) / 3 * 4; }

// Writes base64_encoded_size(in.len) characters to `out`, without a NUL.
void base64_encode(Bytes in, char* out);

// Decodes into `out`, which has room for in.len / 4 * 3 bytes. False for text that is not base64,
// after which `out` holds nothing of use; true sets `*out_len`.
[[nodiscard]] bool base64_decode(Bytes in, uint8_t* out, size_t* out_len);

}  // namespace wsd
