#include "server/post.h"

#include <new>

namespace wsd::server {

bool PostQueue::open(Mem& mem, uint32_t capacity) {
    void* const room = mem_alloc(mem, Purpose::kServer, capacity * sizeof(Cell));
    if (!room) return false;
    cells_ = static_cast<Cell*>(room);
    mask_ = capacity - 1;
    for (uint32_t i = 0; i < capacity; i++) (new (&cells_[i]) Cell)->sequence.store(i, std::memory_order_relaxed);
    return true;
}

void PostQueue::close(Mem& mem) {
    mem_free(mem, Purpose::kServer, cells_, (size_t(mask_) + 1) * sizeof(Cell));
    cells_ = nullptr;
}

bool PostQueue::push(Post post) {
    uint32_t ticket = tail_.load(std::memory_order_relaxed);
    for (;;) {
        Cell& cell = cells_[ticket & mask_];
        const int32_t ahead = int32_t(cell.sequence.load(std::memory_order_acquire) - ticket);
        if (ahead < 0) return false;  // the consumer has not taken what stands here from the last round
        if (ahead > 0) {
            ticket = tail_.load(std::memory_order_relaxed);
        } else if (tail_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed)) {
            cell.post = post;
            cell.sequence.store(ticket + 1, std::memory_order_release);
            return true;
        }
    }
}

bool PostQueue::pop(Post* post) {
    Cell& cell = cells_[head_ & mask_];
    if (cell.sequence.load(std::memory_order_acquire) != head_ + 1) return false;
    *post = cell.post;
    cell.sequence.store(head_ + mask_ + 1, std::memory_order_release);
    head_++;
    return true;
}

}  // namespace wsd::server
