#include "deflate/deflate.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "support/guard_page.h"
#include "support/packable.h"
#include "support/plain_inflate.h"
#include "support/zlib_inflate.h"

using namespace wsd;
using namespace wsd::deflate;
using test::Packable;

namespace {

using Buffer = std::vector<uint8_t>;

constexpr Level kLevels[] = {Level::kFast, Level::kBalanced};
constexpr uint8_t kTail[] = {0x00, 0x00, 0xff, 0xff};
constexpr size_t kMegabyte = size_t(1) << 20;

Encoder& encoder() {
    static const auto one = [] {
        auto made = std::make_unique<Encoder>();
        encoder_init(*made);
        return made;
    }();
    return *one;
}

Bytes all(const Buffer& buffer) { return {buffer.data(), buffer.size()}; }

Buffer alone(Params params, const Buffer& in, End end = End::kMessage) {
    Buffer out(deflate_bound(in.size()));
    const size_t size = deflate_alone(encoder(), params, all(in), end, out.data(), out.size());
    REQUIRE(size > 0);
    out.resize(size);
    return out;
}

// Is it read back the same, in one piece and by one who counts how far back it refers?
bool returns(Params params, const Buffer& in, End end = End::kMessage) {
    Buffer out = alone(params, in, end);
    test::ZlibInflate zlib(params.window_bits < 9 ? 9 : params.window_bits);
    if (zlib.inflate(out, in.size(), end == End::kMessage) != in) return false;
    if (end == End::kMessage) out.insert(out.end(), kTail, kTail + 4);
    test::PlainInflated plain;
    return test::PlainInflate(out).run(plain) && plain.bytes == in && plain.farthest <= size_t(1) << params.window_bits;
}

// As returns(), of the copy of `in` at `p`.
bool returns_from(const uint8_t* p, Level level, const Buffer& in) {
    Buffer out(deflate_bound(in.size()));
    out.resize(deflate_alone(encoder(), {level, 15}, {p, in.size()}, End::kMessage, out.data(), out.size()));
    return test::ZlibInflate(15).inflate(out, in.size()) == in;
}

// A connection with takeover: the context here, and a peer who remembers.
class Stream {
  public:
    explicit Stream(Params params)
        : peer_(params.window_bits < 9 ? 9 : params.window_bits),
          params_(params),
          room_(context_size(params) / sizeof(uint64_t) + 1),
          context_(context_init(room_.data(), params)) {}

    Context& context() { return *context_; }

    bool send(const Buffer& in, End end = End::kMessage) {
        Buffer out(deflate_bound(in.size()));
        const size_t size = deflate_with(encoder(), *context_, all(in), end, out.data(), out.size());
        if (size == 0 || size > out.size()) return false;
        out.resize(size);
        sent_bytes += size;
        return peer_.inflate(out, in.size(), end == End::kMessage) == in && near(out, in, end);
    }

    // Refused for want of room: nothing of it may be referred to later.
    bool refuse(const Buffer& in, size_t room) {
        Buffer out(room);
        return deflate_with(encoder(), *context_, all(in), End::kMessage, out.data(), room) == 0;
    }

    // Compressed alone, and remembered by both.
    bool send_alone(const Buffer& in) {
        const Buffer out = alone(params_, in);
        context_add(*context_, all(in));
        return peer_.inflate(out, in.size()) == in && near(out, in, End::kMessage);
    }

    size_t sent_bytes = 0;

  private:
    bool near(Buffer out, const Buffer& in, End end) {
        if (end == End::kMessage) out.insert(out.end(), kTail, kTail + 4);
        const size_t window = size_t(1) << params_.window_bits;
        test::PlainInflated plain{history_, 0};
        if (!test::PlainInflate(out).run(plain) || plain.farthest > window) return false;
        history_.insert(history_.end(), in.begin(), in.end());
        if (history_.size() > window) history_.erase(history_.begin(), history_.end() - std::ptrdiff_t(window));
        return true;
    }

    test::ZlibInflate peer_;
    Params params_;
    std::vector<uint64_t> room_;
    Context* context_;
    Buffer history_;
};

Packable any_kind(test::Rng& rng) { return Packable(rng.below(uint32_t(Packable::kCount))); }

}  // namespace

TEST_CASE("an empty message is the byte 00, an empty fragment an empty stored block") {
    for (const Level level : kLevels) {
        CHECK(alone({level, 15}, {}) == Buffer{0x00});
        CHECK(alone({level, 15}, {}, End::kFragment) == Buffer{0x00, 0x00, 0x00, 0xff, 0xff});
    }
}

TEST_CASE("RFC 7692 §7.2.3.1: Hello") {
    const Buffer hello = {'H', 'e', 'l', 'l', 'o'};
    CHECK(alone({Level::kFast, 15}, hello) == Buffer{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
}

TEST_CASE("what was compressed alone is read back, for every small size") {
    test::Rng rng;
    for (const Level level : kLevels) {
        for (uint8_t kind = 0; kind < uint8_t(Packable::kCount); kind++) {
            for (size_t size = 0; size <= 600; size++) {
                CAPTURE(int(kind));
                CAPTURE(size);
                const uint8_t bits = uint8_t(8 + size % 8);
                const End end = size % 3 ? End::kMessage : End::kFragment;
                REQUIRE(returns({level, bits}, test::packable(Packable(kind), rng, size), end));
            }
        }
    }
}

TEST_CASE("what was compressed alone is read back, for large sizes and every window") {
    test::Rng rng;
    for (uint8_t kind = 0; kind < uint8_t(Packable::kCount); kind++) {
        const Buffer in = test::packable(Packable(kind), rng, 70000 + kind);
        for (const Level level : kLevels) {
            for (uint8_t bits = kWindowBitsMin; bits <= kWindowBitsMax; bits++) {
                CAPTURE(int(kind));
                CAPTURE(int(bits));
                CHECK(returns({level, bits}, in));
            }
        }
        const Buffer large = test::packable(Packable(kind), rng, kMegabyte + 1);
        for (const Level level : kLevels) CHECK(returns({level, 15}, large));
    }
}

TEST_CASE("random bytes are stored, and no longer than the bound") {
    test::Rng rng;
    for (const Level level : kLevels) {
        for (const size_t size : {1, 100, 65535, 65536, 70000, 200000}) {
            CAPTURE(size);
            const Buffer in = test::packable(Packable::kRandom, rng, size);
            CHECK(alone({level, 15}, in, End::kFragment).size() <= size + 5 * (size / 65535 + 1) + 6);
        }
    }
}

TEST_CASE("fragments join to a message") {
    test::Rng rng;
    for (const Level level : kLevels) {
        for (const bool with : {false, true}) {
            Stream stream({level, 12});
            Buffer packed, plain;
            for (int i = 0; i < 20; i++) {
                const Buffer in = test::packable(any_kind(rng), rng, rng.below(3000));
                const End end = i == 19 ? End::kMessage : End::kFragment;
                Buffer out(deflate_bound(in.size()));
                const size_t size =
                    with ? deflate_with(encoder(), stream.context(), all(in), end, out.data(), out.size())
                         : deflate_alone(encoder(), {level, 12}, all(in), end, out.data(), out.size());
                REQUIRE(size > 0);
                packed.insert(packed.end(), out.begin(), out.begin() + std::ptrdiff_t(size));
                plain.insert(plain.end(), in.begin(), in.end());
            }
            CHECK(test::ZlibInflate(12).inflate(packed, plain.size()) == plain);
        }
    }
}

TEST_CASE("what does not fit is refused, and no byte beyond the room is written") {
    test::Rng rng;
    test::GuardPage page(4096);
    for (const Level level : kLevels) {
        for (uint8_t kind = 0; kind < uint8_t(Packable::kCount); kind++) {
            const Buffer in = test::packable(Packable(kind), rng, 700);
            for (const End end : {End::kMessage, End::kFragment}) {
                const Buffer whole = alone({level, 15}, in, end);
                const Buffer dirt(4096, 0xee);
                for (size_t room = 0; room <= whole.size() + 9; room++) {
                    CAPTURE(room);
                    uint8_t* const out = page.before_end(dirt.data(), room);
                    const size_t size = deflate_alone(encoder(), {level, 15}, all(in), end, out, room);
                    REQUIRE(size == (room < whole.size() ? 0 : whole.size()));
                    REQUIRE((size == 0 || std::equal(whole.begin(), whole.end(), out)));
                }
            }
        }
    }
}

TEST_CASE("no byte beside the input is read") {
    test::Rng rng;
    test::GuardPage page(70000);
    for (const Level level : kLevels) {
        for (size_t size = 0; size < 300; size++) {
            CAPTURE(size);
            const Buffer in = test::packable(any_kind(rng), rng, size < 290 ? size : 60000 + size);
            REQUIRE(returns_from(page.before_end(in.data(), in.size()), level, in));
            REQUIRE(returns_from(page.after_start(in.data(), in.size()), level, in));
        }
    }
}

TEST_CASE("a stream of messages with takeover is read back, whatever happens in between") {
    test::Rng rng;
    for (const Level level : kLevels) {
        for (uint8_t bits = kWindowBitsMin; bits <= kWindowBitsMax; bits++) {
            Stream stream({level, bits});
            for (int i = 0; i < 400; i++) {
                CAPTURE(int(bits));
                CAPTURE(i);
                const size_t size = i % 50 == 49 ? rng.below(150000) : rng.skewed(3000);
                const Buffer in = test::packable(i % 4 ? Packable::kJson : any_kind(rng), rng, size);
                switch (rng.below(8)) {
                    case 0: REQUIRE(stream.refuse(in, rng.below(uint32_t(size / 16 + 1)) / 16)); break;
                    case 1: REQUIRE(stream.send_alone(in)); break;
                    case 2: REQUIRE(stream.send(in, End::kFragment)); break;
                    default: REQUIRE(stream.send(in)); break;
                }
            }
        }
    }
}

TEST_CASE("positions wrap at 2^32 unnoticed") {
    test::Rng rng;
    for (const Level level : kLevels) {
        Stream stream({level, 15});
        context_set_position(stream.context(), UINT32_MAX - 100000);
        encoder().position = UINT32_MAX - 100000;
        for (int i = 0; i < 300; i++) {
            const Buffer in = test::packable(Packable::kJson, rng, 100 + rng.below(2000));
            REQUIRE(stream.send(in));
            REQUIRE(returns({level, 15}, in));
        }
    }
}

TEST_CASE("a context finds what was sent before, as far as the window goes") {
    test::Rng rng;
    for (const Level level : kLevels) {
        const Buffer in = test::packable(Packable::kRandom, rng, 400);
        const Buffer other = test::packable(Packable::kRandom, rng, 5000);
        Stream stream({level, 12});
        REQUIRE(stream.send(in));
        const size_t first = stream.sent_bytes;
        REQUIRE(stream.send(in));
        CHECK(stream.sent_bytes - first < 100);
        REQUIRE(stream.send(other));
        const size_t second = stream.sent_bytes;
        REQUIRE(stream.send(in));
        CHECK(stream.sent_bytes - second > in.size());
    }
}
