// What a sequence of frames may be (RFC 6455 §5.4, §8.1, §10.4) and what a close frame may hold (§5.5.1, §7.4), by
// section, with the fault and the close code.
#include "ws/message.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/hex.h"
#include "ws/close.h"

using namespace wsd;
using namespace wsd::ws;

namespace {

struct Frame {
    Opcode opcode;
    bool fin;
    std::string payload;
};

struct Row {
    const char* section;
    const char* what;
    std::vector<Frame> frames;
    Fault fault;
    uint16_t close_code;  // 0: accepted
};

constexpr auto kText = Opcode::kText;
constexpr auto kBinary = Opcode::kBinary;
constexpr auto kMore = Opcode::kContinuation;

const Row kRows[] = {
    {"5.4", "one frame", {{kText, true, "whole"}}, Fault::kNone, 0},
    {"5.4", "three fragments", {{kText, false, "a"}, {kMore, false, "b"}, {kMore, true, "c"}}, Fault::kNone, 0},
    {"5.4", "empty fragments", {{kText, false, ""}, {kMore, false, ""}, {kMore, true, ""}}, Fault::kNone, 0},
    {"5.4", "two messages", {{kText, true, "a"}, {kBinary, true, "b"}}, Fault::kNone, 0},
    {"5.4", "continuation of nothing", {{kMore, true, "a"}}, Fault::kFrame, 1002},
    {"5.4", "continuation after the end", {{kText, true, "a"}, {kMore, true, "b"}}, Fault::kFrame, 1002},
    {"5.4", "text inside a text", {{kText, false, "a"}, {kText, true, "b"}}, Fault::kFrame, 1002},
    {"5.4", "binary inside a text", {{kText, false, "a"}, {kBinary, false, "b"}}, Fault::kFrame, 1002},
    {"8.1", "a character over two fragments", {{kText, false, "\xe6\xbc"}, {kMore, true, "\xa2"}}, Fault::kNone, 0},
    {"8.1", "the same bytes as binary, cut", {{kBinary, true, "\xe6\xbc"}}, Fault::kNone, 0},
    {"8.1", "text that ends inside a character", {{kText, true, "\xe6\xbc"}}, Fault::kUtf8, 1007},
    {"8.1", "over fragments too", {{kText, false, "\xe6"}, {kMore, true, "\xbc"}}, Fault::kUtf8, 1007},
    {"8.1", "a wrong byte in a later fragment", {{kText, false, "a"}, {kMore, false, "\xff"}}, Fault::kUtf8, 1007},
    {"8.1", "a surrogate", {{kText, true, "\xed\xa0\x80"}}, Fault::kUtf8, 1007},
    {"8.1", "an overlong form", {{kText, true, "\xc0\xaf"}}, Fault::kUtf8, 1007},
    {"8.1", "past U+10FFFF", {{kText, true, "\xf4\x90\x80\x80"}}, Fault::kUtf8, 1007},
    {"10.4",
     "a message at the limit",
     {{kBinary, false, std::string(60, 'x')}, {kMore, true, std::string(40, 'x')}},
     Fault::kNone,
     0},
    {"10.4",
     "a message over the limit",
     {{kBinary, false, std::string(60, 'x')}, {kMore, true, std::string(41, 'x')}},
     Fault::kMessageTooLarge,
     1009},
    {"10.4", "one frame over the limit", {{kBinary, true, std::string(101, 'x')}}, Fault::kMessageTooLarge, 1009},
    {"10.4",
     "fragments at the limit",
     {{kText, false, ""}, {kMore, false, ""}, {kMore, false, ""}, {kMore, true, ""}},
     Fault::kNone,
     0},
    {"10.4",
     "fragments over the limit",
     {{kText, false, ""}, {kMore, false, ""}, {kMore, false, ""}, {kMore, false, ""}, {kMore, true, ""}},
     Fault::kTooManyFragments,
     1008},
};

const MessageLimits kLimits{.max_bytes = 100, .max_fragments = 4};

// The fault of a sequence of frames whose payloads come in pieces of `step` bytes.
Fault fault_of(const std::vector<Frame>& frames, size_t step) {
    Message message{};
    Violation v;
    for (const Frame& frame : frames) {
        const uint32_t mask = 0x12345678;
        std::string wire = frame.payload;
        kernels_find("scalar")->unmask(reinterpret_cast<uint8_t*>(wire.data()), wire.size(), mask);
        const FrameHeader header{frame.opcode, frame.fin, 0, 6, mask, wire.size()};
        if (message_frame(message, header, kLimits, &v) == Parse::kViolation) return v.fault;
        size_t at = 0;
        do {
            const size_t n = std::min(step, wire.size() - at);
            uint8_t* const p = reinterpret_cast<uint8_t*>(wire.data()) + at;
            if (message_take(message, *kernels_find(nullptr), p, n, &v) == Parse::kViolation) return v.fault;
            at += n;
        } while (at < wire.size());
        CHECK(wire == frame.payload);
        CHECK(message_complete(message) == frame.fin);
        if (message_complete(message)) message = {};
    }
    return Fault::kNone;
}

struct CloseRow {
    const char* section;
    const char* what;
    const char* bytes;
    Fault fault;
    uint16_t code;  // what was read, or the close code of the fault
};

const CloseRow kCloseRows[] = {
    {"5.5.1", "empty", "", Fault::kNone, 1005},
    {"5.5.1", "half a code", "03", Fault::kClose, 1002},
    {"7.4.1", "1000", "03e8", Fault::kNone, 1000},
    {"7.4.1", "with a reason", "03e8 6f6b", Fault::kNone, 1000},
    {"8.1", "reason not UTF-8", "03e8 ff", Fault::kUtf8, 1007},
    {"8.1", "reason cut inside a character", "03e8 e6bc", Fault::kUtf8, 1007},
    {"7.4.1", "1003", "03eb", Fault::kNone, 1003},
    {"7.4.1", "1004, reserved", "03ec", Fault::kClose, 1002},
    {"7.4.1", "1005, never sent", "03ed", Fault::kClose, 1002},
    {"7.4.1", "1006, never sent", "03ee", Fault::kClose, 1002},
    {"7.4.1", "1007", "03ef", Fault::kNone, 1007},
    {"7.4.1", "1011", "03f3", Fault::kNone, 1011},
    {"7.4.1", "1014", "03f6", Fault::kNone, 1014},
    {"7.4.1", "1015, never sent", "03f7", Fault::kClose, 1002},
    {"7.4.2", "0", "0000", Fault::kClose, 1002},
    {"7.4.2", "999", "03e7", Fault::kClose, 1002},
    {"7.4.2", "1016", "03f8", Fault::kClose, 1002},
    {"7.4.2", "2999", "0bb7", Fault::kClose, 1002},
    {"7.4.2", "3000", "0bb8", Fault::kNone, 3000},
    {"7.4.2", "4999", "1387", Fault::kNone, 4999},
    {"7.4.2", "5000", "1388", Fault::kClose, 1002},
    {"7.4.2", "65535", "ffff", Fault::kClose, 1002},
};

}  // namespace

TEST_CASE("sequences of frames, whole and a byte at a time") {
    for (const Row& row : kRows) {
        CAPTURE(row.section);
        CAPTURE(row.what);
        CHECK(fault_of(row.frames, 1000) == row.fault);
        CHECK(fault_of(row.frames, 1) == row.fault);
        CHECK(close_code_of(row.fault) == row.close_code);
    }
}

TEST_CASE("close frames") {
    for (const CloseRow& row : kCloseRows) {
        CAPTURE(row.section);
        CAPTURE(row.what);
        const auto payload = test::hex(row.bytes);
        ClosePayload close;
        Violation v;
        const Parse parse = read_close({payload.data(), payload.size()}, *kernels_find(nullptr), &close, &v);
        CHECK(parse == (row.fault == Fault::kNone ? Parse::kDone : Parse::kViolation));
        CHECK(v.fault == row.fault);
        CHECK((row.fault == Fault::kNone ? close.code : close_code_of(v.fault)) == row.code);
    }
}

TEST_CASE("a close payload reads back as it was written") {
    uint8_t wire[125];
    ClosePayload close;
    Violation v;
    CHECK(write_close(wire, kCloseNoStatus, {}) == 0);
    const size_t len = write_close(wire, 4001, bytes_of("replaced"));
    REQUIRE(read_close({wire, len}, *kernels_find(nullptr), &close, &v) == Parse::kDone);
    CHECK(close.code == 4001);
    CHECK(equal(close.reason, bytes_of("replaced")));
}
