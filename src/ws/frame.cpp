#include "ws/frame.h"

#include "base/assert.h"

namespace wsd::ws {
namespace {

constexpr uint8_t kFin = 0x80;
constexpr uint8_t kRsv = 0x70;
constexpr uint8_t kOpcodeBits = 0x0f;
constexpr uint8_t kControl = 0x08;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
constexpr uint8_t kLength16 = 126;  // the length follows in 2 bytes
constexpr uint8_t kLength64 = 127;  // in 8

// Bit n: opcode n means something (§5.2). The others are reserved.
constexpr uint16_t kKnownOpcodes = 1u << 0x0 | 1u << 0x1 | 1u << 0x2 | 1u << 0x8 | 1u << 0x9 | 1u << 0xa;

// The rules that the first two bytes can break.
Parse check_first_bytes(uint8_t b0, uint8_t b1, const FrameRules& rules, Violation* v) {
    const uint8_t opcode = b0 & kOpcodeBits;
    if (!(kKnownOpcodes >> opcode & 1)) return fail(v, Fault::kOpcode, "reserved opcode");
    // An extension gives a bit meaning on the first frame of a message only (RFC 7692 §6.1).
    const bool first_data = opcode == uint8_t(Opcode::kText) || opcode == uint8_t(Opcode::kBinary);
    if (b0 & kRsv & ~(first_data ? rules.rsv_allowed : 0)) return fail(v, Fault::kFrame, "reserved bit set");
    if (bool(b1 & kMasked) != rules.masked) {
        return fail(v, Fault::kFrame, rules.masked ? "client frame not masked" : "server frame masked");  // §5.1
    }
    if (opcode & kControl) {
        if (!(b0 & kFin)) return fail(v, Fault::kControlFragmented, "control frame fragmented");  // §5.5
        if ((b1 & kLengthBits) > kControlPayloadMax) return fail(v, Fault::kControlTooLong, "control frame over 125");
    }
    return Parse::kDone;
}

}  // namespace

Parse read_frame_header(Bytes in, const FrameRules& rules, FrameHeader* out, Violation* v) {
    if (in.len < 2) return Parse::kNeedMore;
    const uint8_t b0 = in.p[0];
    const uint8_t b1 = in.p[1];
    const Parse first = check_first_bytes(b0, b1, rules, v);
    if (first != Parse::kDone) return first;

    uint64_t payload_bytes = b1 & kLengthBits;
    size_t size = 2;
    if (payload_bytes == kLength16) {
        size = 4;
        if (in.len < size) return Parse::kNeedMore;
        payload_bytes = load_be16(in.p + 2);
        if (payload_bytes < kLength16) return fail(v, Fault::kFrame, "length not in its shortest form");  // §5.2
    } else if (payload_bytes == kLength64) {
        size = 10;
        if (in.len < size) return Parse::kNeedMore;
        payload_bytes = load_be64(in.p + 2);
        if (payload_bytes >> 63) return fail(v, Fault::kFrame, "length with its top bit set");  // §5.2
        if (payload_bytes <= 0xffff) return fail(v, Fault::kFrame, "length not in its shortest form");
    }
    if (payload_bytes > rules.max_bytes && !(b0 & kControl)) return fail(v, Fault::kFrameTooLarge, "frame too large");

    uint32_t mask = 0;
    if (rules.masked) {
        if (in.len < size + sizeof mask) return Parse::kNeedMore;
        std::memcpy(&mask, in.p + size, sizeof mask);
        size += sizeof mask;
    }
    *out = {Opcode(b0 & kOpcodeBits), (b0 & kFin) != 0, uint8_t(b0 & kRsv), uint8_t(size), mask, payload_bytes};
    return Parse::kDone;
}

size_t write_frame_header(uint8_t* out, Opcode opcode, bool fin, uint8_t rsv, uint64_t payload_bytes) {
    WSD_ASSERT(payload_bytes >> 63 == 0);
    if (payload_bytes <= kShortMax) {
        (void)write_short_header(out, opcode, size_t(payload_bytes));
    } else {
        out[1] = kLength64;
        store_be64(out + 2, payload_bytes);
    }
    out[0] = uint8_t((fin ? kFin : 0) | rsv | uint8_t(opcode));
    return frame_header_size(payload_bytes);
}

size_t write_masked_frame_header(uint8_t* out, Opcode opcode, bool fin, uint8_t rsv, uint64_t payload_bytes,
                                 uint32_t mask) {
    const size_t size = write_frame_header(out, opcode, fin, rsv, payload_bytes);
    out[1] |= kMasked;
    std::memcpy(out + size, &mask, sizeof mask);
    return size + sizeof mask;
}

}  // namespace wsd::ws
