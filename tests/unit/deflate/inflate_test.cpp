#include "deflate/inflate.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/hex.h"
#include "support/inflate_reader.h"

using namespace wsd::deflate;
using test::Buffer;
using test::zlib_deflated;
using Reader = test::InflateReader;
using wsd::Bytes;

namespace {

// What a stream comes to: its text, then "!" if it is malformed, "..." if it ends between two blocks no more than any
// byte may, "+" if it wants more room than 64 KiB and is not looked at further.
std::string shown(const Buffer& in) {
    Reader reader;
    reader.feed(in, 65536);
    const std::string text = reader.text();
    if (reader.verdict == Inflate::kMalformed) return text + "!";
    if (reader.verdict == Inflate::kNeedRoom) return text + "+";
    return reader.at_boundary() ? text : text + "...";
}

// Bits in the order of the stream: numbers from their lowest bit on, codes from their highest (§3.1.1).
struct Bits {
    Buffer bytes;
    unsigned count = 0;

    Bits& number(unsigned value, unsigned bits) {
        for (unsigned i = 0; i < bits; i++) bit(value >> i & 1);
        return *this;
    }
    Bits& code(unsigned value, unsigned bits) {
        for (unsigned i = bits; i > 0; i--) bit(value >> (i - 1) & 1);
        return *this;
    }
    void bit(unsigned value) {
        if (count % 8 == 0) bytes.push_back(0);
        bytes.back() |= uint8_t(value << count++ % 8);
    }
};

// The start of a block with codes of its own in which the code lengths 0, 1, 2 and the repeats 16, 17, 18 have codes of
// 3, 2, 2 and 3, 3, 3 bits: 0 is 100, 1 is 00, 2 is 01, 16 is 101, 17 is 110, 18 is 111.
Bits dynamic_block(unsigned hlit, unsigned hdist) {
    Bits bits;
    bits.number(1, 1).number(2, 2).number(hlit - 257, 5).number(hdist - 1, 5).number(18 - 4, 4);
    for (const unsigned length : {3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2}) bits.number(length, 3);
    return bits;
}
Bits& zeros(Bits& bits, unsigned count) {
    for (; count >= 11; count -= std::min(count, 138u)) bits.code(7, 3).number(std::min(count, 138u) - 11, 7);
    for (; count > 0; count--) bits.code(4, 3);
    return bits;
}
Bits& one(Bits& bits) { return bits.code(0, 2); }
Bits& two(Bits& bits) { return bits.code(1, 2); }

// A block's code from the length of each symbol, as §3.2.2 hands them out.
struct Code {
    std::vector<unsigned> lengths;

    void put(Bits& bits, size_t symbol) const {
        unsigned code = 0;
        for (unsigned length = 1; length <= lengths[symbol]; length++) {
            code <<= 1;
            for (size_t i = 0; i < lengths.size(); i++) {
                if (lengths[i] == length && (length < lengths[symbol] || i < symbol)) code++;
            }
        }
        bits.code(code, lengths[symbol]);
    }
};

struct Row {
    const char* section;
    const char* what;
    const char* hex;
    const char* shown;
};

const Row kRows[] = {
    {"3.2.3", "nothing", "", ""},
    {"3.2.3", "the tail of RFC 7692 behind nothing", "00 00 00 ff ff", ""},
    {"3.2.3", "the reserved block type", "06", "!"},
    {"3.2.3", "the reserved block type in a last block", "07", "!"},
    {"3.2.4", "a stored block", "00 0300 fcff 616263", "abc"},
    {"3.2.4", "a stored block of nothing", "01 0000 ffff", ""},
    {"3.2.4", "what fills up the byte is not looked at", "f8 0100 feff 61", "a"},
    {"3.2.4", "a size that is not the inverse of its check", "00 0300 fdff 616263", "!"},
    {"3.2.4", "a stored block cut in its size", "00 0300 fc", "..."},
    {"3.2.4", "a stored block cut in its bytes", "00 0300 fcff 6162", "ab..."},
    {"3.2.4", "two stored blocks", "00 0100 feff 61 01 0100 feff 62", "ab"},
    {"3.2.6", "a block with fixed codes", "4b4c4a06 00", "abc"},
    {"3.2.6", "the same, without the bits that are missing to its end", "4b4c4a06", "abc..."},
    {"3.2.6", "Hello, RFC 7692 §7.2.3.1", "f248cdc9c907 00 0000ffff", "Hello"},
    {"3.2.6", "a match, RFC 7692 §7.2.3.2 in one stream", "f248cdc9c907 00 0000ffff f200110000 0000ffff", "HelloHello"},
    {"3.2.6", "stored, RFC 7692 §7.2.3.3", "00 0500 faff 48656c6c6f 00 0000ffff", "Hello"},
    {"3.2.6", "a last block and a byte of 0, RFC 7692 §7.2.3.4", "f348cdc9c907 00 00 0000ffff", "Hello"},
    {"3.2.6", "two blocks in a message, RFC 7692 §7.2.3.5", "f24805000000ffffcac9c90700 0000ffff", "Hello"},
    {"3.2.6", "a last block, and another", "4b04 00 4b04 00", "aa"},
};

}  // namespace

TEST_CASE("blocks by hand") {
    for (const Row& row : kRows) {
        CAPTURE(row.section);
        CAPTURE(row.what);
        CHECK(shown(test::hex(row.hex)) == row.shown);
    }
}

TEST_CASE("§3.2.6: the symbols of the fixed codes that mean nothing are malformed") {
    const auto fixed = [] { return Bits().number(1, 1).number(1, 2).code(0x30 + 'a', 8); };
    CHECK(shown(fixed().code(1, 7).code(0, 5).code(0, 7).bytes) == "aaaa");
    CHECK(shown(fixed().code(0xc6, 8).bytes) == "a!");           // 286
    CHECK(shown(fixed().code(0xc7, 8).bytes) == "a!");           // 287
    CHECK(shown(fixed().code(1, 7).code(30, 5).bytes) == "a!");  // distances
    CHECK(shown(fixed().code(1, 7).code(31, 5).bytes) == "a!");  // these too
    CHECK(shown(fixed().code(1, 7).code(1, 5).bytes) == "a!");   // a distance of 2, behind one byte
    CHECK(shown(fixed().code(0xc5, 8).code(0, 5).code(0, 7).bytes) == std::string(259, 'a'));
    // 258 also as 284 with all its extra bits, which zlib takes as well.
    CHECK(shown(fixed().code(0xc4, 8).number(31, 5).code(0, 5).code(0, 7).bytes) == std::string(259, 'a'));
}

TEST_CASE("what is malformed is so in the middle of much input as well, and nothing of what follows it comes out") {
    const auto followed = [](Bits bits) {
        for (int i = 0; i < 100; i++) bits.code(0x30 + 'b', 8);
        return shown(bits.bytes);
    };
    const std::string before(100, 'a');
    Bits start;
    start.number(1, 1).number(1, 2);
    for (int i = 0; i < 100; i++) start.code(0x30 + 'a', 8);
    CHECK(followed(start) == before + std::string(100, 'b') + "...");
    CHECK(followed(Bits(start).code(0xc6, 8)) == before + "!");                        // the lengths 286
    CHECK(followed(Bits(start).code(0xc7, 8)) == before + "!");                        // and 287
    CHECK(followed(Bits(start).code(1, 7).code(30, 5)) == before + "!");               // the distances 30
    CHECK(followed(Bits(start).code(1, 7).code(31, 5)) == before + "!");               // and 31
    CHECK(followed(Bits(start).code(1, 7).code(13, 5).number(4, 5)) == before + "!");  // 101 bytes back
    CHECK(followed(Bits(start).code(1, 7).code(13, 5).number(3, 5)) == before + "aaa" + std::string(100, 'b') + "...");
    CHECK(followed(Bits(start).code(0, 7).number(0, 6).number(1, 1).number(3, 2)) == before + "!");  // a block
}

TEST_CASE("§3.2.7: code lengths") {
    Bits end_only = dynamic_block(257, 1);  // one code of one bit, for the end of the block, and no distance
    one(zeros(end_only, 256)).code(4, 3).code(0, 1);
    CHECK(shown(end_only.bytes) == "");

    Bits other_bit = dynamic_block(257, 1);
    one(zeros(other_bit, 256)).code(4, 3).code(1, 1);
    CHECK(shown(other_bit.bytes) == "!");

    Bits no_end = dynamic_block(257, 1);
    one(one(zeros(no_end, 97))), zeros(no_end, 158).code(4, 3).code(0, 8);
    CHECK(shown(no_end.bytes) == "!");

    Bits literal = dynamic_block(257, 1);  // 'a' and the end
    one(zeros(literal, 97)), one(zeros(literal, 158)).code(4, 3).code(0, 1).code(0, 1).code(1, 1);
    CHECK(shown(literal.bytes) == "aa");

    Bits gap = dynamic_block(257, 1);  // a code of two bits, and no other
    two(zeros(gap, 256)).code(4, 3).code(0, 8);
    CHECK(shown(gap.bytes) == "!");

    Bits crowded = dynamic_block(257, 1);  // three codes of one bit
    one(one(zeros(crowded, 97))), one(zeros(crowded, 157)).code(4, 3).code(0, 8);
    CHECK(shown(crowded.bytes) == "!");
}

TEST_CASE("§3.2.7: distances of a block") {
    const auto with_length = [](unsigned hdist) {  // 'a', the end and the length of 3 have 1, 2 and 2 bits
        Bits bits = dynamic_block(258, hdist);
        one(zeros(bits, 97)), two(two(zeros(bits, 158)));
        return bits;
    };
    Bits single = with_length(1);
    one(single).code(0, 1).code(3, 2).code(0, 1).code(2, 2);
    CHECK(shown(single.bytes) == "aaaa");

    Bits other_bit = with_length(1);
    one(other_bit).code(0, 1).code(3, 2).code(1, 1);
    CHECK(shown(other_bit.bytes) == "a!");

    Bits none = with_length(1);
    none.code(4, 3).code(0, 1).code(3, 2).code(0, 1);
    CHECK(shown(none.bytes) == "a!");

    Bits none_used = with_length(1);
    none_used.code(4, 3).code(0, 1).code(2, 2);
    CHECK(shown(none_used.bytes) == "a");

    Bits gap = with_length(1);
    two(gap).code(0, 1).code(2, 2);
    CHECK(shown(gap.bytes) == "!");

    Bits crowded = with_length(3);
    one(one(one(crowded))).code(0, 1).code(2, 2);
    CHECK(shown(crowded.bytes) == "!");
}

TEST_CASE("§3.2.7: repeats and counts out of range are malformed") {
    Bits nothing_before = dynamic_block(257, 1);
    nothing_before.code(5, 3).number(0, 2);
    CHECK(shown(nothing_before.bytes) == "!");

    Bits over = dynamic_block(257, 1);
    zeros(over, 255).code(7, 3).number(0, 7);
    CHECK(shown(over.bytes) == "!");

    Bits repeated_over = dynamic_block(257, 1);
    one(zeros(repeated_over, 256)).code(5, 3).number(0, 2);
    CHECK(shown(repeated_over.bytes) == "!");

    Bits into_distances =
        dynamic_block(257, 4);  // the end of the block, and then distances by a repeat: three of 1 bit
    one(zeros(into_distances, 256)).code(5, 3).number(0, 2).code(4, 3);
    CHECK(shown(into_distances.bytes) == "!");

    CHECK(shown(Bits().number(5, 3).number(30, 5).number(0, 5).number(0, 4).bytes) == "!");  // HLIT 287
    CHECK(shown(Bits().number(5, 3).number(0, 5).number(30, 5).number(0, 4).bytes) == "!");  // HDIST 31
    CHECK(shown(Bits().number(5, 3).number(29, 5).number(29, 5).number(0, 4).bytes) == "...");

    CHECK(shown(Bits().number(5, 3).number(0, 14).number(0, 12).bytes) == "!");      // no code at all
    CHECK(shown(Bits().number(5, 3).number(0, 14).number(1, 12).bytes) == "!");      // one of one bit
    CHECK(shown(Bits().number(5, 3).number(0, 14).number(01111, 12).bytes) == "!");  // four of one bit
}

TEST_CASE("a distance over the window, or to before the first byte, is malformed") {
    // 'a' times `before`, and a match of three with the given distance, whose symbol has `extra_bits` after its code.
    const auto match = [](size_t before, unsigned symbol, unsigned extra, unsigned extra_bits) {
        Bits bits;
        bits.number(1, 1).number(1, 2);
        for (size_t i = 0; i < before; i++) bits.code(0x30 + 'a', 8);
        bits.code(1, 7).code(symbol, 5).number(extra, extra_bits);
        for (int i = 0; i < 40; i++) bits.code(0x30 + 'b', 8);  // what would follow
        return bits.code(0, 7).bytes;
    };
    const auto accepted = [](const Buffer& stream, uint32_t reach) {
        Reader reader;
        reader.reach = reach;
        return reader.feed(stream, 70000);
    };
    CHECK(accepted(match(256, 15, 63, 6), 256));
    CHECK_FALSE(accepted(match(255, 15, 63, 6), 256));
    CHECK_FALSE(accepted(match(256, 15, 63, 6), 255));
    CHECK_FALSE(accepted(match(1000, 16, 0, 7), 256));  // 257
    CHECK(accepted(match(1000, 16, 0, 7), 257));
    CHECK(accepted(match(32768, 29, 8191, 13), 32768));
    CHECK_FALSE(accepted(match(32767, 29, 8191, 13), 32768));
    CHECK_FALSE(accepted(match(40000, 29, 8191, 13), 32767));
}

TEST_CASE("the longest symbols that there are, cut anywhere") {
    // 15 bits: a literal, the end of the block, and the length and the distance with most extra bits.
    const Code of_lengths = {{4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5}};
    Code litlen = {std::vector<unsigned>(286)}, distance = {std::vector<unsigned>(30)};
    for (unsigned i = 1; i <= 12; i++) litlen.lengths['a' + i] = distance.lengths[i] = i;
    for (const size_t symbol : {size_t('x'), size_t(256), size_t(284)}) litlen.lengths[symbol] = 15;
    litlen.lengths['y'] = litlen.lengths['z'] = 14;
    litlen.lengths[285] = 15;
    for (const size_t symbol : {20, 21, 28, 29}) distance.lengths[symbol] = 15;
    distance.lengths[22] = distance.lengths[23] = 14;

    Bits bits;
    const std::string window = test::pseudo_random(32768);
    bits.number(0, 8).number(0x8000, 16).number(0x7fff, 16);
    for (const char c : window) bits.number(uint8_t(c), 8);
    bits.number(4, 3).number(29, 5).number(29, 5).number(15, 4);
    for (const size_t symbol : {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}) {
        bits.number(of_lengths.lengths[symbol], 3);
    }
    for (const unsigned length : litlen.lengths) of_lengths.put(bits, length);
    for (const unsigned length : distance.lengths) of_lengths.put(bits, length);
    const size_t symbols_at = bits.bytes.size();
    std::string expected = window;
    // 'k' takes 10 bits, 'x' 15, and a match 48.
    for (const std::string literals :
         {"kk", "", "k", "kk", "x", "kkk", "kx", "xk", "kkx", "", "kk", "kk", "kk", "kk"}) {
        for (const char literal : literals) litlen.put(bits, uint8_t(literal));
        expected += literals;
        litlen.put(bits, 284);
        distance.put(bits.number(30, 5), 29);
        bits.number(8191, 13);
        for (int n = 0; n < 257; n++) expected += expected[expected.size() - 32768];
    }
    litlen.put(bits, 256);
    for (size_t cut = symbols_at; cut <= bits.bytes.size(); cut++) {
        CAPTURE(cut);
        Reader reader;
        CHECK(reader.feed({bits.bytes.begin(), bits.bytes.begin() + ptrdiff_t(cut)}, 65536));
        CHECK(reader.feed({bits.bytes.begin() + ptrdiff_t(cut), bits.bytes.end()}, 65536));
        CHECK(reader.text() == expected);
    }
}

TEST_CASE("a match that waits for room does not outlive its window") {
    Reader reader;
    const Buffer stream = zlib_deflated(std::string(1000, 'a'));
    reader.feed(stream, 10);
    REQUIRE(reader.verdict == Inflate::kNeedRoom);
    reader.end = 0;  // all that the match refers to is dropped, against the contract
    Bytes nothing;
    reader.feed(&nothing, 100);
    CHECK(reader.verdict == Inflate::kMalformed);
}

TEST_CASE("a tail is taken only where an empty stored block waits for it, and then as if it had been read") {
    struct Row {
        const char* what;
        Buffer stream;
        bool taken;
    };
    const Row rows[] = {
        {"nothing", {}, false},
        {"an empty message", {0x00}, true},
        {"a fixed block and a flush", {0x4a, 0x04, 0x00}, true},
        {"a fixed block that goes on", {0x4a, 0x04}, false},
        {"a flush with a byte of its tail", {0x00, 0x00}, false},
        {"a flush with all of its tail", {0x00, 0x00, 0x00, 0xff, 0xff}, false},
        {"a stored block that goes on", {0x00, 0x02, 0x00, 0xfd, 0xff, 'a'}, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Reader reader;
        reader.feed(row.stream, 100);
        const InflateStep step = reader.inflater->step;
        CHECK(inflate_tail(*reader.inflater) == row.taken);
        CHECK((reader.inflater->step == step) == !row.taken);
        if (!row.taken) continue;
        CHECK(reader.at_boundary());
        CHECK(reader.feed(zlib_deflated("next"), 100));
        CHECK(reader.text().ends_with("next"));
    }
}

TEST_CASE("what is malformed stays so until a reset") {
    Reader reader;
    reader.feed(test::hex("06"), 10);
    CHECK(reader.verdict == Inflate::kMalformed);
    CHECK_FALSE(reader.at_boundary());
    reader.feed(zlib_deflated("text"), 10);
    CHECK(reader.verdict == Inflate::kMalformed);
    inflater_reset(*reader.inflater);
    CHECK(reader.feed(zlib_deflated("text"), 10));
    CHECK(reader.text() == "text");
}
