// The bytes of an HTTP/1.1 response (RFC 9112 §4), written into memory that the caller has measured for. There is no
// clock on this floor, so Date is a field like any other, and there is no chunked body: its length is always known.
#pragma once

#include "base/bytes.h"

namespace wsd::http {

struct Field {
    Bytes name;
    Bytes value;
};

struct Response {
    uint16_t status = 200;          // 100-599; 1xx, 204 and 304 have no body, whatever `body` says
    const Field* fields = nullptr;  // besides the ones below; borrowed
    size_t field_count = 0;
    Bytes body;              // borrowed; Content-Length is written even for an empty one
    bool close = false;      // writes Connection: close
    bool head_only = false;  // answers HEAD: the body's length without the body
    bool http10 = false;     // the request was HTTP/1.0: a connection kept open must be said to be
};

// The registered phrase for a status (RFC 9110 §15, RFC 6585), or "Unknown".
const char* reason_phrase(uint16_t status);

// Is `field` a token and a value without CR, LF, NUL and other controls? A field that is not must not be written:
// it could end the head early.
bool field_is_clean(const Field& field);

// The number of bytes write_response will write.
size_t response_size(const Response& response);

// Writes response_size() bytes to `out` and returns that number. Every field must be clean.
size_t write_response(const Response& response, uint8_t* out);

}  // namespace wsd::http
