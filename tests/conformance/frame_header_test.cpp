// Every rule that one frame header can break, by section of RFC 6455, with the fault and the close code it gets.
#include <doctest/doctest.h>

#include "support/hex.h"
#include "ws/frame.h"

using namespace wsd;
using namespace wsd::ws;

namespace {

struct HeaderRow {
    const char* section;
    const char* what;
    const char* bytes;
    Fault fault;
    uint16_t close_code;  // 0: accepted
};

const FrameRules kPlain{.masked = true, .rsv_allowed = 0, .max_bytes = 0x20000};
const FrameRules kDeflate{.masked = true, .rsv_allowed = 0x40, .max_bytes = 0x20000};
const FrameRules kClient{.masked = false, .rsv_allowed = 0, .max_bytes = 0x20000};

const HeaderRow kServerRows[] = {
    {"5.1", "client frame not masked", "81 05", Fault::kFrame, 1002},
    {"5.1", "client ping not masked", "89 00", Fault::kFrame, 1002},
    {"5.2", "text", "81 85 00000000", Fault::kNone, 0},
    {"5.2", "binary", "82 85 00000000", Fault::kNone, 0},
    {"5.2", "first fragment", "01 85 00000000", Fault::kNone, 0},
    {"5.2", "continuation", "80 85 00000000", Fault::kNone, 0},
    {"5.2", "RSV1", "c1 85", Fault::kFrame, 1002},
    {"5.2", "RSV2", "a1 85", Fault::kFrame, 1002},
    {"5.2", "RSV3", "91 85", Fault::kFrame, 1002},
    {"5.2", "all reserved bits on a ping", "f9 80", Fault::kFrame, 1002},
    {"5.2", "opcode 3", "83 80", Fault::kOpcode, 1002},
    {"5.2", "opcode 4", "84 80", Fault::kOpcode, 1002},
    {"5.2", "opcode 5", "85 80", Fault::kOpcode, 1002},
    {"5.2", "opcode 6", "86 80", Fault::kOpcode, 1002},
    {"5.2", "opcode 7", "87 80", Fault::kOpcode, 1002},
    {"5.2", "opcode b", "8b 80", Fault::kOpcode, 1002},
    {"5.2", "opcode c", "8c 80", Fault::kOpcode, 1002},
    {"5.2", "opcode d", "8d 80", Fault::kOpcode, 1002},
    {"5.2", "opcode e", "8e 80", Fault::kOpcode, 1002},
    {"5.2", "opcode f", "8f 80", Fault::kOpcode, 1002},
    {"5.2", "16-bit form of 126", "81 fe 007e 00000000", Fault::kNone, 0},
    {"5.2", "16-bit form of 125", "81 fe 007d 00000000", Fault::kFrame, 1002},
    {"5.2", "16-bit form of 5", "81 fe 0005 00000000", Fault::kFrame, 1002},
    {"5.2", "16-bit form of 65535", "81 fe ffff 00000000", Fault::kNone, 0},
    {"5.2", "64-bit form of 65536", "81 ff 0000000000010000 00000000", Fault::kNone, 0},
    {"5.2", "64-bit form of 65535", "81 ff 000000000000ffff 00000000", Fault::kFrame, 1002},
    {"5.2", "64-bit form of 5", "81 ff 0000000000000005 00000000", Fault::kFrame, 1002},
    {"5.2", "top bit of the length", "81 ff 8000000000010000 00000000", Fault::kFrame, 1002},
    {"5.5", "ping of 125 bytes", "89 fd 00000000", Fault::kNone, 0},
    {"5.5", "ping of 126 bytes", "89 fe 007e 00000000", Fault::kControlTooLong, 1002},
    {"5.5", "ping in the 64-bit form", "89 ff", Fault::kControlTooLong, 1002},
    {"5.5", "close of 126 bytes", "88 fe", Fault::kControlTooLong, 1002},
    {"5.5", "pong of 126 bytes", "8a fe", Fault::kControlTooLong, 1002},
    {"5.5", "ping without FIN", "09 80", Fault::kControlFragmented, 1002},
    {"5.5", "pong without FIN", "0a 80", Fault::kControlFragmented, 1002},
    {"5.5", "close without FIN", "08 80", Fault::kControlFragmented, 1002},
    {"10.4", "frame at the limit", "82 ff 0000000000020000 00000000", Fault::kNone, 0},
    {"10.4", "frame over the limit", "82 ff 0000000000020001", Fault::kFrameTooLarge, 1009},
    {"10.4", "length of 2^63 - 1", "82 ff 7fffffffffffffff", Fault::kFrameTooLarge, 1009},
};

// With an extension that uses RSV1 (RFC 7692 §6.1).
const HeaderRow kDeflateRows[] = {
    {"7692 6.1", "RSV1 on text", "c1 85 00000000", Fault::kNone, 0},
    {"7692 6.1", "RSV1 on a first fragment", "42 85 00000000", Fault::kNone, 0},
    {"7692 6.1", "RSV1 on a continuation", "c0 85", Fault::kFrame, 1002},
    {"7692 6.1", "RSV1 on a ping", "c9 80", Fault::kFrame, 1002},
    {"7692 6.1", "RSV1 on a close", "c8 80", Fault::kFrame, 1002},
    {"5.2", "RSV2 all the same", "e1 85", Fault::kFrame, 1002},
};

const HeaderRow kClientRows[] = {
    {"5.1", "server frame masked", "81 85", Fault::kFrame, 1002},
    {"5.1", "server frame not masked", "81 05", Fault::kNone, 0},
};

template <size_t kCount>
void check_rows(const HeaderRow (&rows)[kCount], const FrameRules& rules) {
    for (const HeaderRow& row : rows) {
        CAPTURE(row.section);
        CAPTURE(row.what);
        const auto wire = test::hex(row.bytes);
        FrameHeader header;
        Violation v;
        const Parse parse = read_frame_header({wire.data(), wire.size()}, rules, &header, &v);
        CHECK(parse == (row.fault == Fault::kNone ? Parse::kDone : Parse::kViolation));
        CHECK(v.fault == row.fault);
        CHECK(close_code_of(v.fault) == row.close_code);
    }
}

}  // namespace

TEST_CASE("frame headers as a server reads them") { check_rows(kServerRows, kPlain); }
TEST_CASE("frame headers where RSV1 means compression") { check_rows(kDeflateRows, kDeflate); }
TEST_CASE("frame headers as a client reads them") { check_rows(kClientRows, kClient); }
