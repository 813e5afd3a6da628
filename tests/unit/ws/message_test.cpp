#include "ws/message.h"

#include <doctest/doctest.h>

#include <string>

#include "ws/pmd.h"

using namespace wsd;
using namespace wsd::ws;

namespace {

const Kernels& kernels() { return *kernels_find("scalar"); }

FrameHeader first_frame(uint64_t bytes, bool fin = true) { return {Opcode::kText, fin, kRsv1, 6, 0, bytes}; }

Parse judge(Message& message, const std::string& text, bool last) {
    Violation v;
    return message_text(message, kernels(), bytes_of(text.c_str()), last, &v);
}

}  // namespace

TEST_CASE("what a compressed message's payload says is judged when it is inflated, not before (RFC 7692 §6.2)") {
    Message message{};
    Violation v;
    REQUIRE(message_frame(message, first_frame(2), {}, &v) == Parse::kDone);
    CHECK(message.compressed);
    uint8_t payload[] = {0xff, 0xfe};
    CHECK(message_take(message, kernels(), payload, sizeof payload, &v) == Parse::kDone);
    CHECK(message_complete(message));
    CHECK(judge(message, "a\xe2", false) == Parse::kDone);
    CHECK(judge(message, "\x82\xac", false) == Parse::kDone);
    CHECK(judge(message, "", true) == Parse::kDone);
}

TEST_CASE("inflated text is wrong at its first wrong byte, and at an end inside a character") {
    Message message{};
    Violation v;
    REQUIRE(message_frame(message, first_frame(1), {}, &v) == Parse::kDone);
    CHECK(judge(message, "a\xff", false) == Parse::kViolation);

    Message cut{};
    REQUIRE(message_frame(cut, first_frame(1), {}, &v) == Parse::kDone);
    CHECK(judge(cut, "a\xe2\x82", false) == Parse::kDone);
    CHECK(judge(cut, "", true) == Parse::kViolation);
}

TEST_CASE("the limit is for inflated bytes; how many came compressed says nothing") {
    const MessageLimits limits{.max_bytes = 10, .max_fragments = 2};
    Message message{};
    Violation v;
    CHECK(message_frame(message, first_frame(11, false), limits, &v) == Parse::kDone);
    message.frame_remaining = 0;
    const FrameHeader more{Opcode::kContinuation, false, 0, 6, 0, 100};
    CHECK(message_frame(message, more, limits, &v) == Parse::kDone);
    CHECK(message.compressed);
    CHECK(message_frame(message, more, limits, &v) == Parse::kViolation);  // fragments are counted all the same
    CHECK(v.fault == Fault::kTooManyFragments);
}
