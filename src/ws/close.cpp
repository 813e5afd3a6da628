#include "ws/close.h"

#include "base/assert.h"

namespace wsd::ws {

Parse read_close(Bytes payload, const Kernels& kernels, ClosePayload* out, Violation* v) {
    *out = {};
    if (payload.len == 0) return Parse::kDone;
    if (payload.len == 1) return fail(v, Fault::kClose, "close frame with half a code");  // §5.5.1
    out->code = load_be16(payload.p);
    if (!close_code_valid(out->code)) return fail(v, Fault::kClose, "close code that may not be sent");
    out->reason = drop(payload, 2);
    if (kernels.utf8(out->reason.p, out->reason.len, kUtf8Start) != kUtf8Start) {
        return fail(v, Fault::kUtf8, "close reason is not UTF-8");
    }
    return Parse::kDone;
}

size_t write_close(uint8_t* out, uint16_t code, Bytes reason) {
    if (code == kCloseNoStatus) return 0;
    WSD_ASSERT(reason.len <= kCloseReasonMax);
    store_be16(out, code);
    if (reason.len) std::memcpy(out + 2, reason.p, reason.len);
    return 2 + reason.len;
}

}  // namespace wsd::ws
