// zlib as the judge of what was compressed: a peer that inflates messages as RFC 7692 §7.2.2 says.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

namespace test {

class ZlibInflate {
  public:
    // With 9..15 bits of window, which it remembers from message to message.
    explicit ZlibInflate(unsigned window_bits) {
        if (inflateInit2(&z_, -int(window_bits)) != Z_OK) std::abort();
    }
    ~ZlibInflate() { inflateEnd(&z_); }
    ZlibInflate(const ZlibInflate&) = delete;
    ZlibInflate& operator=(const ZlibInflate&) = delete;

    void forget() { inflateReset(&z_); }

    // What `packed` says, having been completed by `tail`; nothing if zlib finds a fault, it ends before its end, or
    // says more than `len` bytes.
    std::optional<std::vector<uint8_t>> inflate(const std::vector<uint8_t>& packed, size_t len, bool tail = true) {
        std::vector<uint8_t> plain(len + 1), in = packed;
        if (tail) in.insert(in.end(), {0x00, 0x00, 0xff, 0xff});
        z_.next_in = in.data();
        z_.avail_in = uInt(in.size());
        z_.next_out = plain.data();
        z_.avail_out = uInt(plain.size());
        const int result = ::inflate(&z_, Z_SYNC_FLUSH);
        // data_type tells of bits left over and of a stop inside a block: 128 is between two blocks, on a byte.
        const bool whole = (result == Z_OK || result == Z_BUF_ERROR) && z_.avail_in == 0 && z_.data_type == 128;
        if (!whole || z_.avail_out == 0) return std::nullopt;
        plain.resize(plain.size() - z_.avail_out);
        return plain;
    }

  private:
    z_stream z_ = {};
};

}  // namespace test
