// The opening handshake seen from a client (§4.1), for the tools and tests that act as one: the request, and whether
// the answer opens the connection. It offers no extension, follows no redirect and answers no 401.
#pragma once

#include "base/bytes.h"

namespace wsd::ws {

// The request. `host` is a Host value, `target` in origin form, `key` base64 of 16 random bytes, `subprotocols` a list
// or null; they are written as they are. Writes at most `size` bytes and returns the number, or 0 if it does not fit.
size_t write_client_request(const char* host, const char* target, const char* key, const char* subprotocols,
                            uint8_t* out, size_t size);

// Is `head`, whose end http::scan_head has found, the answer that opens the connection for `key`: 101, Upgrade that is
// "websocket", Connection with "upgrade", the one right accept value and no extension, as none was offered? Whether
// its subprotocol was among those offered is the caller's to judge.
[[nodiscard]] bool check_client_response(Bytes head, const char* key);

}  // namespace wsd::ws
