// Close frames (§5.5.1, §7.4): which codes may stand in one, reading its payload and writing it.
#pragma once

#include "base/bytes.h"
#include "ws/kernels.h"
#include "ws/violation.h"

namespace wsd::ws {

constexpr uint16_t kCloseNoStatus = 1005;  // never on the wire: the frame had no code (§7.4.1)
constexpr uint16_t kCloseAbnormal = 1006;  // never on the wire: there was no close frame (§7.4.1)
constexpr size_t kCloseReasonMax = 123;    // 125 of a control frame less the code

// May this code stand in a close frame? 1000-1003 and 1007-1014 are registered, 3000-4999 are for libraries and
// applications (§7.4.2); 1004 is reserved, 1005, 1006 and 1015 are never sent.
constexpr bool close_code_valid(uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

struct ClosePayload {
    uint16_t code = kCloseNoStatus;
    Bytes reason;  // valid UTF-8, borrowed from the frame
};

// Reads the unmasked payload of a close frame; kDone or kViolation.
[[nodiscard]] Parse read_close(Bytes payload, const Kernels& kernels, ClosePayload* out, Violation* v);

// Writes a close frame's payload, at most 125 bytes, and returns its size. kCloseNoStatus gives an empty one.
// `reason` is at most kCloseReasonMax bytes.
size_t write_close(uint8_t* out, uint16_t code, Bytes reason);

}  // namespace wsd::ws
