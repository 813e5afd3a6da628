// Bytes with a count of their holders: what a prepared message is built into once and what a large message is received
// into, so that send queues can refer to it instead of copying. For one thread.
#pragma once

#include "base/bytes.h"
#include "base/mem.h"

namespace wsd::net {

struct BlockPool;

struct SharedBlock {
    Mem* mem;
    BlockPool* pool;    // where it may rest when nobody holds it; null: it is freed
    SharedBlock* next;  // while it rests
    size_t capacity;
    uint32_t holders;
    Purpose purpose;

    uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
};

// Large blocks at rest, for the next who needs one: a fresh block of a megabyte costs the kernel more page faults than
// the megabyte costs to copy. Bounded, and emptied when they have not been needed for a while.
struct BlockPool {
    size_t max_bytes = 8u << 20;
    size_t held_most_bytes = SIZE_MAX;  // where the Mem holds so much, nothing is put to rest
    size_t resting_bytes = 0;
    SharedBlock* resting = nullptr;
    bool used = false;  // since the last block_pool_trim()
};

// A resting block of at least that capacity and at most the other, with one holder, the caller; null if none rests.
[[nodiscard]] SharedBlock* block_take(BlockPool& pool, size_t capacity, size_t most = SIZE_MAX);

// With one holder, the caller; null when memory is refused. With a pool, it will rest there.
[[nodiscard]] SharedBlock* block_new(Mem& mem, Purpose purpose, size_t capacity, BlockPool* pool = nullptr);

// The block with room for `capacity` bytes and its first bytes kept, perhaps moved: only for a sole holder.
// Null when memory is refused, which leaves the block as it was.
[[nodiscard]] SharedBlock* block_resize(SharedBlock* block, size_t capacity);

inline SharedBlock* block_hold(SharedBlock* block) {
    block->holders++;
    return block;
}

// Gives up one hold; with the last, it goes to rest or is freed. Null is allowed.
void block_release(SharedBlock* block);

// Frees what rests, unless some of it was used since the last call.
void block_pool_trim(BlockPool& pool);

// Frees what rests.
void block_pool_clear(BlockPool& pool);

}  // namespace wsd::net
