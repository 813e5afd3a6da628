#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "deflate/inflate.h"
#include "support/guard_page.h"
#include "support/inflate_reader.h"
#include "support/json_messages.h"

using namespace wsd::deflate;
using test::Buffer;
using test::kReachMax;
using test::kTail;
using test::pseudo_random;
using test::zlib_deflated;
using test::ZlibDeflate;
using Reader = test::InflateReader;
using wsd::Bytes;

TEST_CASE("what zlib deflates inflates to itself, at every level and strategy, in every size") {
    const std::string noise = pseudo_random(600), json = test::json_messages(1, 4000)[0];
    for (size_t len = 0; len <= 600; len++) {
        CAPTURE(len);
        for (int level = 0; level <= 9; level++) {
            const std::string& from = (len + size_t(level)) % 4 ? json : noise;
            const std::string text = from.substr(0, len);
            Reader reader;
            CHECK(reader.feed(zlib_deflated(text, {.level = level}), len));
            CHECK((reader.text() == text && reader.at_boundary()));
        }
        for (const int strategy : {Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED}) {
            const std::string text = (len % 3 ? json : std::string(600, 'x')).substr(0, len);
            Reader reader;
            CHECK(reader.feed(zlib_deflated(text, {.strategy = strategy}), len + 300));
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
        CHECK(reader.feed(zlib_deflated(text, {.level = level}), text.size()));
        CHECK((reader.text() == text && reader.at_boundary()));
    }
}

TEST_CASE("the input may be cut anywhere, and the room be given by the byte") {
    const std::string text = test::json_messages(1, 3000)[0] + std::string(500, 'y') + pseudo_random(300);
    for (const ZlibDeflate how : {ZlibDeflate{}, ZlibDeflate{.level = 0}, ZlibDeflate{.strategy = Z_FIXED}}) {
        const Buffer stream = zlib_deflated(text, how);
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
    const Buffer stream = zlib_deflated(text);
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
    for (const ZlibDeflate how : {ZlibDeflate{}, ZlibDeflate{.level = 0}, ZlibDeflate{.strategy = Z_FIXED}}) {
        const Buffer stream = zlib_deflated(text, how);
        for (size_t room = 0; room <= text.size(); room++) {
            CAPTURE(room);
            Reader reader;
            reader.feed(stream, room);
            CHECK(reader.end == room);
            CHECK(reader.verdict == (room < text.size() ? Inflate::kNeedRoom : Inflate::kNeedInput));
        }
    }
    Output nowhere = {nullptr, 0, 0, kReachMax};
    Inflater inflater;
    inflater_reset(inflater);
    Bytes in = {kTail.data() + 1, 1};
    CHECK(inflate(inflater, &in, nowhere) == Inflate::kNeedInput);
    CHECK(in.len == 0);
}

TEST_CASE("a small message may be a large text: it stops at the room") {
    const Buffer bomb = zlib_deflated(std::string(4 << 20, 0), {.level = 9});
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
    for (const ZlibDeflate how : {ZlibDeflate{}, ZlibDeflate{.level = 0}, ZlibDeflate{.strategy = Z_FIXED}}) {
        const Buffer stream = zlib_deflated(text, how);
        test::GuardPage in_page(stream.size()), out_page(text.size());
        auto inflater = std::make_unique<Inflater>();
        for (size_t cut = 0; cut <= stream.size(); cut++) {
            for (const size_t room : {size_t(0), size_t(1), cut, text.size() / 2 + cut / 4, text.size()}) {
                inflater_reset(*inflater);
                Bytes in = {in_page.before_end(stream.data(), cut), cut};
                Output out = {out_page.before_end(text.data(), std::min(room, text.size())), 0, room, kReachMax};
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
        const Buffer stream = zlib_deflated(text, {.window_bits = bits});
        Reader reader;
        reader.reach = uint32_t(window);
        CHECK(reader.feed(stream, text.size()));
        CHECK(reader.text() == text);
    }
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

TEST_CASE("a last block may end a message, with or without a flush behind it") {
    const std::string text = test::json_messages(1, 500)[0];
    Buffer stream = zlib_deflated(text, {.flush = Z_FINISH});
    Reader reader;
    CHECK(reader.feed(stream, 600));
    CHECK(reader.at_boundary());
    stream = {0};  // RFC 7692 §7.2.3.4
    stream.insert(stream.end(), kTail.begin(), kTail.end());
    CHECK(reader.feed(stream, 600));
    CHECK(reader.at_boundary());
    CHECK(reader.feed(zlib_deflated(text), 600));
    CHECK(reader.text() == text + text);
}
