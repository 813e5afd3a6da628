// The opening handshake seen from a client (§4.1), for the tools and tests that act as one: the request, and whether
// the answer opens the connection. It follows no redirect and answers no 401.
#pragma once

#include "base/bytes.h"

namespace wsd::ws {

// What a request says, written as it is.
struct ClientRequest {
    const char* host;                    // a Host value
    const char* target;                  // in origin form
    const char* key;                     // base64 of 16 random bytes
    const char* subprotocols = nullptr;  // a list, or null
    const char* extensions = nullptr;    // a list of offers, or null
};

// Writes at most `size` bytes and returns the number, or 0 if it does not fit.
size_t write_client_request(const ClientRequest& request, uint8_t* out, size_t size);

// Is `head`, whose end http::scan_head has found, the answer that opens the connection for `key`: 101, Upgrade that is
// "websocket", Connection with "upgrade", the one right accept value, and no extension but the one called `offered`, if
// that is not null? Whether its parameters and the subprotocol are good answers is the caller's to judge.
[[nodiscard]] bool check_client_response(Bytes head, const char* key, const char* offered = nullptr);

}  // namespace wsd::ws
