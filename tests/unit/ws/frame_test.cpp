#include "ws/frame.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/guard_page.h"
#include "support/hex.h"

using namespace wsd;
using namespace wsd::ws;

namespace {

const FrameRules kRules{.masked = true, .rsv_allowed = 0x40, .max_bytes = 100000};

}  // namespace

TEST_CASE("a frame header cut at any byte asks for more, and is not read past its end") {
    for (const char* const wire : {"82 85 01020304", "82 fe 0100 01020304", "81 ff 0000000000010000 01020304"}) {
        const auto bytes = test::hex(wire);
        test::GuardPage page(bytes.size());
        for (size_t cut = 0; cut <= bytes.size(); cut++) {
            CAPTURE(wire);
            CAPTURE(cut);
            FrameHeader header;
            Violation v;
            const Parse parse = read_frame_header({page.before_end(bytes.data(), cut), cut}, kRules, &header, &v);
            CHECK(parse == (cut == bytes.size() ? Parse::kDone : Parse::kNeedMore));
        }
    }
}

TEST_CASE("what is written reads back, for both roles and every length form") {
    for (const uint64_t len : {0, 1, 125, 126, 127, 65535, 65536, 100000}) {
        for (const Opcode opcode : {Opcode::kContinuation, Opcode::kText, Opcode::kBinary}) {
            for (const bool fin : {false, true}) {
                CAPTURE(len);
                CAPTURE(int(opcode));
                const uint8_t rsv = opcode == Opcode::kContinuation ? 0 : 0x40;
                uint8_t wire[kFrameHeaderMax];
                FrameHeader header;
                Violation v;

                size_t size = write_frame_header(wire, opcode, fin, rsv, len);
                CHECK(size == frame_header_size(len));
                FrameRules client = kRules;
                client.masked = false;
                REQUIRE(read_frame_header({wire, size}, client, &header, &v) == Parse::kDone);
                CHECK(header.mask == 0);

                size = write_masked_frame_header(wire, opcode, fin, rsv, len, 0x3d21fa37);
                REQUIRE(read_frame_header({wire, size}, kRules, &header, &v) == Parse::kDone);
                CHECK(header.opcode == opcode);
                CHECK(header.fin == fin);
                CHECK(header.rsv == rsv);
                CHECK(header.mask == 0x3d21fa37);
                CHECK(header.payload_bytes == len);
                CHECK(header.size == size);
            }
        }
    }
}

TEST_CASE("for every first two bytes, a prefix asks for more or says what the whole says") {
    for (unsigned first = 0; first < 0x10000; first++) {
        // Lengths that are good in every form: 0x100 and 0x10000.
        const uint8_t len7 = first & 0x7f;
        std::vector<uint8_t> wire{uint8_t(first >> 8), uint8_t(first)};
        if (len7 == 126) wire.insert(wire.end(), {1, 0});
        if (len7 == 127) wire.insert(wire.end(), {0, 0, 0, 0, 0, 1, 0, 0});
        wire.insert(wire.end(), {9, 9, 9, 9});
        FrameHeader header;
        Violation whole, part;
        const Parse decided = read_frame_header({wire.data(), wire.size()}, kRules, &header, &whole);
        for (size_t cut = 0; cut < wire.size(); cut++) {
            const Parse early = read_frame_header({wire.data(), cut}, kRules, &header, &part);
            if (early == Parse::kNeedMore) continue;
            REQUIRE(early == decided);
            if (early == Parse::kViolation) REQUIRE(part.fault == whole.fault);
        }
        REQUIRE(decided != Parse::kNeedMore);
    }
}

TEST_CASE("the short way reads what the long way reads, and nothing else") {
    const FrameRules rules_of[] = {kRules, {.masked = true, .max_bytes = 100}, {.masked = false}};
    for (const FrameRules& rules : rules_of) {
        for (unsigned first = 0; first < 0x10000; first++) {
            const uint8_t wire[] = {uint8_t(first >> 8), uint8_t(first), 1, 2, 3, 4};
            FrameHeader quick, full;
            Violation v;
            if (!read_short_header({wire, sizeof wire}, rules, &quick)) continue;
            REQUIRE(read_frame_header({wire, sizeof wire}, rules, &full, &v) == Parse::kDone);
            REQUIRE(quick.opcode == full.opcode);
            REQUIRE(quick.fin == full.fin);
            REQUIRE(quick.rsv == full.rsv);
            REQUIRE(quick.size == full.size);
            REQUIRE(quick.mask == full.mask);
            REQUIRE(quick.payload_bytes == full.payload_bytes);
        }
        const uint8_t text[] = {0x81, 0xfd, 1, 2, 3, 4};
        FrameHeader header;
        CHECK(read_short_header({text, 6}, rules, &header) == (rules.masked && rules.max_bytes >= 125));
        CHECK_FALSE(read_short_header({text, 5}, rules, &header));
    }
}

TEST_CASE("the short way writes what the long way writes") {
    for (const Opcode opcode : {Opcode::kText, Opcode::kBinary}) {
        for (size_t len = 0; len <= 0xffff; len++) {
            uint8_t quick[kFrameHeaderMax] = {}, full[kFrameHeaderMax] = {};
            REQUIRE(write_short_header(quick, opcode, len) == write_frame_header(full, opcode, true, 0, len));
            REQUIRE(std::equal(std::begin(quick), std::end(quick), full));
        }
    }
}
