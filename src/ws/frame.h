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

constexpr uint8_t kRsv1 = 0x40;  // on the first frame of a compressed message (RFC 7692 §6.1)

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

// The header of most frames that a server gets: a whole text or binary message of less than 126 bytes. True reads it as
// read_frame_header would; false says nothing but that the long way has to be taken.
inline bool read_short_header(Bytes in, const FrameRules& rules, FrameHeader* out) {
    constexpr uint8_t kSize = 6;
    if (in.len < kSize || !rules.masked) return false;
    const uint8_t opcode = in.p[0] ^ 0x80;  // FIN and nothing beside it leave the opcode alone
    const uint8_t len = in.p[1] ^ 0x80;
    if ((opcode != uint8_t(Opcode::kText) && opcode != uint8_t(Opcode::kBinary)) || len >= 126) return false;
    if (len > rules.max_bytes) return false;
    uint32_t mask;
    std::memcpy(&mask, in.p + 2, sizeof mask);
    *out = {Opcode(opcode), true, 0, kSize, mask, len};
    return true;
}

// Writes the header of a frame with `payload_bytes` to follow: at most kFrameHeaderMax - 4 bytes. Returns its size.
size_t write_frame_header(uint8_t* out, Opcode opcode, bool fin, uint8_t rsv, uint64_t payload_bytes);

// The same for most frames that a server sends: a whole message of at most kShortMax bytes.
constexpr size_t kShortMax = 0xffff;
inline size_t write_short_header(uint8_t* out, Opcode opcode, size_t payload_bytes) {
    out[0] = uint8_t(0x80 | uint8_t(opcode));
    if (payload_bytes < 126) {
        out[1] = uint8_t(payload_bytes);
        return 2;
    }
    out[1] = 126;
    store_be16(out + 2, uint16_t(payload_bytes));
    return 4;
}

// The client's form, at most kFrameHeaderMax bytes; the caller masks the payload with the same `mask`.
size_t write_masked_frame_header(uint8_t* out, Opcode opcode, bool fin, uint8_t rsv, uint64_t payload_bytes,
                                 uint32_t mask);

constexpr size_t frame_header_size(uint64_t payload_bytes) {
    return payload_bytes < 126 ? 2 : payload_bytes <= 0xffff ? 4 : 10;
}

}  // namespace wsd::ws
