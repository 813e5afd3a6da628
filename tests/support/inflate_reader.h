// A DEFLATE stream read into one buffer, with room as the test gives it; and streams to read, made by zlib.
#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <memory>
#include <string>
#include <vector>

#include "deflate/inflate.h"

namespace test {

using Buffer = std::vector<uint8_t>;

constexpr size_t kReachMax = 32768;
inline const Buffer kTail = {0, 0, 0xff, 0xff};  // RFC 7692 §7.2.2

struct InflateReader {
    std::unique_ptr<wsd::deflate::Inflater> inflater = std::make_unique<wsd::deflate::Inflater>();
    Buffer bytes;
    size_t end = 0;
    uint32_t reach = kReachMax;
    wsd::deflate::Inflate verdict = wsd::deflate::Inflate::kNeedInput;

    InflateReader() { wsd::deflate::inflater_reset(*inflater); }

    // All of `in`, with so much more room than there is output; true if it is all taken.
    bool feed(const Buffer& in, size_t more_room) {
        wsd::Bytes left = {in.data(), in.size()};
        feed(&left, more_room);
        return verdict == wsd::deflate::Inflate::kNeedInput && left.len == 0;
    }

    void feed(wsd::Bytes* in, size_t more_room) {
        bytes.resize(end + more_room);
        wsd::deflate::Output out = {bytes.data(), end, bytes.size(), reach};
        verdict = wsd::deflate::inflate(*inflater, in, out);
        REQUIRE(out.end >= end);
        REQUIRE(out.end <= bytes.size());
        end = out.end;
        bytes.resize(end);
    }

    bool at_boundary() const { return wsd::deflate::inflate_at_boundary(*inflater); }
    std::string text() const { return {bytes.begin(), bytes.end()}; }
};

struct ZlibDeflate {
    int level = 6;
    int strategy = Z_DEFAULT_STRATEGY;
    int window_bits = 15;
    int flush = Z_SYNC_FLUSH;
};

inline Buffer zlib_deflated(const std::string& text, const ZlibDeflate& how = {}) {
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

inline std::string pseudo_random(size_t len, uint32_t seed = 1) {
    std::string text(len, 0);
    for (char& c : text) c = char((seed = seed * 1664525 + 1013904223) >> 24);
    return text;
}

}  // namespace test
