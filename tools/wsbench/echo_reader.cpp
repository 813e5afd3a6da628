#include "echo_reader.h"

#include <algorithm>
#include <cstring>

namespace wsbench {
namespace {

using wsd::Bytes;
using wsd::ws::FrameHeader;
using wsd::ws::Opcode;
using wsd::ws::Parse;

// Nothing is left of the payload in front, perhaps because it has no bytes.
void end_payload(EchoReader& reader, const EchoRules& rules, Heard* heard) {
    if (!reader.ends_message) return;
    if (rules.payload && reader.compared != rules.payload->size()) heard->wrong = "a message of another length";
    reader.compared = 0;
    heard->messages++;
}

void compare(EchoReader& reader, const std::string& expected, Bytes got, Heard* heard) {
    const bool fits = got.len <= expected.size() - reader.compared;
    if (!fits || std::memcmp(expected.data() + reader.compared, got.p, got.len) != 0) {
        heard->wrong = "a message that was not sent";
    }
    reader.compared += fits ? got.len : 0;
}

void take_control(const FrameHeader& header, Bytes payload, Heard* heard) {
    if (header.opcode == Opcode::kClose) heard->closed = true;
    if (header.opcode != Opcode::kPing) return;
    heard->pinged = true;
    heard->ping_len = uint8_t(payload.len);
    if (payload.len) std::memcpy(heard->ping, payload.p, payload.len);
}

// Reads what stands before the next payload to skip: a frame header, or a whole control frame. Returns its size, or 0
// when it is torn or wrong.
size_t read_head(EchoReader& reader, const EchoRules& rules, Bytes in, Heard* heard) {
    FrameHeader header;
    wsd::ws::Violation violation;
    const wsd::ws::FrameRules from_server = {.masked = false};
    const Parse parse = read_frame_header(in, from_server, &header, &violation);
    if (parse == Parse::kViolation) heard->wrong = violation.why;
    if (parse != Parse::kDone) return 0;
    if (is_control(header.opcode)) {
        if (in.len - header.size < header.payload_bytes) return 0;
        const size_t payload_len = size_t(header.payload_bytes);
        take_control(header, take(drop(in, header.size), payload_len), heard);
        return header.size + payload_len;
    }
    reader.skip = header.payload_bytes;
    reader.ends_message = header.fin;
    if (reader.skip == 0) end_payload(reader, rules, heard);
    return header.size;
}

// Finishes what the carry began, taking no more from `in` than that needs. Returns how much.
size_t complete_carry(EchoReader& reader, const EchoRules& rules, Bytes in, Heard* heard) {
    size_t used = 0;
    while (used < in.len && reader.carry_len > 0 && !heard->wrong) {
        reader.carry[reader.carry_len++] = in.p[used++];
        if (read_head(reader, rules, {reader.carry, reader.carry_len}, heard) > 0) reader.carry_len = 0;
    }
    return used;
}

}  // namespace

void skip_payload(EchoReader& reader, const EchoRules& rules, uint64_t n, Heard* heard) {
    reader.skip -= n;
    if (reader.skip == 0) end_payload(reader, rules, heard);
}

void read_echoes(EchoReader& reader, const EchoRules& rules, Bytes in, Heard* heard) {
    in = drop(in, complete_carry(reader, rules, in, heard));
    while (in.len > 0 && !heard->wrong && !heard->closed) {
        if (reader.skip > 0) {
            const Bytes payload = take(in, size_t(std::min<uint64_t>(reader.skip, in.len)));
            if (rules.payload) compare(reader, *rules.payload, payload, heard);
            skip_payload(reader, rules, payload.len, heard);
            in = drop(in, payload.len);
        } else if (rules.raw) {
            reader.skip = rules.raw_size;
            reader.ends_message = true;
        } else if (const size_t head = read_head(reader, rules, in, heard)) {
            in = drop(in, head);
        } else if (!heard->wrong) {
            std::memcpy(reader.carry, in.p, in.len);
            reader.carry_len = uint8_t(in.len);
            return;
        }
    }
}

}  // namespace wsbench
