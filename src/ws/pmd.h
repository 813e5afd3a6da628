// permessage-deflate as it is negotiated (RFC 7692 §5, §7.1): which of a client's offers is taken, and what the answer
// says. The compressing itself is floor deflate's, and whose memory it uses the server's.
#pragma once

#include "http/request.h"

namespace wsd::ws {

constexpr uint8_t kWindowBitsMin = 8;  // RFC 7692 §7.1.2
constexpr uint8_t kWindowBitsMax = 15;

// What a receiver appends to a message's payload, and a sender left off (RFC 7692 §7.2.1, §7.2.2).
constexpr uint8_t kMessageTail[] = {0x00, 0x00, 0xff, 0xff};

// What the server is ready to do, and then what both have agreed on; whether windows were offered is known only then.
struct Pmd {
    bool server_takeover = false;  // may messages to the client refer to earlier ones?
    bool client_takeover = false;  // and messages from it?
    uint8_t server_bits = kWindowBitsMax;
    uint8_t client_bits = kWindowBitsMax;
    bool server_bits_offered = false;  // then the answer must name the server's window (RFC 7692 §7.1.2.1)
    bool client_bits_offered = false;  // only then may it name the client's (RFC 7692 §7.1.2.2)
};

// Takes the first offer that can be taken (RFC 7692 §5): never more takeover and never larger windows than `ready` and
// the offer allow. An offer with an unknown, doubled or malformed parameter is passed over (RFC 7692 §7.1), as is one
// that escapes a digit by a backslash. False if none is left: the connection goes on without the extension.
// A client that does not say that it can limit its window keeps the largest, whatever `ready` wants.
[[nodiscard]] bool choose_offer(Bytes head, const http::Request& request, const Pmd& ready, Pmd* agreed);

// Writes the answer's Sec-WebSocket-Extensions: exactly what is in force. At most kPmdAnswerMax bytes, without a NUL;
// returns their number.
constexpr size_t kPmdAnswerMax = 128;
size_t write_answer(const Pmd& agreed, char* out);

}  // namespace wsd::ws
