#include "base/mem.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "base/assert.h"

namespace wsd {
namespace {

// From here on a block is mapped on its own: what is given back then goes back to the system, where the heap would
// keep it for as long as something small lies behind it.
constexpr size_t kMapFrom = 16 * 1024;

constexpr size_t kPage = 4096;
constexpr size_t kHeapStep = 16;  // the heap's blocks are multiples of it ...
constexpr size_t kHeapHead = 8;   // ... and this much longer than what was asked for

void* map(size_t size) {
    void* const p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
}

void give_back(void* p, size_t size) {
    if (size >= kMapFrom) {
        munmap(p, size);
    } else {
        std::free(p);
    }
}

void* allocate_from_system(void*, void* p, size_t old_size, size_t new_size) {
    if (new_size == 0) {
        give_back(p, old_size);
        return nullptr;
    }
    const bool mapped = old_size >= kMapFrom;
    const bool maps = new_size >= kMapFrom;
    if (mapped && maps) {
        void* const moved = mremap(p, old_size, new_size, MREMAP_MAYMOVE);
        return moved == MAP_FAILED ? nullptr : moved;
    }
    if (!mapped && !maps) return std::realloc(p, new_size);
    void* const fresh = maps ? map(new_size) : std::malloc(new_size);
    if (!fresh || !p) return fresh;
    std::memcpy(fresh, p, old_size < new_size ? old_size : new_size);
    give_back(p, old_size);
    return fresh;
}

// What a block of `size` takes of the process. An application's allocator keeps its own books.
size_t footprint(const Mem& mem, size_t size) {
    if (!mem.rounds || size == 0) return size;
    if (size > SIZE_MAX - kPage) return SIZE_MAX;  // will be refused
    if (size >= kMapFrom) return (size + kPage - 1) / kPage * kPage;
    return (size + kHeapHead + kHeapStep - 1) / kHeapStep * kHeapStep;
}

void count_heap(Mem& mem, size_t old_size, size_t new_size) {
    if (!mem.rounds) return;
    if (old_size < kMapFrom) mem.heap_bytes -= footprint(mem, old_size);
    if (new_size < kMapFrom) mem.heap_bytes += footprint(mem, new_size);
    if (mem.heap_bytes > mem.heap_peak_bytes) mem.heap_peak_bytes = mem.heap_bytes;
}

}  // namespace

void mem_init(Mem& mem, AllocateFn allocate, void* context) {
    mem = {};
    mem.allocate = allocate ? allocate : allocate_from_system;
    mem.context = context;
    mem.rounds = !allocate;
}

void* mem_alloc(Mem& mem, Purpose purpose, size_t size) { return mem_resize(mem, purpose, nullptr, 0, size); }

void* mem_resize(Mem& mem, Purpose purpose, void* p, size_t old_size, size_t new_size) {
    WSD_ASSERT(new_size > 0);
    const size_t before = footprint(mem, old_size);
    const size_t after = footprint(mem, new_size);
    if (after > before && (mem.held_bytes > mem.max_bytes || after - before > mem.max_bytes - mem.held_bytes)) {
        mem.refused_count++;
        return nullptr;
    }
    void* const moved = mem.allocate(mem.context, p, old_size, new_size);
    if (!moved) return nullptr;
    mem.allocation_count++;
    size_t& used = mem.used_bytes[size_t(purpose)];
    used = used - old_size + new_size;
    mem.held_bytes = mem.held_bytes - before + after;
    count_heap(mem, old_size, new_size);
    return moved;
}

void mem_free(Mem& mem, Purpose purpose, void* p, size_t size) {
    if (!p) return;
    size_t& used = mem.used_bytes[size_t(purpose)];
    WSD_ASSERT(used >= size);
    used -= size;
    mem.held_bytes -= footprint(mem, size);
    count_heap(mem, size, 0);
    (void)mem.allocate(mem.context, p, size, 0);  // freeing answers null, which says nothing
}

void mem_trim(Mem& mem) {
#if defined(__GLIBC__)
    if (mem.rounds) (void)malloc_trim(0);  // whether it found any is of no consequence
#endif
    mem.heap_peak_bytes = mem.heap_bytes;
}

size_t mem_used(const Mem& mem) {
    size_t sum = 0;
    for (const size_t used : mem.used_bytes) sum += used;
    return sum;
}

}  // namespace wsd
