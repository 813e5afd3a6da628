#include "net/out_queue.h"

#include "base/assert.h"

namespace wsd::net {

struct Chunk {
    Chunk* next;
    SharedBlock* block;  // where the bytes are, held; null: behind this struct
    const uint8_t* p;    // first byte owed
    size_t len;          // bytes owed, > 0
    size_t capacity;     // of the room behind this struct
    UnitKey key;
    uint32_t units;
    bool begun;  // some of it has been written

    uint8_t* own() { return reinterpret_cast<uint8_t*>(this + 1); }
};

namespace {

// Small units share a chunk, so that a peer that is slow to take a thousand of them does not cost a thousand blocks.
constexpr size_t kChunkMin = 256;
constexpr size_t kShareBelow = 4096;
constexpr size_t kPartsPerWrite = 256;  // 4 KiB of the stack

Chunk* chunk_new(Mem& mem, size_t capacity) {
    if (capacity > SIZE_MAX - sizeof(Chunk)) return nullptr;
    Chunk* const chunk = static_cast<Chunk*>(mem_alloc(mem, Purpose::kSend, sizeof(Chunk) + capacity));
    if (chunk) *chunk = {nullptr, nullptr, chunk->own(), 0, capacity, 0, 0, false};
    return chunk;
}

void chunk_free(Mem& mem, Chunk* chunk) {
    block_release(chunk->block);
    mem_free(mem, Purpose::kSend, chunk, sizeof(Chunk) + chunk->capacity);
}

void append(OutQueue& queue, Chunk* chunk) {
    (queue.tail ? queue.tail->next : queue.head) = chunk;
    queue.tail = chunk;
}

// Counts bytes and units that have just been put into `chunk`.
void account(OutQueue& queue, Chunk& chunk, size_t bytes, uint32_t units) {
    chunk.len += bytes;
    chunk.units += units;
    queue.bytes += bytes;
    queue.units += units;
}

void forget(OutQueue& queue, const Chunk& chunk) {
    queue.bytes -= chunk.len;
    queue.units -= chunk.units;
}

// The only chunk, made larger: one part is less work for the kernel than two, and where there are more already, that is
// lost. By four, as what fills one soon fills the next. Null when memory is refused.
Chunk* enlarge(Mem& mem, OutQueue& queue, size_t need) {
    Chunk* const only = queue.head;
    const size_t before = only->capacity;
    size_t capacity = 4 * before;
    while (capacity < need) capacity *= 2;
    if (capacity > kShareBelow) capacity = kShareBelow;
    const size_t written = size_t(only->p - only->own());
    void* const moved = mem_resize(mem, Purpose::kSend, only, sizeof(Chunk) + before, sizeof(Chunk) + capacity);
    if (!moved) return nullptr;
    Chunk* const chunk = static_cast<Chunk*>(moved);
    chunk->p = chunk->own() + written;
    chunk->capacity = capacity;
    return queue.head = queue.tail = chunk;
}

// The tail, if `more` bytes fit behind what it owns, or can be made to.
Chunk* tail_with_room(Mem& mem, OutQueue& queue, size_t more) {
    Chunk* const tail = queue.tail;
    if (!tail || tail->block || tail->key) return nullptr;
    const size_t need = size_t(tail->p - tail->own()) + tail->len + more;
    if (need <= tail->capacity) return tail;
    return tail == queue.head && need <= kShareBelow ? enlarge(mem, queue, need) : nullptr;
}

// Grows with the queue, so that a peer that falls far behind costs few blocks and one that blinks costs little.
size_t capacity_for(const OutQueue& queue, size_t need, UnitKey key) {
    if (key || need >= kShareBelow) return need;
    size_t capacity = queue.bytes < kChunkMin ? kChunkMin : queue.bytes;
    if (capacity > kShareBelow) capacity = kShareBelow;
    return capacity < need ? need : capacity;
}

// Takes `n` written bytes off the front.
void consume(Mem& mem, OutQueue& queue, size_t n) {
    while (n > 0) {
        Chunk* const chunk = queue.head;
        WSD_ASSERT(chunk);
        if (n < chunk->len) {
            const uint32_t left = units_left(chunk->units, chunk->len, n);
            queue.units -= chunk->units - left;
            chunk->units = left;
            chunk->p += n;
            chunk->len -= n;
            chunk->begun = true;
            queue.bytes -= n;
            return;
        }
        n -= chunk->len;
        forget(queue, *chunk);
        queue.head = chunk->next;
        if (!queue.head) queue.tail = nullptr;
        chunk_free(mem, chunk);
    }
}

}  // namespace

bool out_queue_copy(Mem& mem, OutQueue& queue, Bytes head, Bytes body, uint32_t units, UnitKey key) {
    if (body.len > SIZE_MAX - head.len) return false;
    const size_t need = head.len + body.len;
    WSD_ASSERT(need > 0);
    Chunk* chunk = key ? nullptr : tail_with_room(mem, queue, need);
    if (!chunk) {
        chunk = chunk_new(mem, capacity_for(queue, need, key));
        if (!chunk) return false;
        chunk->key = key;
        append(queue, chunk);
    }
    uint8_t* const end = const_cast<uint8_t*>(chunk->p) + chunk->len;  // own bytes: writable
    if (head.len) std::memcpy(end, head.p, head.len);
    if (body.len) std::memcpy(end + head.len, body.p, body.len);
    account(queue, *chunk, need, units);
    return true;
}

bool out_queue_share(Mem& mem, OutQueue& queue, Bytes head, SharedBlock* block, Bytes part, UnitKey key) {
    WSD_ASSERT(part.len > 0 && !(head.len && key));  // a unit that can be replaced is one chunk
    Chunk* const chunk = chunk_new(mem, 0);
    if (!chunk) return false;
    if (head.len && !out_queue_copy(mem, queue, head, {}, 0, 0)) {
        chunk_free(mem, chunk);
        return false;
    }
    chunk->block = block_hold(block);
    chunk->p = part.p;
    chunk->key = key;
    append(queue, chunk);
    account(queue, *chunk, part.len, 1);
    return true;
}

bool out_queue_waits(const OutQueue& queue, UnitKey key) {
    for (const Chunk* c = queue.head; c; c = c->next) {
        if (c->key == key && !c->begun) return true;
    }
    return false;
}

void out_queue_replace(Mem& mem, OutQueue& queue, UnitKey key) {
    Chunk* const fresh = queue.tail;
    WSD_ASSERT(key && fresh && fresh->key == key);
    Chunk** link = &queue.head;
    while (*link != fresh && ((*link)->key != key || (*link)->begun)) link = &(*link)->next;
    Chunk* const stale = *link;
    if (stale == fresh) return;

    // The chunk before `fresh` becomes the tail; where that is `stale` itself, `fresh` simply takes its place.
    Chunk* before = stale;
    while (before->next != fresh) before = before->next;
    before->next = nullptr;
    *link = fresh;
    fresh->next = stale->next;
    queue.tail = before == stale ? fresh : before;
    forget(queue, *stale);
    chunk_free(mem, stale);
}

Io out_queue_write(Mem& mem, OutQueue& queue, int fd, size_t* written) {
    *written = 0;
    while (queue.head) {
        iovec parts[kPartsPerWrite];
        size_t count = 0;
        size_t offered = 0;
        for (Chunk* c = queue.head; c && count < kPartsPerWrite; c = c->next) {
            parts[count++] = {const_cast<uint8_t*>(c->p), c->len};
            offered += c->len;
        }
        size_t n = 0;
        const Io io = send_parts(fd, parts, count, &n);
        if (io != Io::kOk) return io;
        consume(mem, queue, n);
        *written += n;
        // The kernel took less than it was offered: its buffer is full, and asking again would only say so.
        if (n < offered) return Io::kAgain;
    }
    return Io::kOk;
}

void out_queue_clear(Mem& mem, OutQueue& queue) {
    while (queue.head) {
        Chunk* const chunk = queue.head;
        queue.head = chunk->next;
        chunk_free(mem, chunk);
    }
    queue.tail = nullptr;
    queue.bytes = 0;
    queue.units = 0;
}

}  // namespace wsd::net
