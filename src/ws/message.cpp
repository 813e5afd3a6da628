#include "ws/message.h"

#include "base/assert.h"

namespace wsd::ws {

Parse message_frame(Message& message, const FrameHeader& header, const MessageLimits& limits, Violation* v) {
    if (header.opcode == Opcode::kContinuation) {
        if (message.fragments == 0) return fail(v, Fault::kFrame, "continuation of no message");  // §5.4
        if (message.fragments >= limits.max_fragments) return fail(v, Fault::kTooManyFragments, "too many fragments");
    } else {
        if (message.fragments != 0) return fail(v, Fault::kFrame, "new message inside a fragmented one");  // §5.4
        message = {};
        message.opcode = header.opcode;
        message.utf8 = kUtf8Start;
    }
    // Two comparisons, as the sum of two lengths that a peer chose could wrap.
    if (header.payload_bytes > limits.max_bytes || message.bytes > limits.max_bytes - header.payload_bytes) {
        return fail(v, Fault::kMessageTooLarge, "message too large");
    }
    message.bytes += header.payload_bytes;
    message.fragments++;
    message.frame_remaining = header.payload_bytes;
    message.mask = header.mask;
    message.fin = header.fin;
    return Parse::kDone;
}

Parse message_take(Message& message, const Kernels& kernels, uint8_t* p, size_t len, Violation* v) {
    WSD_ASSERT(len <= message.frame_remaining);
    message.frame_remaining -= len;
    if (message.opcode == Opcode::kText) {
        message.utf8 = kernels.unmask_utf8(p, len, message.mask, message.utf8);
        if (message.utf8 == kUtf8Invalid) return fail(v, Fault::kUtf8, "text is not UTF-8");
        if (message_complete(message) && message.utf8 != kUtf8Start) {
            return fail(v, Fault::kUtf8, "text ends inside a character");
        }
    } else {
        kernels.unmask(p, len, message.mask);
    }
    message.mask = rotate_mask(message.mask, len);
    return Parse::kDone;
}

}  // namespace wsd::ws
