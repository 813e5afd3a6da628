// Counts the messages in what a server sends back. It looks at frame headers and steps over payloads, unless it is to
// compare them, so that reading costs the client as little as can be. No socket, no clock.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "ws/frame.h"

namespace wsbench {

// How to read.
struct EchoRules {
    bool raw = false;                      // no frames: every `raw_size` bytes are a message
    uint64_t raw_size = 0;                 // > 0 if raw
    const std::string* payload = nullptr;  // what every message has to say, WebSocket or raw; null: whatever
};

// Where in the stream of one connection the reader stands.
struct EchoReader {
    uint64_t skip = 0;        // bytes of a payload still to come
    uint64_t compared = 0;    // bytes of the message that have been compared
    bool ends_message = false;  // the payload being skipped is the last of its message
    uint8_t carry_len = 0;
    uint8_t carry[2 + wsd::ws::kControlPayloadMax];  // a torn header or control frame
};

// What some bytes told.
struct Heard {
    uint64_t messages = 0;        // that ended among them
    bool pinged = false;
    bool closed = false;          // a close frame came; what followed it was not looked at
    uint8_t ping_len = 0;
    uint8_t ping[wsd::ws::kControlPayloadMax];  // payload of the last ping; older ones need no answer (§5.5.3)
    const char* wrong = nullptr;  // static: what no server may send, or a payload that is not the one sent
};

// Reads on through `in`, adding to `*heard`. Not to be called again once `heard->wrong` or `heard->closed` is set.
void read_echoes(EchoReader& reader, const EchoRules& rules, wsd::Bytes in, Heard* heard);

// Steps over `n` <= reader.skip bytes of a payload that have been received and thrown away unseen.
void skip_payload(EchoReader& reader, const EchoRules& rules, uint64_t n, Heard* heard);

}  // namespace wsbench
