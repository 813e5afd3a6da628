#include "net/shared_block.h"

#include "base/assert.h"

namespace wsd::net {
namespace {

// Smaller blocks are freed: they come warm from the heap anyway.
constexpr size_t kRestBytes = 16 * 1024;

void block_free(SharedBlock* block) {
    mem_free(*block->mem, block->purpose, block, sizeof(SharedBlock) + block->capacity);
}

}  // namespace

SharedBlock* block_take(BlockPool& pool, size_t capacity, size_t most) {
    for (SharedBlock** link = &pool.resting; *link; link = &(*link)->next) {
        SharedBlock* const block = *link;
        if (block->capacity < capacity || block->capacity > most) continue;
        *link = block->next;
        pool.resting_bytes -= block->capacity;
        pool.used = true;
        block->holders = 1;
        return block;
    }
    return nullptr;
}

SharedBlock* block_new(Mem& mem, Purpose purpose, size_t capacity, BlockPool* pool) {
    if (capacity > SIZE_MAX - sizeof(SharedBlock)) return nullptr;
    SharedBlock* const block = static_cast<SharedBlock*>(mem_alloc(mem, purpose, sizeof(SharedBlock) + capacity));
    if (block) *block = {&mem, pool, nullptr, capacity, 1, purpose};
    return block;
}

SharedBlock* block_resize(SharedBlock* block, size_t capacity) {
    WSD_ASSERT(block->holders == 1);
    if (capacity > SIZE_MAX - sizeof(SharedBlock)) return nullptr;
    void* const moved = mem_resize(*block->mem, block->purpose, block, sizeof(SharedBlock) + block->capacity,
                                   sizeof(SharedBlock) + capacity);
    if (!moved) return nullptr;
    block = static_cast<SharedBlock*>(moved);
    block->capacity = capacity;
    return block;
}

void block_release(SharedBlock* block) {
    if (!block) return;
    WSD_ASSERT(block->holders > 0);
    if (--block->holders > 0) return;
    BlockPool* const pool = block->pool;
    const bool rests = pool && block->capacity >= kRestBytes &&
                       block->capacity <= pool->max_bytes - pool->resting_bytes &&
                       block->mem->held_bytes < pool->held_most_bytes;
    if (!rests) return block_free(block);
    block->next = pool->resting;
    pool->resting = block;
    pool->resting_bytes += block->capacity;
}

void block_pool_trim(BlockPool& pool) {
    if (!pool.used) block_pool_clear(pool);
    pool.used = false;
}

void block_pool_clear(BlockPool& pool) {
    while (SharedBlock* const block = pool.resting) {
        pool.resting = block->next;
        pool.resting_bytes -= block->capacity;
        block_free(block);
    }
}

}  // namespace wsd::net
