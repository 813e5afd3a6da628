// Objects named by 64-bit ids that never dangle: slot and generation. Slots live in slabs that never move, lookup is
// two loads and a comparison, and a slot's generation changes each time it is taken or given back.
#pragma once

#include <new>
#include <type_traits>

#include "base/assert.h"
#include "base/mem.h"

namespace wsd::server {

// First member of everything in a pool. The generation is odd while the slot is in use, so no id is ever 0.
struct Handle {
    uint32_t slot = 0;
    uint32_t generation = 0;
};

inline uint64_t id_of(Handle handle) { return uint64_t(handle.generation) << 32 | handle.slot; }

template <class T>
class Pool {
    static_assert(std::is_standard_layout_v<T> && offsetof(T, handle) == 0);

  public:
    Pool(Mem& mem, Purpose purpose) : mem_(mem), purpose_(purpose) {}
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Gives all slabs back. Every object must have been freed.
    void release() {
        WSD_ASSERT(live_ == 0);
        for (uint32_t i = 0; i < slab_count_; i++) mem_free(mem_, purpose_, slabs_[i], sizeof(Slab));
        mem_free(mem_, purpose_, slabs_, slab_room_ * sizeof(Slab*));
        slabs_ = nullptr;
        slab_count_ = 0;
        slab_room_ = 0;
        free_ = kNone;
    }

    // A default-constructed object with its handle set, or null when memory is refused.
    T* make() {
        if (free_ == kNone && !add_slab()) return nullptr;
        const FreeCell cell = *std::launder(reinterpret_cast<FreeCell*>(cell_at(free_).bytes));
        T* const object = new (cell_at(free_).bytes) T;
        object->handle = {cell.handle.slot, cell.handle.generation + 1};
        free_ = cell.next_free;
        live_++;
        return object;
    }

    void free(T* object) {
        const Handle handle = object->handle;
        object->~T();
        put_free(object, {handle.slot, handle.generation + 1});
        live_--;
    }

    // The object of that id, or null if it is gone.
    T* find(uint64_t id) const {
        const uint32_t slot = uint32_t(id);
        const uint32_t generation = uint32_t(id >> 32);
        if (slot >= slab_count_ * kPerSlab || !(generation & 1)) return nullptr;
        T* const object = object_at(slot);
        return object->handle.generation == generation ? object : nullptr;
    }

    // The live object in the first slot from `*slot` on, moving `*slot` behind it; null after the last. A walk over
    // everything: for shutting down, never for traffic.
    T* next(uint32_t* slot) const {
        while (*slot < slab_count_ * kPerSlab) {
            T* const object = object_at((*slot)++);
            if (object->handle.generation & 1) return object;
        }
        return nullptr;
    }

    uint32_t live_count() const { return live_; }

  private:
    static constexpr uint32_t kPerSlab = 64;
    static constexpr uint32_t kNone = UINT32_MAX;

    // A cell holds a T or, while it is free, this. Both begin with the handle, which can be read in either case.
    struct FreeCell {
        Handle handle;
        uint32_t next_free;
    };
    struct Cell {
        alignas(T) unsigned char bytes[sizeof(T)];
    };
    static_assert(sizeof(T) >= sizeof(FreeCell));
    struct Slab {
        Cell cells[kPerSlab];
    };

    Cell& cell_at(uint32_t slot) const { return slabs_[slot / kPerSlab]->cells[slot % kPerSlab]; }
    // Only its handle may be used until that has said whether it is live.
    T* object_at(uint32_t slot) const { return std::launder(reinterpret_cast<T*>(cell_at(slot).bytes)); }

    void put_free(void* cell, Handle handle) {
        new (cell) FreeCell{handle, free_};
        free_ = handle.slot;
    }

    bool add_slab() {
        if (slab_count_ == slab_room_) {
            const size_t room = slab_room_ ? slab_room_ * 2 : 4;
            void* const moved = mem_resize(mem_, purpose_, slabs_, slab_room_ * sizeof(Slab*), room * sizeof(Slab*));
            if (!moved) return false;
            slabs_ = static_cast<Slab**>(moved);
            slab_room_ = room;
        }
        Slab* const slab = static_cast<Slab*>(mem_alloc(mem_, purpose_, sizeof(Slab)));
        if (!slab) return false;
        slabs_[slab_count_] = slab;
        const uint32_t first = slab_count_++ * kPerSlab;
        for (uint32_t i = kPerSlab; i-- > 0;) put_free(slab->cells[i].bytes, {first + i, 0});
        return true;
    }

    Mem& mem_;
    Slab** slabs_ = nullptr;
    size_t slab_room_ = 0;
    uint32_t slab_count_ = 0;
    uint32_t free_ = kNone;
    uint32_t live_ = 0;
    Purpose purpose_;
};

}  // namespace wsd::server
