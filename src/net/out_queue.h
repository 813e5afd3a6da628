// Bytes owed to one peer, in order: copies of small things and references to shared ones, written with as few system
// calls as the kernel allows. It exists only while something is owed, and knows frames no more than a pipe would: a
// *unit* is what may be dropped or replaced as a whole.
#pragma once

#include "base/list.h"
#include "net/shared_block.h"
#include "net/socket.h"

namespace wsd::net {

struct Chunk;  // some of the queue's bytes; private to out_queue.cpp

struct OutQueue {
    Chunk* head = nullptr;
    Chunk* tail = nullptr;
    size_t bytes = 0;               // not yet taken by the kernel
    uint32_t units = 0;             // not yet taken whole; about, where the kernel took some of those in one chunk
    uint64_t stalled_since_ms = 0;  // when the kernel last took something, or the queue came to be; the owner's to set
    void* owner = nullptr;          // whose it is, and its place among other queues: the owner's to set, too
    ListNode node;
    uint8_t rank = 0;
};

// 0: a unit that is never looked for. Others name at most one waiting unit each.
using UnitKey = uint64_t;

// How many of the `units` in `bytes` bytes are left when `taken` of these have gone: about, since it is not known where
// each ends, and never none before the last byte.
inline uint32_t units_left(uint32_t units, size_t bytes, size_t taken) {
    return uint32_t((uint64_t(units) * (bytes - taken) + bytes - 1) / bytes);
}

// Appends `head` followed by `body`, copied. `units` is how many units those bytes are; with `key` they are one.
// False when memory is refused: nothing is queued.
[[nodiscard]] bool out_queue_copy(Mem& mem, OutQueue& queue, Bytes head, Bytes body, uint32_t units, UnitKey key);

// Appends one unit: `head`, copied, then `part`, which lies in `block` and stays there, held until it has been written.
// False when memory is refused: nothing is queued.
[[nodiscard]] bool out_queue_share(Mem& mem, OutQueue& queue, Bytes head, SharedBlock* block, Bytes part, UnitKey key);

// Does a unit called `key` wait whole?
bool out_queue_waits(const OutQueue& queue, UnitKey key);

// Removes the unit called `key` if it waits whole, and puts the one that was appended last in its place; without
// one it does nothing. To replace: append, then call this.
void out_queue_replace(Mem& mem, OutQueue& queue, UnitKey key);

// Writes until the queue is empty (kOk) or the kernel takes no more (kAgain, or an error that ended the connection).
// `*written` is what went out, whatever the answer.
[[nodiscard]] Io out_queue_write(Mem& mem, OutQueue& queue, int fd, size_t* written);

// Drops everything.
void out_queue_clear(Mem& mem, OutQueue& queue);

}  // namespace wsd::net
