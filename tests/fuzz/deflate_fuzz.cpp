// Any bytes as messages. The first ones choose level, window, where the input is cut and how each piece is sent: alone,
// with takeover, remembered only, or refused for want of room. zlib has to say the same bytes again, whatever came
// before, and no room but the one given is written.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "deflate/deflate.h"
#include "support/guard_page.h"
#include "support/zlib_inflate.h"

using namespace wsd;
using namespace wsd::deflate;

namespace {

constexpr size_t kInputMax = 65536;

void require(bool condition) {
    if (!condition) std::abort();
}

Encoder& encoder() {
    static const auto one = [] {
        auto made = std::make_unique<Encoder>();
        encoder_init(*made);
        return made;
    }();
    return *one;
}

struct Connection {
    explicit Connection(Params p)
        : params(p), peer(p.window_bits < 9 ? 9 : p.window_bits), room(context_size(p) / sizeof(uint64_t) + 1) {
        context = context_init(room.data(), p);
    }

    Params params;
    test::ZlibInflate peer;
    std::vector<uint64_t> room;
    Context* context;
};

// Sends `in` as `choice` says; its low bits are the way, the next the end.
void send(Connection& c, const std::vector<uint8_t>& in, uint8_t choice) {
    static test::GuardPage input(kInputMax), output(2 * kInputMax);
    const bool alone = choice & 1, refuse = (choice & 6) == 2, again = choice & 16;
    const End end = choice & 8 ? End::kFragment : End::kMessage;
    const Bytes bytes{input.before_end(in.data(), in.size()), in.size()};
    const auto pack = [&](uint8_t* out, size_t room) {
        return alone ? deflate_alone(encoder(), c.params, bytes, end, out, room)
                     : deflate_with(encoder(), *c.context, bytes, end, out, room);
    };
    const size_t bound = deflate_bound(in.size());
    if (refuse) {
        const size_t room = size_t(choice >> 4);
        if (pack(output.before_end(nullptr, 0) - room, room) == 0) return;
        // Small enough after all: the peer is not told, and both begin anew.
        context_init(c.context, c.params);
        return c.peer.forget();
    }
    uint8_t* const out = output.before_end(nullptr, 0) - bound;
    const size_t size = pack(out, bound);
    require(size > 0 && size <= bound);
    require(c.peer.inflate({out, out + size}, in.size(), end == End::kMessage) == in);
    if (alone) context_add(*c.context, bytes);
    // With exactly as much room, the result of a message alone is the same.
    if (alone && again) require(pack(output.before_end(nullptr, 0) - size, size) == size);
    if (alone && again) require(pack(output.before_end(nullptr, 0) - size + 1, size - 1) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 4 || size > kInputMax) return 0;
    const Level level = data[0] & 1 ? Level::kFast : Level::kBalanced;
    Connection connection({level, uint8_t(8 + (data[0] >> 1) % 8)});
    if (data[0] & 0x80) context_set_position(*connection.context, UINT32_MAX - data[1]);
    const size_t pieces = 1 + data[1] % 16, repeats = 1 + data[2] % 8;
    const uint8_t* const text = data + 3;
    const size_t len = size - 3;
    uint8_t choice = data[2];
    for (size_t i = 0; i < pieces * repeats; i++) {
        const size_t from = len * (i % pieces) / pieces, to = len * (i % pieces + 1) / pieces;
        send(connection, {text + from, text + to}, choice);
        choice = uint8_t(choice * 5 + text[from]);
    }
    return 0;
}
