// Work handed to the loop from other threads and from signal handlers: a bounded ring that takes no lock and no memory.
#pragma once

#include <atomic>

#include "base/mem.h"

struct wsd_server;

namespace wsd::server {

struct Post {
    void (*fn)(wsd_server* server, void* arg) = nullptr;
    void* arg = nullptr;
};

// Many producers, one consumer. Each cell carries a sequence number that says whose turn it is with that cell:
// equal to the ticket, a producer's; one more, the consumer's. A producer that is interrupted between taking its
// ticket and publishing holds back only what was posted after it.
class PostQueue {
  public:
    // `capacity` is a power of two. False when memory is refused.
    [[nodiscard]] bool open(Mem& mem, uint32_t capacity);
    void close(Mem& mem);

    // Any thread; false when full.
    [[nodiscard]] bool push(Post post);

    // Loop thread; false when there is nothing ready.
    [[nodiscard]] bool pop(Post* post);

  private:
    struct Cell {
        std::atomic<uint32_t> sequence;
        Post post;
    };

    Cell* cells_ = nullptr;
    uint32_t mask_ = 0;
    std::atomic<uint32_t> tail_ = 0;  // next ticket for a producer
    uint32_t head_ = 0;               // next ticket for the consumer
};

}  // namespace wsd::server
