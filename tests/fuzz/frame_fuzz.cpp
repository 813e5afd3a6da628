// A stream of frames through the codecs as a receiver drives them. Whatever the bytes and however they are cut: the
// same messages come out, and the stream breaks the same rule at the same place.
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ws/close.h"
#include "ws/message.h"

using namespace wsd;
using namespace wsd::ws;

namespace {

const FrameRules kRules{.masked = true, .rsv_allowed = 0, .max_bytes = 4096};
const MessageLimits kLimits{.max_bytes = 8192, .max_fragments = 64};

// All that a receiver can tell of a stream.
struct Told {
    std::string events;  // messages, control frames, and the fault that ended it
    bool over = false;
};

struct Receiver {
    std::vector<uint8_t> waiting;  // too little to use yet
    Message message{};
    std::string payload;
    Told told;

    void fail(const Violation& v) {
        told.events += "fault " + std::to_string(int(v.fault)) + "\n";
        told.over = true;
    }

    void control(const FrameHeader& header, uint8_t* p) {
        const size_t len = size_t(header.payload_bytes);
        kernels_find(nullptr)->unmask(p, len, header.mask);
        told.events += "control " + std::to_string(int(header.opcode)) + std::string(p, p + len) + "\n";
        if (header.opcode != Opcode::kClose) return;
        ClosePayload close;
        Violation v;
        if (read_close({p, len}, *kernels_find(nullptr), &close, &v) == Parse::kViolation) return fail(v);
        told.over = true;
    }

    // Takes a piece of the frame that is open; returns its size.
    size_t piece(uint8_t* p, size_t len) {
        const size_t n = len < message.frame_remaining ? len : size_t(message.frame_remaining);
        Violation v;
        if (message_take(message, *kernels_find(nullptr), p, n, &v) == Parse::kViolation) {
            fail(v);
            return len;
        }
        payload.append(p, p + n);
        if (message_complete(message)) {
            told.events += "message " + std::to_string(int(message.opcode)) + payload + "\n";
            message = {};
            payload.clear();
        }
        return n;
    }

    // Uses one frame or a piece of one; 0 if there is too little.
    size_t step(uint8_t* p, size_t len) {
        if (message.frame_remaining) return piece(p, len);
        FrameHeader header;
        Violation v;
        const Parse parse = read_frame_header({p, len}, kRules, &header, &v);
        if (parse == Parse::kNeedMore) return 0;
        if (parse == Parse::kViolation) {
            fail(v);
            return len;
        }
        if (is_control(header.opcode)) {
            if (len - header.size < header.payload_bytes) return 0;
            control(header, p + header.size);
            return header.size + size_t(header.payload_bytes);
        }
        if (message_frame(message, header, kLimits, &v) == Parse::kViolation) {
            fail(v);
            return len;
        }
        return header.size + piece(p + header.size, len - header.size);
    }

    void receive(const uint8_t* data, size_t len) {
        waiting.insert(waiting.end(), data, data + len);
        size_t at = 0;
        while (at < waiting.size() && !told.over) {
            const size_t used = step(waiting.data() + at, waiting.size() - at);
            if (used == 0) break;
            at += used;
        }
        waiting.erase(waiting.begin(), waiting.begin() + long(at));
    }
};

// A piece of text may break a rule before its frame is whole, so the bytes told of differ with the cuts only in what
// never became an event: events must be equal once all has been received.
std::string told_of(const uint8_t* data, size_t len, size_t cut_seed) {
    Receiver receiver;
    for (size_t at = 0; at < len && !receiver.told.over;) {
        size_t n = cut_seed == 0 ? len : 1 + (cut_seed * 2654435761u + at) % (cut_seed * 7);
        if (n > len - at) n = len - at;
        receiver.receive(data + at, n);
        at += n;
    }
    return receiver.told.events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t len) {
    const std::string whole = told_of(data, len, 0);
    for (const size_t cut_seed : {1, 2, 5}) {
        if (told_of(data, len, cut_seed) != whole) std::abort();
    }
    // A prefix tells a beginning of what the whole tells.
    for (size_t cut = 0; cut < len; cut += 1 + len / 16) {
        const std::string part = told_of(data, cut, 0);
        if (whole.compare(0, part.size(), part) != 0) std::abort();
    }
    return 0;
}
