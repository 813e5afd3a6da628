// The event loop: epoll, a timer wheel and a way to be woken, for one thread. It knows no word of any protocol.
//
// A turn is: wait, read the clock once, call every source that is ready, fire the timers that are due, then the
// end-of-turn hook. Memory of a source must stay until that hook: events of this turn may still name it.
#pragma once

#include "net/timer_wheel.h"

namespace wsd::net {

// A descriptor in the loop; a field of the object that it belongs to.
struct Source {
    void (*ready)(Source* source, uint32_t events) = nullptr;  // EPOLLIN, EPOLLOUT, ...
    int fd = -1;                                               // -1: not in the loop, never called
};

struct Reactor {
    int epoll_fd = -1;
    Source wake;  // eventfd
    TimerWheel wheel;
    uint64_t now_ms = 0;  // the clock as this turn read it

    uint64_t (*clock)(void* context) = nullptr;  // milliseconds; never null once opened
    void* clock_context = nullptr;
    bool (*end_of_turn)(void* context) = nullptr;  // true: there is more to do, so do not sleep
    void* turn_context = nullptr;
    bool more = false;  // what it answered last

    uint32_t busy_poll_us = 0;  // how long a turn looks for events before it sleeps
};

// False, with errno, if the system gives no descriptors; nothing is left open then. `clock`, `end_of_turn` and
// their contexts have been set by the caller.
[[nodiscard]] bool reactor_open(Reactor& reactor);

void reactor_close(Reactor& reactor);

// Registers source.fd, edge-triggered, for reading and the peer's half-close. What is ready now is reported too.
// False, with errno, if the kernel has no room.
[[nodiscard]] bool reactor_add(Reactor& reactor, Source& source);

// Has a source that was added told of room to write as well, from now on; of what is there now, too. False, with errno,
// if it was not added.
[[nodiscard]] bool reactor_add_writing(Reactor& reactor, Source& source);

// Registers or changes a level-triggered source for exactly `events`; false with errno.
[[nodiscard]] bool reactor_watch(Reactor& reactor, Source& source, uint32_t events, bool registered);

// Takes a source out of the loop and forgets its descriptor without closing it.
void reactor_remove(Reactor& reactor, Source& source);

// One turn, waiting at most `timeout_ms` (-1: as long as it takes). False, with errno, if the loop cannot wait.
[[nodiscard]] bool reactor_turn(Reactor& reactor, int timeout_ms);

// How long reactor_turn may sleep: 0 for not at all, -1 for no limit.
int reactor_sleep_ms(const Reactor& reactor);

// Ends the current or next wait. Any thread, and signal handlers.
void reactor_wake(const Reactor& reactor);

}  // namespace wsd::net
