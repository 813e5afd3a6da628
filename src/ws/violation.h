// What a peer can do wrong once the connection is open, and the close code that answers it.
#pragma once

#include <cstdint>

namespace wsd::ws {

// How far a step over bytes that are still arriving came.
enum class Parse : uint8_t { kDone, kNeedMore, kViolation };

enum class Fault : uint8_t {
    kNone,
    kFrame,              // masking, reserved bits, length encoding or order of frames (§5.1, §5.2, §5.4)
    kOpcode,             // reserved opcode (§5.2)
    kFrameTooLarge,      // over the frame limit (§10.4)
    kControlTooLong,     // control payload over 125 bytes (§5.5)
    kControlFragmented,  // control frame without FIN (§5.5)
    kMessageTooLarge,    // over the message limit (§10.4)
    kTooManyFragments,   // over the limit of frames in one message (§10.4)
    kDeflate,            // a compressed message that is no DEFLATE stream (RFC 7692 §7.2.2)
    kUtf8,               // text or close reason is not UTF-8 (§8.1)
    kClose,              // close frame with a half code or a code nobody may send (§5.5.1, §7.4)
};

// The code that a close frame carries for `fault` (§7.4.1); kNone has none and gives 0.
constexpr uint16_t close_code_of(Fault fault) {
    switch (fault) {
        case Fault::kNone: return 0;
        case Fault::kFrame:
        case Fault::kOpcode:
        case Fault::kControlTooLong:
        case Fault::kControlFragmented:
        case Fault::kClose: return 1002;
        case Fault::kDeflate:
        case Fault::kUtf8: return 1007;
        case Fault::kTooManyFragments: return 1008;
        case Fault::kFrameTooLarge:
        case Fault::kMessageTooLarge: return 1009;
    }
    return 1002;
}

struct Violation {
    Fault fault = Fault::kNone;
    const char* why = "";  // static, for the log only
};

inline Parse fail(Violation* v, Fault fault, const char* why) {
    *v = {fault, why};
    return Parse::kViolation;
}

}  // namespace wsd::ws
