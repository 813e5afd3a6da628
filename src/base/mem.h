// The library's memory: the only place that asks libc for any. Every block is counted under its purpose, so that
// the statistics can say where memory went, and every block may be refused: callers handle null.
// One Mem belongs to one server and is touched by its loop's thread only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wsd {

enum class Purpose : uint8_t {
    kServer,     // the server, its buffers, listeners, timers, watches
    kConn,       // connection slots
    kHandshake,  // requests being read or waiting for a decision
    kReceive,    // messages being assembled, torn control frames
    kSend,       // send queues and prepared messages
    kDeflate,    // compression: windows, tables and buffers
    kTopic,      // topics and subscriptions
    kSession,    // sessions and their data
    kCount,
};

// As realloc, with sizes: `p` null and old_size 0 allocates, new_size 0 frees and returns null.
// Null for a refusal, which leaves `p` as it was. Memory is aligned as by malloc.
using AllocateFn = void* (*)(void* context, void* p, size_t old_size, size_t new_size);

struct Mem {
    AllocateFn allocate = nullptr;  // never null once mem_init has run
    void* context = nullptr;        // the allocator's own
    size_t used_bytes[size_t(Purpose::kCount)] = {};
    uint64_t allocation_count = 0;  // blocks asked for so far, grown ones included
    size_t held_bytes = 0;          // what the blocks take of the process: rounded up as the system's allocator does
    size_t heap_bytes = 0;        // of these, in the system's heap, and the most since the last mem_trim(): between the
    size_t heap_peak_bytes = 0;   // two lie holes that the process still holds
    size_t max_bytes = SIZE_MAX;  // of held_bytes; what would go over it is refused
    uint64_t refused_count = 0;   // for that, so far
    bool rounds = false;          // the allocator is the system's
};

// `allocate` null: malloc and its kin, and mappings of their own for large blocks.
void mem_init(Mem& mem, AllocateFn allocate, void* context);

// Uninitialised bytes, or null; `size` > 0.
[[nodiscard]] void* mem_alloc(Mem& mem, Purpose purpose, size_t size);

// `p` grown or shrunk to `new_size` > 0, perhaps moved; null for a refusal, which leaves `p` as it was.
[[nodiscard]] void* mem_resize(Mem& mem, Purpose purpose, void* p, size_t old_size, size_t new_size);

// `size` is what the block was allocated or last resized with; `p` may be null.
void mem_free(Mem& mem, Purpose purpose, void* p, size_t size);

size_t mem_used(const Mem& mem);

// Gives the pages of the heap's holes back to the system, where that can be asked for: a walk over the heap.
void mem_trim(Mem& mem);

}  // namespace wsd
