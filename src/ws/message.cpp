#include "ws/message.h"

#include "base/assert.h"

namespace wsd::ws {
namespace {

Parse judge_text(const Message& message, bool last, Violation* v) {
    if (message.utf8 == kUtf8Invalid) return fail(v, Fault::kUtf8, "text is not UTF-8");
    if (last && message.utf8 != kUtf8Start) return fail(v, Fault::kUtf8, "text ends inside a character");
    return Parse::kDone;
}

}  // namespace

Parse message_frame(Message& message, const FrameHeader& header, const MessageLimits& limits, Violation* v) {
    if (header.opcode == Opcode::kContinuation) {
        if (message.fragments == 0) return fail(v, Fault::kFrame, "continuation of no message");  // §5.4
        if (message.fragments >= limits.max_fragments) return fail(v, Fault::kTooManyFragments, "too many fragments");
    } else {
        if (message.fragments != 0) return fail(v, Fault::kFrame, "new message inside a fragmented one");  // §5.4
        message = {};
        message.opcode = header.opcode;
        message.utf8 = kUtf8Start;
        message.compressed = header.rsv & kRsv1;
    }
    // Two comparisons, as the sum of two lengths that a peer chose could wrap.
    const bool larger =
        header.payload_bytes > limits.max_bytes || message.bytes > limits.max_bytes - header.payload_bytes;
    if (larger && !message.compressed) {
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
    const uint32_t mask = message.mask;
    message.mask = rotate_mask(mask, len);
    if (message.opcode == Opcode::kText && !message.compressed) {
        message.utf8 = kernels.unmask_utf8(p, len, mask, message.utf8);
        return judge_text(message, message_complete(message), v);
    }
    kernels.unmask(p, len, mask);
    return Parse::kDone;
}

Parse message_text(Message& message, const Kernels& kernels, Bytes text, bool last, Violation* v) {
    if (message.opcode != Opcode::kText) return Parse::kDone;
    message.utf8 = kernels.utf8(text.p, text.len, message.utf8);
    return judge_text(message, last, v);
}

}  // namespace wsd::ws
