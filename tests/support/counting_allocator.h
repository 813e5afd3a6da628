// An allocator for wsd_config.allocate that counts what is held and asked for, checks that every size told when giving
// back is the size that was taken, and refuses the allocation of a given number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace test {

struct CountingAllocator {
    size_t live_bytes = 0;
    uint64_t calls = 0;        // that asked for memory
    size_t largest_bytes = 0;  // that were asked for at once, since a test last set it to 0
    uint64_t refuse_at = 0;    // the call that is refused, counted from 1; 0: none
    bool refuse_all = false;   // from now on
    bool refused = false;      // that call came
    bool sizes_agree = true;

    static void* allocate(void* context, void* p, size_t old_size, size_t new_size) {
        return static_cast<CountingAllocator*>(context)->resize(p, old_size, new_size);
    }

  private:
    // In front of every block: its size, and as much as keeps the block aligned.
    struct alignas(std::max_align_t) Head {
        size_t size;
    };

    void* resize(void* p, size_t old_size, size_t new_size) {
        Head* const old = p ? static_cast<Head*>(p) - 1 : nullptr;
        if ((old ? old->size : 0) != old_size) sizes_agree = false;
        if (new_size > 0 && (++calls == refuse_at || refuse_all)) {
            refused = true;
            return nullptr;
        }
        if (new_size > largest_bytes) largest_bytes = new_size;
        // Always moved, so that a pointer kept over a growth is seen by the sanitizers.
        Head* fresh = nullptr;
        if (new_size > 0) {
            fresh = static_cast<Head*>(std::malloc(sizeof(Head) + new_size));
            if (!fresh) return nullptr;
            fresh->size = new_size;
            if (old) std::memcpy(fresh + 1, p, old_size < new_size ? old_size : new_size);
        }
        live_bytes += new_size - old_size;
        std::free(old);
        return fresh ? fresh + 1 : nullptr;
    }
};

}  // namespace test
