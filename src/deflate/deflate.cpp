#include "deflate/deflate.h"

#include <algorithm>
#include <new>

#include "base/assert.h"

namespace wsd::deflate {
namespace {

// How matches are found, and where what is found stands.
struct Finder {
    Level level;
    uint32_t window;  // bytes
    Pairs pairs;      // of Level::kFast
    Chains chains;    // of Level::kBalanced
};

}  // namespace

// In one piece of memory: this, the tables of its level, the buffer.
struct Context {
    Finder finder;
    uint32_t position;  // of buffer[0]
    uint32_t held;      // bytes of the buffer the peer has been sent, <= capacity
    uint32_t capacity;  // a window, and slack so that it need not slide with every message
    uint8_t* buffer;
};

namespace {

constexpr uint32_t kSlackMax = 16384;
// Texts are searched in slices, so that places in them fit in 32 bits however long they are.
constexpr uint32_t kSliceMax = 1u << 20;

// One call on its way.
struct Job {
    Block& block;
    const Finder& finder;
    const uint8_t* written;  // input up to here is in blocks that were written
    BitWriter w;
};

bool write_block(Job& job) {
    const uint32_t bytes = job.block.bytes;
    if (bytes == 0) return true;
    if (!block_write(job.block, job.written, job.w)) return false;
    job.written += bytes;
    return true;
}

// Compresses p[0, len), before which `history` bytes may be referred to; `position` is of p[0].
bool add_text(Job& job, const uint8_t* p, size_t history, size_t len, uint32_t position) {
    const uint32_t window = job.finder.window;
    while (len > 0) {
        const uint32_t reach = uint32_t(std::min<size_t>(history, window));
        const uint32_t slice = uint32_t(std::min<size_t>(len, kSliceMax));
        Text text{p - reach, position - reach, reach, reach + slice, window};
        if (job.finder.level == Level::kFast) {
            match_greedy(job.finder.pairs, text, job.block);
        } else {
            match_lazy(job.finder.chains, text, job.block);
        }
        if (text.at < text.end && !write_block(job)) return false;
        const uint32_t done = text.at - reach;
        p += done;
        history += done;
        position += done;
        len -= done;
    }
    return true;
}

// The empty stored block, whole or without its lengths. Returns the size of everything.
size_t finish(Job& job, End end, const uint8_t* out) {
    BitWriter& w = job.w;
    if (!write_block(job)) return 0;
    const size_t lengths = end == End::kFragment ? 4 : 0;
    if (bits_room(w) < 3) return 0;
    bits_put(w, 0, 3);
    bits_align(w);
    if (size_t(w.end - w.out) < lengths) return 0;
    if (lengths) {
        bits_put(w, 0xffff0000, 32);
        bits_flush(w);
    }
    return size_t(w.out - out);
}

struct Sizes {
    unsigned pair_bits;
    unsigned three_bits;
    unsigned four_bits;
    uint32_t window;
    uint32_t capacity;
};

uint32_t window_of(Params params) {
    WSD_ASSERT(params.window_bits >= kWindowBitsMin && params.window_bits <= kWindowBitsMax);
    return 1u << params.window_bits;
}

Sizes sizes_of(Params params) {
    const uint32_t window = window_of(params);
    const unsigned bits = params.window_bits;
    return {bits - 3u, bits - 4u, bits - 2u, window, window + std::min(window, kSlackMax)};
}

size_t table_size(Params params, const Sizes& s) {
    if (params.level == Level::kFast) return sizeof(Pair) << s.pair_bits;
    return (sizeof(uint32_t) << s.three_bits) + (sizeof(uint32_t) << s.four_bits) + sizeof(uint16_t) * s.window;
}

// The last of what the context has held and of `in`, a window of both, to the front of the buffer.
void remember(Context& c, Bytes in) {
    if (in.len == 0) return;
    if (in.len <= c.capacity - c.held) {
        std::memcpy(c.buffer + c.held, in.p, in.len);
        c.held += uint32_t(in.len);
        return;
    }
    const uint32_t fresh = uint32_t(std::min<size_t>(in.len, c.finder.window));
    const uint32_t kept = std::min(c.held, c.finder.window - fresh);
    c.position += uint32_t(c.held + in.len - kept - fresh);
    std::memmove(c.buffer, c.buffer + c.held - kept, kept);
    std::memcpy(c.buffer + kept, in.p + in.len - fresh, fresh);
    c.held = kept + fresh;
}

// Nothing refers further back than a window.
void slide(Context& c) {
    if (c.held <= c.finder.window) return;
    const uint32_t gone = c.held - c.finder.window;
    std::memmove(c.buffer, c.buffer + gone, c.finder.window);
    c.position += gone;
    c.held = c.finder.window;
}

}  // namespace

void encoder_init(Encoder& encoder) { std::memset(&encoder, 0, sizeof encoder); }

size_t deflate_alone(Encoder& encoder, Params params, Bytes in, End end, uint8_t* out, size_t room) {
    const Finder finder{params.level,
                        window_of(params),
                        {encoder.pairs, Encoder::kPairBits},
                        {encoder.threes, encoder.fours, encoder.back, (1u << kWindowBitsMax) - 1, Encoder::kThreeBits,
                         Encoder::kFourBits}};
    Job job{encoder.block, finder, in.p, BitWriter(out, room)};
    block_clear(job.block);
    const uint32_t position = encoder.position;
    encoder.position += uint32_t(in.len);
    if (!add_text(job, in.p, 0, in.len, position)) return 0;
    return finish(job, end, out);
}

size_t context_size(Params params) {
    const Sizes s = sizes_of(params);
    return sizeof(Context) + table_size(params, s) + s.capacity;
}

Context* context_init(void* room, Params params) {
    const Sizes s = sizes_of(params);
    const size_t tables_size = table_size(params, s);
    Context* const c = new (room) Context{};
    uint8_t* const tables = reinterpret_cast<uint8_t*>(c + 1);
    std::memset(tables, 0, tables_size);
    c->finder.level = params.level;
    c->finder.window = s.window;
    c->capacity = s.capacity;
    c->buffer = tables + tables_size;
    if (params.level == Level::kFast) {
        c->finder.pairs = {reinterpret_cast<Pair*>(tables), s.pair_bits};
        return c;
    }
    uint32_t* const threes = reinterpret_cast<uint32_t*>(tables);
    uint32_t* const fours = threes + (1u << s.three_bits);
    uint16_t* const back = reinterpret_cast<uint16_t*>(fours + (1u << s.four_bits));
    c->finder.chains = {threes, fours, back, s.window - 1, uint8_t(s.three_bits), uint8_t(s.four_bits)};
    return c;
}

size_t deflate_with(Encoder& encoder, Context& context, Bytes in, End end, uint8_t* out, size_t room) {
    Context& c = context;
    if (in.len > c.capacity - c.held) slide(c);
    // What fits goes behind its history. The rest is searched where it is, with the input before it as its history.
    const uint32_t front = uint32_t(std::min<size_t>(in.len, c.capacity - c.held));
    if (front) std::memcpy(c.buffer + c.held, in.p, front);
    Job job{encoder.block, c.finder, in.p, BitWriter(out, room)};
    block_clear(job.block);
    const uint32_t position = c.position + c.held;
    if (!add_text(job, c.buffer + c.held, c.held, front, position)) return 0;
    if (!add_text(job, in.p + front, front, in.len - front, position + front)) return 0;
    const size_t size = finish(job, end, out);
    if (size == 0) return 0;
    if (front == in.len) {
        c.held += front;  // it is there already
    } else {
        remember(c, in);
    }
    return size;
}

void context_add(Context& context, Bytes plain) { remember(context, plain); }

void context_set_position(Context& context, uint32_t position) { context.position = position; }

}  // namespace wsd::deflate
