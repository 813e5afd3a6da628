// The opening handshake seen from the server (§4.2): is a parsed request a good upgrade, which subprotocol may be
// chosen, and the accept value that the 101 carries. Who may come in is not decided here, and nothing is answered here.
#pragma once

#include "http/request.h"

namespace wsd::ws {

constexpr size_t kKeySize = 24;     // base64 of 16 bytes (§4.1)
constexpr size_t kAcceptSize = 28;  // base64 of a SHA-1 digest

// More subprotocols than this are refused: they must be distinct (§4.1), and comparing each with each must stay cheap.
constexpr size_t kSubprotocolsMax = 64;

struct UpgradeRules {
    bool allow_http10 = false;  // take an upgrade over HTTP/1.0, which §4.1 does not allow
};

// Judges a request whose Upgrade header lists "websocket" (§4.2.1).
//   kDone     a good upgrade: writes kAcceptSize characters to `accept`, without a NUL
//   kRefused  405 for a method other than GET; 426 for HTTP/1.0, and for a well-formed version other than 13 (the
//             answer must carry Sec-WebSocket-Version: 13 and Upgrade: websocket); 400 for anything else that is
//             missing, doubled or malformed: no such Upgrade, Connection without "upgrade", a body,
//             Sec-WebSocket-Version not one number from 0 to 255, Sec-WebSocket-Key not 16 bytes of base64,
//             Sec-WebSocket-Protocol not a list of 1 to kSubprotocolsMax distinct tokens, Sec-WebSocket-Extensions
//             that does not follow its grammar (§9.1)
// The version is judged before the key and the subprotocols, as another version's may look different.
[[nodiscard]] http::Step check_upgrade(Bytes head, const http::Request& request, const UpgradeRules& rules,
                                       char* accept, http::Refusal* refusal);

// Sec-WebSocket-Accept for `key` as sent, of kKeySize bytes: writes kAcceptSize characters, without a NUL
// (§4.2.2 item 5.4).
void accept_value(Bytes key, char* accept);

// The client's first offered subprotocol that `supported`, a comma-separated list, also has; empty if none. Case counts
// (§4.1).
Bytes choose_subprotocol(Bytes head, const http::Request& request, Bytes supported);

// Did the client offer exactly this subprotocol?
bool offers_subprotocol(Bytes head, const http::Request& request, Bytes name);

// Is every element of a comma-separated list a token, as §4.1 wants of subprotocols?
bool subprotocols_are_tokens(Bytes list);

}  // namespace wsd::ws
