// Any bytes as a DEFLATE stream, and any bytes deflated, with bits flipped or not. zlib judges: both accept the same
// and make the same of it, for every window, however the input and the output are cut; and what was deflated comes
// back. No byte outside the input is read, and none beyond the room is written (both end at pages nobody may touch).
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "deflate/inflate.h"
#include "support/guard_page.h"

using namespace wsd;
using namespace wsd::deflate;

namespace {

using Buffer = std::vector<uint8_t>;

constexpr size_t kOutputMax = 1 << 16;
constexpr size_t kWindowMax = 1 << 15;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Result {
    Buffer bytes;
    bool malformed;
    bool full;  // kOutputMax bytes, and more would follow
};

class Zlib {
  public:
    explicit Zlib(int window_bits) : window_bits_(window_bits) {
        require(inflateInit2(&stream_, -window_bits) == Z_OK);
    }
    ~Zlib() { inflateEnd(&stream_); }
    Zlib(const Zlib&) = delete;
    Zlib& operator=(const Zlib&) = delete;

    // zlib stops behind a last block, where this stream goes on: from the next byte, with the same window. And it looks
    // at distances only where they leave the window: those that are larger than it but stay within the output of one
    // call it lets pass, so it gets room for one byte a call wherever the window is not the largest.
    void run(const uint8_t* in, size_t len, Result& result) {
        stream_.next_in = const_cast<uint8_t*>(in);
        stream_.avail_in = uInt(len);
        const uInt room = window_bits_ < 15 ? 1 : 512;
        while (!result.malformed && result.bytes.size() < kOutputMax) {
            uint8_t piece[512];
            stream_.next_out = piece;
            stream_.avail_out = room;
            const int verdict = ::inflate(&stream_, Z_SYNC_FLUSH);
            result.bytes.insert(result.bytes.end(), piece, piece + (room - stream_.avail_out));
            if (verdict == Z_STREAM_END) {
                restart(result.bytes);
            } else if (verdict == Z_BUF_ERROR || (stream_.avail_in == 0 && stream_.avail_out > 0)) {
                return;
            } else {
                result.malformed = verdict != Z_OK;
            }
        }
        if (result.bytes.size() > kOutputMax) result.bytes.resize(kOutputMax);
    }

  private:
    void restart(const Buffer& bytes) {
        require(inflateReset(&stream_) == Z_OK);
        const size_t window = size_t(1) << window_bits_;
        const size_t len = bytes.size() < window ? bytes.size() : window;
        if (len > 0) require(inflateSetDictionary(&stream_, bytes.data() + bytes.size() - len, uInt(len)) == Z_OK);
    }

    z_stream stream_ = {};
    int window_bits_;
};

// Sizes of pieces, from a seed: small ones mostly, none at all now and then.
struct Cuts {
    uint32_t seed;
    uint32_t span;  // 0: no cuts

    size_t next(size_t most) {
        if (span == 0) return most;
        seed = seed * 1664525 + 1013904223;
        const size_t len = (seed >> 8) % span;
        return len < most ? len : most;
    }
};

// Ours, with the input and the room in pieces. Each piece of input lies against the guard, and so does the room; the
// output moves to its front whenever the window has been left behind.
Result ours(const Buffer& in, int window_bits, Cuts in_cuts, Cuts out_cuts) {
    static test::GuardPage in_page(1 << 16), out_page(kWindowMax + 2 * kOutputMax);
    static Inflater inflater;
    inflater_reset(inflater);
    const size_t window = size_t(1) << window_bits;
    Result result = {};
    size_t at = 0;
    while (at < in.size() || in.empty()) {
        const size_t len = in_cuts.next(in.size() - at);
        Bytes piece = {in_page.before_end(in.data() + at, len), len};
        Inflate verdict;
        do {
            const size_t before = result.bytes.size() < window ? result.bytes.size() : window;
            const size_t room = before + out_cuts.next(kOutputMax - result.bytes.size());
            Output out = {out_page.before_end(nullptr, 0) - room, before, room, uint32_t(window)};
            if (before > 0) std::memcpy(out.p, result.bytes.data() + result.bytes.size() - before, before);
            verdict = inflate(inflater, &piece, out);
            require(out.end >= before && out.end <= room);
            result.bytes.insert(result.bytes.end(), out.p + before, out.p + out.end);
            if (verdict == Inflate::kNeedRoom) require(out.end == room);
        } while (verdict == Inflate::kNeedRoom && result.bytes.size() < kOutputMax);
        if (verdict == Inflate::kNeedInput) require(piece.len == 0);
        result.malformed = verdict == Inflate::kMalformed;
        result.full = verdict == Inflate::kNeedRoom;
        at += len;
        if (in.empty() || verdict != Inflate::kNeedInput) break;
    }
    if (result.malformed) {
        Bytes nothing;
        Output out = {nullptr, 0, 0, uint32_t(window)};
        require(inflate(inflater, &nothing, out) == Inflate::kMalformed);
    }
    return result;
}

void same(const Result& a, const Result& b) {
    require(a.bytes == b.bytes);
    require(a.malformed == b.malformed && a.full == b.full);
}

void judge(const Buffer& in, int window_bits, uint32_t seed) {
    const Cuts in_cuts = {seed, 1 + 2 + (seed >> 8) % 40}, out_cuts = {~seed, 1 + 2 + (seed >> 16) % 600};
    const Result whole = ours(in, window_bits, {}, {});
    same(whole, ours(in, window_bits, in_cuts, {}));
    same(whole, ours(in, window_bits, {}, out_cuts));
    same(whole, ours(in, window_bits, in_cuts, out_cuts));

    Zlib zlib(window_bits);
    Result expected = {};
    zlib.run(in.data(), in.size(), expected);
    if (expected.bytes.size() < kOutputMax && whole.malformed && !expected.malformed) {
        // Code lengths without any code are refused here at once, while zlib reads them as zeros to their end and then
        // misses the end of the block: whatever follows, it refuses them as well, within 316 bits.
        const Buffer more(64);
        zlib.run(more.data(), more.size(), expected);
        require(expected.malformed);
    }
    require(whole.bytes == expected.bytes);
    // A full output ends what is looked at: what else zlib would have said is open.
    if (whole.bytes.size() < kOutputMax) require(whole.malformed == expected.malformed);
}

// `text` deflated with the parameters that follow from `seed`, flushed now and then.
Buffer deflated(const Buffer& text, int window_bits, uint32_t seed) {
    z_stream stream = {};
    constexpr int kStrategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    const int level = int(seed % 10), strategy = kStrategies[seed / 10 % 5], mem_level = 1 + int(seed / 50 % 9);
    require(deflateInit2(&stream, level, Z_DEFLATED, -window_bits, mem_level, strategy) == Z_OK);
    Buffer out(2 * text.size() + 4096);
    stream.next_out = out.data();
    stream.avail_out = uInt(out.size());
    constexpr int kFlushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_BLOCK};
    Cuts cuts = {seed, 1 + uint32_t(text.size())};
    for (size_t at = 0; at < text.size();) {
        const size_t len = cuts.next(text.size() - at);
        stream.next_in = const_cast<uint8_t*>(text.data()) + at;
        stream.avail_in = uInt(len);
        require(::deflate(&stream, kFlushes[cuts.seed >> 24 & 3]) != Z_STREAM_ERROR);
        require(stream.avail_in == 0);
        at += len;
        if (out.size() - stream.total_out < 2 * (text.size() - at) + 64) break;  // flushes have taken the room
    }
    stream.avail_in = 0;
    require(::deflate(&stream, Z_SYNC_FLUSH) != Z_STREAM_ERROR);
    require(stream.avail_out > 0);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

// A few of the bits, as a stream that is right up to there leads further in than arbitrary bytes do.
void flip_bits(Buffer& bytes, uint32_t seed) {
    Cuts places = {~seed, uint32_t(bytes.size())};
    for (uint32_t i = 0; i <= seed >> 29; i++) {
        const size_t at = places.next(bytes.size());
        bytes[at] = uint8_t(bytes[at] ^ 1u << (places.seed & 7));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    uint32_t seed = 0;
    if (size < sizeof seed + 2) return 0;
    std::memcpy(&seed, data, sizeof seed);
    const bool deflate_first = data[4] & 1;
    const int window_bits = data[4] & 2 ? 15 : 9 + data[5] % 7;
    Buffer in(data + 6, data + size);
    if (in.size() > 1 << 13) in.resize(1 << 13);
    if (deflate_first) {
        const Buffer stream = deflated(in, window_bits, seed);
        const Result result = ours(stream, window_bits, {seed, 1 + 300}, {});
        require(!result.malformed && result.bytes.size() <= in.size());
        require(std::equal(result.bytes.begin(), result.bytes.end(), in.begin()));
        in = stream;
        if (data[4] & 4) flip_bits(in, seed);
    }
    judge(in, deflate_first ? window_bits : window_bits == 9 ? 8 : window_bits, seed);
    return 0;
}
