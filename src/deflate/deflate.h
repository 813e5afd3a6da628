// DEFLATE (RFC 1951) for messages of a WebSocket (RFC 7692): each ends at a byte, with an empty stored block. It
// allocates nothing: the caller gives all memory, and knows from the sizes here how much. Unpacking is not its matter.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "deflate/block.h"
#include "deflate/match.h"

namespace wsd::deflate {

enum class Level : uint8_t {
    kFast = 1,      // takes the first match it finds
    kBalanced = 2,  // looks for better ones: of JSON a tenth smaller, at 0.4 times the speed
};

struct Params {
    Level level;
    uint8_t window_bits;  // 8..15: nothing refers further back than 1 << window_bits bytes
};

// What stands behind a piece (RFC 7692 §7.2.1).
enum class End : uint8_t {
    kMessage,   // the last block's 00 00 ff ff are left off; an empty message is the one byte 00
    kFragment,  // they are there: more of the message follows
};

constexpr unsigned kWindowBitsMin = 8;
constexpr unsigned kWindowBitsMax = 15;

// What one call works with, and where strings of a message that stands alone are found. One is enough for a loop:
// nothing that is left in it changes what a later result says.
struct Encoder {
    static constexpr unsigned kPairBits = 12;
    static constexpr unsigned kThreeBits = 12;
    static constexpr unsigned kFourBits = 14;

    uint32_t position;  // of the next message that stands alone
    Block block;
    Pair pairs[1u << kPairBits];
    uint32_t threes[1u << kThreeBits];
    uint32_t fours[1u << kFourBits];
    uint16_t back[1u << kWindowBitsMax];
};

void encoder_init(Encoder& encoder);

// The most bytes that `len` may become: with that much room deflating always succeeds.
constexpr size_t deflate_bound(size_t len) { return len + (len / 16384 + 1) * 6 + 6; }

// Compresses `in` into out[0, room), so that it refers to nothing before itself and can be read after anything.
// Returns how many bytes it has become; 0: they do not fit, and what `out` holds is of no use.
[[nodiscard]] size_t deflate_alone(Encoder& encoder, Params params, Bytes in, End end, uint8_t* out, size_t room);

// What a peer has been sent and remembers (context takeover, RFC 7692 §7.1.1): a window of it, and where its strings
// are. It lives in the caller's memory and owns nothing.
struct Context;

// Of the memory a context needs.
size_t context_size(Params params);

// An empty context in `room`, which has context_size(params) bytes and is aligned as by malloc.
Context* context_init(void* room, Params params);

// As deflate_alone, but what it makes may refer to what the context holds, which then holds `in`, too.
// 0: does not fit, and the context is as it was: the message may be sent plain.
[[nodiscard]] size_t deflate_with(Encoder& encoder, Context& context, Bytes in, End end, uint8_t* out, size_t room);

// The peer has been sent `plain` in a message that was compressed alone: it remembers that, too. Costs no more than to
// copy a window; later messages find little of it, as its strings are not looked at.
void context_add(Context& context, Bytes plain);

// For tests: lets the position, which counts all bytes and wraps at 2^32, be the one of an old connection.
void context_set_position(Context& context, uint32_t position);

}  // namespace wsd::deflate
