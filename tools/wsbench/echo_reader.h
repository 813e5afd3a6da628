// Counts the messages in what a server sends back. It looks at frame headers and steps over payloads, unless it is to
// compare them, so that reading costs the client as little as can be. No socket, no clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/bytes.h"
#include "ws/frame.h"

namespace wsbench {

// How to read.
struct EchoRules {
    bool raw = false;                      // no frames: every `raw_size` bytes are a message
    uint64_t raw_size = 0;                 // > 0 if raw
    uint8_t rsv_allowed = 0;               // RSV1 with compression
    const std::string* payload = nullptr;  // what every message has to say, WebSocket or raw; null: whatever
};

// What some bytes told.
struct Heard {
    uint64_t messages = 0;  // that ended among them
    bool pinged = false;
    bool closed = false;  // a close frame came; what followed it was not looked at
    uint8_t ping_len = 0;
    uint8_t ping[wsd::ws::kControlPayloadMax];  // payload of the last ping; older ones need no answer (§5.5.3)
    const char* wrong = nullptr;                // static: what no server may send, or a payload that was not sent to it
};

// Stands in the stream of one connection.
class EchoReader {
  public:
    // Bytes of a payload still to come, which may be thrown away unseen if skip() is told.
    uint64_t left() const { return left_; }

    // Reads on through `in`, adding to `*heard`. Not to be called again once `heard->wrong` or `heard->closed` is set.
    void read(const EchoRules& rules, wsd::Bytes in, Heard* heard) {
        in = drop(in, complete_carry(rules, in, heard));
        while (in.len > 0 && !heard->wrong && !heard->closed) {
            size_t used = 0;
            if (left_ > 0) {
                used = read_payload(rules, in, heard);
            } else if (rules.raw) {
                left_ = rules.raw_size;
                ends_message_ = true;
            } else {
                used = read_head(rules, in, heard);
                if (used == 0) return carry(in, heard);
            }
            in = drop(in, used);
        }
    }

    // Steps over `n` <= left() bytes of a payload.
    void skip(const EchoRules& rules, uint64_t n, Heard* heard) {
        left_ -= n;
        if (left_ == 0) end_payload(rules, heard);
    }

  private:
    static constexpr size_t kCarryMax = 2 + wsd::ws::kControlPayloadMax;
    static_assert(kCarryMax >= wsd::ws::kFrameHeaderMax);

    // Nothing is left of the payload in front, perhaps because it has no bytes.
    void end_payload(const EchoRules& rules, Heard* heard) {
        if (!ends_message_) return;
        if (rules.payload && compared_ != rules.payload->size()) heard->wrong = "a message of another length";
        compared_ = 0;
        heard->messages++;
    }

    // Returns how much of `in` belongs to the payload in front.
    size_t read_payload(const EchoRules& rules, wsd::Bytes in, Heard* heard) {
        const auto n = size_t(std::min<uint64_t>(left_, in.len));
        if (rules.payload) compare(*rules.payload, take(in, n), heard);
        skip(rules, n, heard);
        return n;
    }

    void compare(const std::string& expected, wsd::Bytes got, Heard* heard) {
        if (got.len > expected.size() - compared_ || std::memcmp(expected.data() + compared_, got.p, got.len) != 0) {
            heard->wrong = "a message that was not sent";
        } else {
            compared_ += got.len;
        }
    }

    // Reads what stands before the next payload: a frame header, or a whole control frame. Returns its size, or 0 when
    // it is torn or wrong.
    size_t read_head(const EchoRules& rules, wsd::Bytes in, Heard* heard) {
        wsd::ws::FrameHeader header;
        wsd::ws::Violation violation;
        const wsd::ws::FrameRules from_server = {.masked = false, .rsv_allowed = rules.rsv_allowed};
        const wsd::ws::Parse parse = read_frame_header(in, from_server, &header, &violation);
        if (parse == wsd::ws::Parse::kViolation) heard->wrong = violation.why;
        if (parse != wsd::ws::Parse::kDone) return 0;
        if (is_control(header.opcode)) {
            const auto len = size_t(header.payload_bytes);
            if (in.len - header.size < len) return 0;
            take_control(header.opcode, take(drop(in, header.size), len), heard);
            return header.size + len;
        }
        left_ = header.payload_bytes;
        ends_message_ = header.fin;
        if (left_ == 0) end_payload(rules, heard);
        return header.size;
    }

    static void take_control(wsd::ws::Opcode opcode, wsd::Bytes payload, Heard* heard) {
        if (opcode == wsd::ws::Opcode::kClose) heard->closed = true;
        if (opcode != wsd::ws::Opcode::kPing) return;
        heard->pinged = true;
        heard->ping_len = uint8_t(payload.len);
        if (payload.len) std::memcpy(heard->ping, payload.p, payload.len);
    }

    // Keeps a torn head for the bytes that follow.
    void carry(wsd::Bytes in, const Heard* heard) {
        if (heard->wrong) return;
        std::memcpy(carry_, in.p, in.len);
        carry_len_ = uint8_t(in.len);
    }

    // Finishes what the carry began, taking no more from `in` than that needs. Returns how much.
    size_t complete_carry(const EchoRules& rules, wsd::Bytes in, Heard* heard) {
        size_t used = 0;
        while (used < in.len && carry_len_ > 0 && !heard->wrong) {
            carry_[carry_len_++] = in.p[used++];
            if (read_head(rules, {carry_, carry_len_}, heard) > 0) carry_len_ = 0;
        }
        return used;
    }

    uint64_t left_ = 0;
    uint64_t compared_ = 0;      // bytes of the message in front
    bool ends_message_ = false;  // the payload in front is the last of its message
    uint8_t carry_len_ = 0;
    uint8_t carry_[kCarryMax];
};

}  // namespace wsbench
