#include "net/shared_block.h"

#include <doctest/doctest.h>

using namespace wsd;
using namespace wsd::net;

TEST_CASE("a block goes with its last holder") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    SharedBlock* const block = block_new(mem, Purpose::kSend, 100);
    block_hold(block);
    block_release(block);
    CHECK(mem_used(mem) > 100);
    block_release(block);
    block_release(nullptr);
    CHECK(mem_used(mem) == 0);
}

TEST_CASE("a block grows with its content") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    SharedBlock* block = block_new(mem, Purpose::kReceive, 4);
    std::memcpy(block->data(), "kept", 4);
    block = block_resize(block, 100000);
    REQUIRE(block);
    CHECK(block->capacity == 100000);
    CHECK(std::memcmp(block->data(), "kept", 4) == 0);
    CHECK(block_resize(block, SIZE_MAX) == nullptr);
    block_release(block);
    CHECK(mem_used(mem) == 0);
}

TEST_CASE("large blocks rest within the pool's bound, and small ones do not") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    BlockPool pool;
    pool.max_bytes = 1 << 20;
    SharedBlock* const small = block_new(mem, Purpose::kReceive, 1000, &pool);
    SharedBlock* const large = block_new(mem, Purpose::kReceive, 900000, &pool);
    SharedBlock* const more = block_new(mem, Purpose::kReceive, 900000, &pool);
    block_release(small);
    CHECK(pool.resting_bytes == 0);
    block_release(large);
    block_release(more);
    CHECK(pool.resting_bytes == 900000);

    CHECK(block_take(pool, 900001) == nullptr);
    CHECK(block_take(pool, 100000, 800000) == nullptr);
    SharedBlock* const again = block_take(pool, 500000);
    CHECK(again == large);
    CHECK(again->holders == 1);
    CHECK(pool.resting_bytes == 0);
    block_release(again);

    block_pool_trim(pool);  // it was used since the last time
    CHECK(pool.resting_bytes == 900000);
    block_pool_trim(pool);
    CHECK(pool.resting_bytes == 0);
    CHECK(mem_used(mem) == 0);
}

TEST_CASE("where much memory is held no block is put to rest") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    BlockPool pool;
    SharedBlock* const first = block_new(mem, Purpose::kSend, 100000, &pool);
    SharedBlock* const second = block_new(mem, Purpose::kSend, 100000, &pool);
    pool.held_most_bytes = mem.held_bytes;
    block_release(first);
    CHECK(pool.resting_bytes == 0);
    block_release(second);
    CHECK(pool.resting_bytes == 100000);
    block_pool_clear(pool);
    CHECK(mem_used(mem) == 0);
}
