#include "deflate/inflate.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/guard_page.h"
#include "support/hex.h"
#include "support/json_messages.h"

using namespace wsd::deflate;
using wsd::Bytes;

namespace {

using Buffer = std::vector<uint8_t>;

constexpr size_t kReach = 32768;
const Buffer kTail = {0, 0, 0xff, 0xff};  // RFC 7692 §7.2.2

// A stream read into one buffer, with room as the test gives it.
struct Reader {
    std::unique_ptr<Inflater> inflater = std::make_unique<Inflater>();
    Buffer bytes;
    size_t end = 0;
    uint32_t reach = kReach;
    Inflate verdict = Inflate::kNeedInput;

    Reader() { inflater_reset(*inflater); }

    // All of `in`, with so much more room than there is output; true if it is all taken.
    bool feed(const Buffer& in, size_t more_room) {
        Bytes left = {in.data(), in.size()};
        feed(&left, more_room);
        return verdict == Inflate::kNeedInput && left.len == 0;
    }

    void feed(Bytes* in, size_t more_room) {
        bytes.resize(end + more_room);
        Output out = {bytes.data(), end, bytes.size(), reach};
        verdict = inflate(*inflater, in, out);
        REQUIRE(out.end >= end);
        REQUIRE(out.end <= bytes.size());
        end = out.end;
        bytes.resize(end);
    }

    bool at_boundary() const { return inflate_at_boundary(*inflater); }
    std::string text() const { return {bytes.begin(), bytes.end()}; }
};

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

struct Deflate {
    int level = 6;
    int strategy = Z_DEFAULT_STRATEGY;
    int window_bits = 15;
    int flush = Z_SYNC_FLUSH;
};

Buffer deflated(const std::string& text, const Deflate& how = {}) {
    z_stream z = {};
    REQUIRE(deflateInit2(&z, how.level, Z_DEFLATED, -how.window_bits, 8, how.strategy) == Z_OK);
    Buffer out(text.size() + text.size() / 8 + 1024);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = uInt(text.size());
    z.next_out = out.data();
    z.avail_out = uInt(out.size());
    REQUIRE(::deflate(&z, how.flush) >= Z_OK);
    REQUIRE(z.avail_out > 0);
    out.resize(out.size() - z.avail_out);
    deflateEnd(&z);
    return out;
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

std::string pseudo_random(size_t len, uint32_t seed = 1) {
    std::string text(len, 0);
    for (char& c : text) c = char((seed = seed * 1664525 + 1013904223) >> 24);
    return text;
}

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

TEST_CASE("what zlib deflates inflates to itself, at every level and strategy, in every size") {
    const std::string noise = pseudo_random(600), json = test::json_messages(1, 4000)[0];
    for (size_t len = 0; len <= 600; len++) {
        CAPTURE(len);
        for (int level = 0; level <= 9; level++) {
            const std::string& from = (len + size_t(level)) % 4 ? json : noise;
            const std::string text = from.substr(0, len);
            Reader reader;
            CHECK(reader.feed(deflated(text, {.level = level}), len));
            CHECK((reader.text() == text && reader.at_boundary()));
        }
        for (const int strategy : {Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED}) {
            const std::string text = (len % 3 ? json : std::string(600, 'x')).substr(0, len);
            Reader reader;
            CHECK(reader.feed(deflated(text, {.strategy = strategy}), len + 300));
            CHECK((reader.text() == text && reader.at_boundary()));
        }
    }
}

TEST_CASE("a large text, of all kinds of blocks") {
    std::string text = test::json_messages(1, 1 << 20, 7)[0] + pseudo_random(200000) + std::string(100000, 'x');
    for (int i = 2; i < 20; i++) text += pseudo_random(3000, uint32_t(i)) + pseudo_random(3000, uint32_t(i)).substr(i);
    for (int distance = 1; distance < 40; distance++) {
        const std::string period = pseudo_random(size_t(distance), uint32_t(distance));
        for (int i = 0; i < 400 / distance; i++) text += period;
    }
    for (int level = 0; level <= 9; level++) {
        CAPTURE(level);
        Reader reader;
        CHECK(reader.feed(deflated(text, {.level = level}), text.size()));
        CHECK((reader.text() == text && reader.at_boundary()));
    }
}

TEST_CASE("the input may be cut anywhere, and the room be given by the byte") {
    const std::string text = test::json_messages(1, 3000)[0] + std::string(500, 'y') + pseudo_random(300);
    for (const Deflate how : {Deflate{}, Deflate{.level = 0}, Deflate{.strategy = Z_FIXED}}) {
        const Buffer stream = deflated(text, how);
        for (const size_t in_step : {1, 2, 7, 100, 100000}) {
            for (const size_t room_step : {1, 2, 17, 300, 100000}) {
                Reader reader;
                for (size_t at = 0; at < stream.size();) {
                    const size_t len = std::min(in_step, stream.size() - at);
                    Bytes piece = {stream.data() + at, len};
                    do {
                        reader.feed(&piece, std::min(room_step, text.size() - reader.end));
                    } while (reader.verdict == Inflate::kNeedRoom && reader.end < text.size());
                    REQUIRE(reader.verdict == Inflate::kNeedInput);
                    at += len;
                }
                CHECK((reader.text() == text && reader.at_boundary()));
            }
        }
    }
}

TEST_CASE("a prefix says nothing that the whole does not, and its end is no boundary but between blocks") {
    const std::string text = test::json_messages(1, 1200)[0];
    const Buffer stream = deflated(text);
    for (size_t cut = 0; cut < stream.size(); cut++) {
        CAPTURE(cut);
        Reader reader;
        CHECK(reader.feed({stream.begin(), stream.begin() + ptrdiff_t(cut)}, text.size() + 1000));
        CHECK(text.compare(0, reader.end, reader.text()) == 0);
        CHECK(reader.at_boundary() == (cut == 0));
    }
}

TEST_CASE("room is asked for only if a byte more is sure to follow") {
    const std::string text = test::json_messages(1, 700)[0];
    for (const Deflate how : {Deflate{}, Deflate{.level = 0}, Deflate{.strategy = Z_FIXED}}) {
        const Buffer stream = deflated(text, how);
        for (size_t room = 0; room <= text.size(); room++) {
            CAPTURE(room);
            Reader reader;
            reader.feed(stream, room);
            CHECK(reader.end == room);
            CHECK(reader.verdict == (room < text.size() ? Inflate::kNeedRoom : Inflate::kNeedInput));
        }
    }
    Output nowhere = {nullptr, 0, 0, kReach};
    Inflater inflater;
    inflater_reset(inflater);
    Bytes in = {kTail.data() + 1, 1};
    CHECK(inflate(inflater, &in, nowhere) == Inflate::kNeedInput);
    CHECK(in.len == 0);
}

TEST_CASE("a small message may be a large text: it stops at the room") {
    const Buffer bomb = deflated(std::string(4 << 20, 0), {.level = 9});
    CHECK(bomb.size() < 5000);
    for (const size_t room : {0, 1, 257, 258, 259, 65536}) {
        Reader reader;
        CHECK_FALSE(reader.feed(bomb, room));
        CHECK(reader.verdict == Inflate::kNeedRoom);
        CHECK(reader.end == room);
    }
}

TEST_CASE("nothing is read past the input nor written past the room") {
    const std::string text = test::json_messages(1, 900)[0] + std::string(300, 'z') + "abcabcabcabcabcabcabc";
    for (const Deflate how : {Deflate{}, Deflate{.level = 0}, Deflate{.strategy = Z_FIXED}}) {
        const Buffer stream = deflated(text, how);
        test::GuardPage in_page(stream.size()), out_page(text.size());
        auto inflater = std::make_unique<Inflater>();
        for (size_t cut = 0; cut <= stream.size(); cut++) {
            for (const size_t room : {size_t(0), size_t(1), cut, text.size() / 2 + cut / 4, text.size()}) {
                inflater_reset(*inflater);
                Bytes in = {in_page.before_end(stream.data(), cut), cut};
                Output out = {out_page.before_end(text.data(), std::min(room, text.size())), 0, room, kReach};
                if (room > text.size()) continue;
                (void)inflate(*inflater, &in, out);
                CHECK((out.end <= room && text.compare(0, out.end, reinterpret_cast<char*>(out.p), out.end) == 0));
            }
        }
    }
}

TEST_CASE("a distance reaches as far as the window, and not to before the first byte") {
    for (int bits = 9; bits <= 15; bits++) {
        CAPTURE(bits);
        const size_t window = size_t(1) << bits;
        std::string text = pseudo_random(window);
        for (int i = 0; i < 3; i++) text += text.substr(text.size() - window + 300, 200);
        const Buffer stream = deflated(text, {.window_bits = bits});
        Reader reader;
        reader.reach = uint32_t(window);
        CHECK(reader.feed(stream, text.size()));
        CHECK(reader.text() == text);
    }
    // 'a' times `before`, and a match of three with the given distance, whose symbol has `extra_bits` after its code.
    const auto match = [](size_t before, unsigned symbol, unsigned extra, unsigned extra_bits) {
        Bits bits;
        bits.number(1, 1).number(1, 2);
        for (size_t i = 0; i < before; i++) bits.code(0x30 + 'a', 8);
        return bits.code(1, 7).code(symbol, 5).number(extra, extra_bits).code(0, 7).bytes;
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

TEST_CASE("a message leads to the next: their window is what lies in front of the output") {
    const std::vector<std::string> texts = test::json_messages(200, 700);
    z_stream z = {};
    REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, -12, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    auto inflater = std::make_unique<Inflater>();
    inflater_reset(*inflater);
    constexpr size_t kWindow = 4096;
    Buffer room(kWindow + 1500);
    size_t end = 0;
    for (const std::string& text : texts) {
        Buffer wire(3000);
        z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        z.avail_in = uInt(text.size());
        z.next_out = wire.data();
        z.avail_out = uInt(wire.size());
        REQUIRE(::deflate(&z, Z_SYNC_FLUSH) == Z_OK);
        wire.resize(wire.size() - z.avail_out - kTail.size());
        if (end > kWindow) {
            std::copy(room.begin() + ptrdiff_t(end - kWindow), room.begin() + ptrdiff_t(end), room.begin());
            end = kWindow;
        }
        Output out = {room.data(), end, end + text.size(), kWindow};
        Bytes in = {wire.data(), wire.size()};
        CHECK(inflate(*inflater, &in, out) == Inflate::kNeedInput);
        in = {kTail.data(), kTail.size()};
        CHECK(inflate(*inflater, &in, out) == Inflate::kNeedInput);
        CHECK(inflate_at_boundary(*inflater));
        CHECK(std::equal(text.begin(), text.end(), room.begin() + ptrdiff_t(end), room.begin() + ptrdiff_t(out.end),
                         [](char a, uint8_t b) { return uint8_t(a) == b; }));
        end = out.end;
    }
    deflateEnd(&z);
}

TEST_CASE("a match that waits for room does not outlive its window") {
    Reader reader;
    const Buffer stream = deflated(std::string(1000, 'a'));
    reader.feed(stream, 10);
    REQUIRE(reader.verdict == Inflate::kNeedRoom);
    reader.end = 0;  // all that the match refers to is dropped, against the contract
    Bytes nothing;
    reader.feed(&nothing, 100);
    CHECK(reader.verdict == Inflate::kMalformed);
}

TEST_CASE("what is malformed stays so until a reset") {
    Reader reader;
    reader.feed(test::hex("06"), 10);
    CHECK(reader.verdict == Inflate::kMalformed);
    CHECK_FALSE(reader.at_boundary());
    reader.feed(deflated("text"), 10);
    CHECK(reader.verdict == Inflate::kMalformed);
    inflater_reset(*reader.inflater);
    CHECK(reader.feed(deflated("text"), 10));
    CHECK(reader.text() == "text");
}

TEST_CASE("a last block may end a message, with or without a flush behind it") {
    const std::string text = test::json_messages(1, 500)[0];
    Buffer stream = deflated(text, {.flush = Z_FINISH});
    Reader reader;
    CHECK(reader.feed(stream, 600));
    CHECK(reader.at_boundary());
    stream = {0};  // RFC 7692 §7.2.3.4
    stream.insert(stream.end(), kTail.begin(), kTail.end());
    CHECK(reader.feed(stream, 600));
    CHECK(reader.at_boundary());
    CHECK(reader.feed(deflated(text), 600));
    CHECK(reader.text() == text + text);
}
