#include "net/shared_block.h"

#include "base/assert.h"

namespace wsd::net {

SharedBlock* block_new(Mem& mem, Purpose purpose, size_t capacity) {
    if (capacity > SIZE_MAX - sizeof(SharedBlock)) return nullptr;
    SharedBlock* const block = static_cast<SharedBlock*>(mem_alloc(mem, purpose, sizeof(SharedBlock) + capacity));
    if (block) *block = {&mem, capacity, 1, purpose};
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
    if (--block->holders == 0) mem_free(*block->mem, block->purpose, block, sizeof(SharedBlock) + block->capacity);
}

}  // namespace wsd::net
