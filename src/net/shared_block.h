// Bytes with a count of their holders: what a prepared message is built into once and what a large message is received
// into, so that send queues can refer to it instead of copying. For one thread.
#pragma once

#include "base/bytes.h"
#include "base/mem.h"

namespace wsd::net {

struct SharedBlock {
    Mem* mem;
    size_t capacity;
    uint32_t holders;
    Purpose purpose;

    uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
};

// With one holder, the caller; null when memory is refused.
[[nodiscard]] SharedBlock* block_new(Mem& mem, Purpose purpose, size_t capacity);

// The block with room for `capacity` bytes and its first bytes kept, perhaps moved: only for a sole holder.
// Null when memory is refused, which leaves the block as it was.
[[nodiscard]] SharedBlock* block_resize(SharedBlock* block, size_t capacity);

inline SharedBlock* block_hold(SharedBlock* block) {
    block->holders++;
    return block;
}

// Gives up one hold; the last frees it. Null is allowed.
void block_release(SharedBlock* block);

}  // namespace wsd::net
