#include "base/mem.h"

#include <cstdlib>

#include "base/assert.h"

namespace wsd {
namespace {

void* allocate_from_libc(void*, void* p, size_t, size_t new_size) {
    if (new_size == 0) {
        std::free(p);
        return nullptr;
    }
    return std::realloc(p, new_size);
}

}  // namespace

void mem_init(Mem& mem, AllocateFn allocate, void* context) {
    mem = {};
    mem.allocate = allocate ? allocate : allocate_from_libc;
    mem.context = context;
}

void* mem_alloc(Mem& mem, Purpose purpose, size_t size) { return mem_resize(mem, purpose, nullptr, 0, size); }

void* mem_resize(Mem& mem, Purpose purpose, void* p, size_t old_size, size_t new_size) {
    WSD_ASSERT(new_size > 0);
    void* const moved = mem.allocate(mem.context, p, old_size, new_size);
    if (!moved) return nullptr;
    mem.allocation_count++;
    size_t& used = mem.used_bytes[size_t(purpose)];
    used = used - old_size + new_size;
    return moved;
}

void mem_free(Mem& mem, Purpose purpose, void* p, size_t size) {
    if (!p) return;
    size_t& used = mem.used_bytes[size_t(purpose)];
    WSD_ASSERT(used >= size);
    used -= size;
    (void)mem.allocate(mem.context, p, size, 0);  // freeing answers null, which says nothing
}

size_t mem_used(const Mem& mem) {
    size_t sum = 0;
    for (const size_t used : mem.used_bytes) sum += used;
    return sum;
}

}  // namespace wsd
