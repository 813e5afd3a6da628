// From frames to messages (§5.4): what order frames may come in, how large a message may grow, and text judged across
// fragments while it arrives. It holds no payload: where the bytes go is its caller's choice.
#pragma once

#include "ws/frame.h"
#include "ws/kernels.h"

namespace wsd::ws {

struct MessageLimits {
    uint64_t max_bytes = UINT64_MAX;  // of payload, all fragments together
    uint32_t max_fragments = UINT32_MAX;
};

// A message on its way. All zero: none has begun.
struct Message {
    uint64_t bytes;            // declared by its frames so far, the current one included
    uint64_t frame_remaining;  // of the current frame's payload, not yet taken
    uint32_t mask;             // for the next payload byte
    uint32_t fragments;        // 0: no message
    Opcode opcode;             // kText or kBinary
    bool fin;                  // the current frame is the last
    bool compressed;           // its payload is DEFLATE (RFC 7692 §6.1); the caller inflates it
    Utf8State utf8;
};

// A data frame's header has come: begins a message or goes on with it.
//   kDone       message_take() may take up to frame_remaining bytes
//   kViolation  a continuation of nothing, a new message inside one, or a limit; how many bytes a compressed message
//               has is known only when they are inflated
[[nodiscard]] Parse message_frame(Message& message, const FrameHeader& header, const MessageLimits& limits,
                                  Violation* v);

// Unmasks `p[0, len)` in place, the next payload bytes of the current frame; `len` <= frame_remaining.
//   kDone       with the last byte of the last frame: message_complete()
//   kViolation  text that is wrong at a byte of this piece, or that ends inside a character; never if compressed
[[nodiscard]] Parse message_take(Message& message, const Kernels& kernels, uint8_t* p, size_t len, Violation* v);

// Judges the next inflated bytes of a compressed message; `last`: there are no more. Answers as message_take().
[[nodiscard]] Parse message_text(Message& message, const Kernels& kernels, Bytes text, bool last, Violation* v);

// A message that is one frame and lies whole in `p`: message_frame and message_take in one, for the most frequent case.
// `header` is of a text or binary frame with FIN and no reserved bit, and no message has begun.
[[nodiscard]] inline Parse message_whole(const FrameHeader& header, const MessageLimits& limits, const Kernels& kernels,
                                         uint8_t* p, Violation* v) {
    if (header.payload_bytes > limits.max_bytes) return fail(v, Fault::kMessageTooLarge, "message too large");
    const size_t len = size_t(header.payload_bytes);
    if (header.opcode != Opcode::kText) {
        kernels.unmask(p, len, header.mask);
    } else if (kernels.unmask_utf8(p, len, header.mask, kUtf8Start) != kUtf8Start) {
        return fail(v, Fault::kUtf8, "text is not UTF-8");
    }
    return Parse::kDone;
}

// All of it has been taken.
inline bool message_complete(const Message& message) { return message.fin && message.frame_remaining == 0; }

}  // namespace wsd::ws
