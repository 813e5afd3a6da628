// RFC 1951 read bit by bit, as plainly as it can be written: it tells what zlib does not, how far back anything refers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace test {

struct PlainInflated {
    std::vector<uint8_t> bytes;
    size_t farthest = 0;  // the greatest distance
};

class PlainInflate {
  public:
    explicit PlainInflate(const std::vector<uint8_t>& packed) : in_(packed) {}

    // All blocks up to the end of the bytes, none of which is the last; `out.bytes` may hold what came before.
    // False: not what a compressor may write.
    bool run(PlainInflated& out) {
        while (at_ < in_.size() * 8) {
            if (bits(1) != 0) return false;
            const uint32_t form = bits(2);
            if (form == 0 ? !stored(out) : form == 1 ? !fixed(out) : form != 2 || !dynamic(out)) return false;
        }
        return !short_;
    }

  private:
    // For each code its symbol; a code is kept as 1 << len | its bits, first bit highest.
    using Codes = std::vector<int>;

    uint32_t bits(unsigned count) {
        uint32_t value = 0;
        for (unsigned i = 0; i < count; i++, at_++) {
            if (at_ >= in_.size() * 8) {
                short_ = true;
            } else {
                value |= uint32_t(in_[at_ / 8] >> at_ % 8 & 1) << i;
            }
        }
        return value;
    }

    // Nothing for lengths of a code that is not complete.
    static std::optional<Codes> codes(const uint8_t* lens, unsigned count) {
        Codes codes(1u << 16, -1);
        uint32_t code = 0, room = 0;
        for (unsigned len = 1; len <= 15; len++, code <<= 1) {
            for (unsigned s = 0; s < count; s++) {
                if (lens[s] != len) continue;
                if (code >> len) return std::nullopt;
                codes[1u << len | code++] = int(s);
                room += 1u << (15 - len);
            }
        }
        if (room != 1u << 15) return std::nullopt;
        return codes;
    }

    int symbol(const Codes& codes) {
        uint32_t code = 1;
        for (unsigned len = 1; len <= 15; len++) {
            code = code << 1 | bits(1);
            if (codes[code] >= 0) return codes[code];
        }
        return -1;
    }

    bool stored(PlainInflated& out) {
        at_ = (at_ + 7) / 8 * 8;
        const uint32_t len = bits(16);
        if (bits(16) != (~len & 0xffff)) return false;
        for (uint32_t i = 0; i < len && !short_; i++) out.bytes.push_back(uint8_t(bits(8)));
        return !short_;
    }

    bool fixed(PlainInflated& out) {
        std::array<uint8_t, 288> lens;
        for (unsigned s = 0; s < 288; s++) lens[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
        const std::vector<uint8_t> fives(32, 5);
        return symbols(*codes(lens.data(), 288), *codes(fives.data(), 32), out);
    }

    bool dynamic(PlainInflated& out) {
        const uint32_t literals = 257 + bits(5), distances = 1 + bits(5), told = 4 + bits(4);
        if (literals > 286 || distances > 30) return false;
        constexpr uint8_t kOrder[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        uint8_t run_lens[19] = {};
        for (uint32_t i = 0; i < told; i++) run_lens[kOrder[i]] = uint8_t(bits(3));
        const auto runs = codes(run_lens, 19);
        if (!runs) return false;
        std::vector<uint8_t> lens;
        while (lens.size() < literals + distances) {
            const int s = symbol(*runs);
            if (s < 0 || (s == 16 && lens.empty())) return false;
            const uint32_t times = s < 16 ? 1 : s == 16 ? 3 + bits(2) : s == 17 ? 3 + bits(3) : 11 + bits(7);
            lens.insert(lens.end(), times, s < 16 ? uint8_t(s) : s == 16 ? lens.back() : uint8_t(0));
        }
        if (lens.size() != literals + distances) return false;
        const auto literal = codes(lens.data(), literals), distance = codes(lens.data() + literals, distances);
        return literal && distance && symbols(*literal, *distance, out);
    }

    bool symbols(const Codes& literal, const Codes& distance, PlainInflated& out) {
        for (;;) {
            const int s = symbol(literal);
            if (s < 0 || s > 285 || short_) return false;
            if (s == 256) return true;
            if (s < 256) {
                out.bytes.push_back(uint8_t(s));
                continue;
            }
            constexpr uint16_t kLength[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                            31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
            const unsigned l = unsigned(s) - 257;
            const uint32_t length = kLength[l] + bits(l < 8 || l == 28 ? 0 : l / 4 - 1);
            const int d = symbol(distance);
            if (d < 0 || d > 29) return false;
            const unsigned extra = d < 4 ? 0 : unsigned(d) / 2 - 1;
            const size_t back = 1 + (d < 4 ? size_t(d) : size_t(2 + d % 2) << extra) + bits(extra);
            if (back > out.bytes.size() || short_) return false;
            if (back > out.farthest) out.farthest = back;
            for (uint32_t i = 0; i < length; i++) out.bytes.push_back(out.bytes[out.bytes.size() - back]);
        }
    }

    const std::vector<uint8_t>& in_;
    size_t at_ = 0;  // bits read
    bool short_ = false;
};

}  // namespace test
