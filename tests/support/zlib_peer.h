// A peer's compression as most of them have it: zlib's, fed and ended as RFC 7692 §7.2 says.
#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <string>
#include <string_view>

namespace test {

class ZlibDeflater {
  public:
    // zlib has no raw window of 256 bytes: 8 bits are 9 to it.
    explicit ZlibDeflater(int bits = 15, bool takeover = true, int level = 6) : takeover_(takeover) {
        REQUIRE(deflateInit2(&z_, level, Z_DEFLATED, -(bits < 9 ? 9 : bits), 8, Z_DEFAULT_STRATEGY) == Z_OK);
    }
    ~ZlibDeflater() { deflateEnd(&z_); }
    ZlibDeflater(const ZlibDeflater&) = delete;
    ZlibDeflater& operator=(const ZlibDeflater&) = delete;

    // A piece of a message; the last one ends without 00 00 ff ff.
    std::string piece(std::string_view plain, bool last) {
        std::string out(deflateBound(&z_, plain.size()) + 64, '\0');
        z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
        z_.avail_in = uInt(plain.size());
        z_.next_out = reinterpret_cast<Bytef*>(out.data());
        z_.avail_out = uInt(out.size());
        // Without input since the last flush zlib refuses to flush again.
        const int result = deflate(&z_, Z_SYNC_FLUSH);
        REQUIRE((result == Z_OK || result == Z_BUF_ERROR));
        REQUIRE(z_.avail_in == 0);
        out.resize(out.size() - z_.avail_out);
        if (last) {
            if (out.empty()) {
                out = std::string(1, '\0');  // RFC 7692 §7.2.3.6
            } else {
                REQUIRE(out.substr(out.size() - 4) == std::string("\0\0\xff\xff", 4));
                out.resize(out.size() - 4);
            }
            if (!takeover_) deflateReset(&z_);
        }
        return out;
    }
    std::string message(std::string_view plain) { return piece(plain, true); }

  private:
    z_stream z_ = {};
    bool takeover_;
};

class ZlibInflater {
  public:
    explicit ZlibInflater(int bits = 15, bool takeover = true) : takeover_(takeover) {
        REQUIRE(inflateInit2(&z_, -bits) == Z_OK);
    }
    ~ZlibInflater() { inflateEnd(&z_); }
    ZlibInflater(const ZlibInflater&) = delete;
    ZlibInflater& operator=(const ZlibInflater&) = delete;

    // A whole message's payload; "(malformed)" if zlib refuses it.
    std::string message(std::string payload) {
        payload.append("\0\0\xff\xff", 4);
        std::string plain;
        char out[65536];
        z_.next_in = reinterpret_cast<Bytef*>(payload.data());
        z_.avail_in = uInt(payload.size());
        int result = Z_OK;
        do {
            z_.next_out = reinterpret_cast<Bytef*>(out);
            z_.avail_out = sizeof out;
            result = inflate(&z_, Z_SYNC_FLUSH);
            if (result != Z_OK && result != Z_BUF_ERROR) return "(malformed)";
            plain.append(out, sizeof out - z_.avail_out);
        } while (z_.avail_out == 0);
        if (z_.avail_in) return "(malformed)";
        if (!takeover_) inflateReset(&z_);
        return plain;
    }

  private:
    z_stream z_ = {};
    bool takeover_;
};

}  // namespace test
