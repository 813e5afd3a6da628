// Frame headers (§5.2): reading them with every rule that one header can break, and writing them for both roles.
// What a sequence of frames means is message.h's business.
#pragma once

#include "base/bytes.h"
#include "ws/violation.h"

namespace wsd::ws {

enum class Opcode : uint8_t {
    kContinuation = 0x0,
    kText = 0x1,
    kBinary = 0x2,
    kClose = 0x8,
    kPing = 0x9,
    kPong = 0xa,
};

constexpr bool is_control(Opcode opcode) { return uint8_t(opcode) & 0x08; }

constexpr size_t kFrameHeaderMax = 14;  // 2 + 8 for the length + 4 for the mask
constexpr size_t kControlPayloadMax = 125;

// What the reader of a connection insists on.
struct FrameRules {
    bool masked = true;       // a server's peer must mask, a client's must not (§5.1)
    uint8_t rsv_allowed = 0;  // reserved bits that a negotiated extension gave meaning, as in byte 0 (0x40: RSV1)
    uint64_t max_bytes = UINT64_MAX;  // of a data frame's payload
};

struct FrameHeader {
    Opcode opcode;
    bool fin;
    uint8_t rsv;    // as in byte 0
    uint8_t size;   // of the header itself
    uint32_t mask;  // in memory order, as the kernels take it; 0 when unmasked
    uint64_t payload_bytes;
};

// Reads the header at the start of `in`: all of it or nothing, so a torn one needs no state.
//   kDone       `*out` is set
//   kNeedMore   the header is cut, and what is there breaks no rule
//   kViolation  `*v` says which rule, as early as the bytes allow
[[nodiscard]] Parse read_frame_header(Bytes in, const FrameRules& rules, FrameHeader* out, Violation* v);

// Writes the header of a frame with `payload_bytes` to follow: at most kFrameHeaderMax - 4 bytes. Returns its size.
size_t write_frame_header(uint8_t* out, Opcode opcode, bool fin, uint8_t rsv, uint64_t payload_bytes);

// The client's form, at most kFrameHeaderMax bytes; the caller masks the payload with the same `mask`.
size_t write_masked_frame_header(uint8_t* out, Opcode opcode, bool fin, uint8_t rsv, uint64_t payload_bytes,
                                 uint32_t mask);

constexpr size_t frame_header_size(uint64_t payload_bytes) {
    return payload_bytes < 126 ? 2 : payload_bytes <= 0xffff ? 4 : 10;
}

}  // namespace wsd::ws
