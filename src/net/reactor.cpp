#include "net/reactor.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

namespace wsd::net {
namespace {

constexpr int kEventsPerWait = 256;
constexpr uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;

// The eventfd's count says nothing; reading it only makes the next wake-up an event again.
void on_wake(Source* source, uint32_t) {
    uint64_t count;
    (void)!read(source->fd, &count, sizeof count);
}

bool control(const Reactor& reactor, int operation, Source& source, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.ptr = &source;
    return epoll_ctl(reactor.epoll_fd, operation, source.fd, &event) == 0;
}

int sleep_from(const Reactor& reactor, uint64_t now_ms) {
    if (reactor.more) return 0;
    const uint64_t next = reactor.wheel.next_ms();
    if (next == kTimerNever) return -1;
    if (next <= now_ms) return 0;
    return next - now_ms > INT_MAX ? INT_MAX : int(next - now_ms);
}

// Looks for events without sleeping, for `most_us` at most. Answers as epoll_wait.
int busy_poll(const Reactor& reactor, epoll_event* events, uint64_t most_us) {
    const uint64_t begun_us = clock_monotonic_us();
    for (;;) {
        const int count = epoll_wait(reactor.epoll_fd, events, kEventsPerWait, 0);
        if (count != 0 || clock_monotonic_us() - begun_us >= most_us) return count;
    }
}

// As epoll_wait, busy at first where that is asked for.
int wait_for_events(const Reactor& reactor, epoll_event* events, int wait_ms) {
    if (reactor.busy_poll_us && wait_ms != 0) {
        const int busy_ms = int((reactor.busy_poll_us + 999) / 1000);  // rounded so that no timer is late for it
        const bool sleeps = wait_ms < 0 || wait_ms > busy_ms;
        const int count = busy_poll(reactor, events, sleeps ? reactor.busy_poll_us : uint64_t(wait_ms) * 1000);
        if (count != 0 || !sleeps) return count;
        if (wait_ms > 0) wait_ms -= busy_ms;
    }
    return epoll_wait(reactor.epoll_fd, events, kEventsPerWait, wait_ms);
}

}  // namespace

bool reactor_open(Reactor& reactor) {
    reactor.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (reactor.epoll_fd < 0) return false;
    reactor.wake = {on_wake, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (reactor.wake.fd >= 0 && control(reactor, EPOLL_CTL_ADD, reactor.wake, EPOLLIN)) {
        reactor.now_ms = reactor.clock(reactor.clock_context);
        reactor.wheel.advance(reactor.now_ms);
        return true;
    }
    const int reason = errno;
    reactor_close(reactor);
    errno = reason;
    return false;
}

void reactor_close(Reactor& reactor) {
    if (reactor.wake.fd >= 0) close(reactor.wake.fd);
    if (reactor.epoll_fd >= 0) close(reactor.epoll_fd);
    reactor.wake.fd = reactor.epoll_fd = -1;
}

bool reactor_add(Reactor& reactor, Source& source) { return control(reactor, EPOLL_CTL_ADD, source, kReading); }

bool reactor_add_writing(Reactor& reactor, Source& source) {
    return control(reactor, EPOLL_CTL_MOD, source, kReading | EPOLLOUT);
}

bool reactor_watch(Reactor& reactor, Source& source, uint32_t events, bool registered) {
    return control(reactor, registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, source, events);
}

void reactor_remove(Reactor& reactor, Source& source) {
    if (source.fd < 0) return;
    (void)control(reactor, EPOLL_CTL_DEL, source, 0);  // fails only for a descriptor that its owner closed before
    source.fd = -1;
}

int reactor_sleep_ms(const Reactor& reactor) { return sleep_from(reactor, reactor.clock(reactor.clock_context)); }

bool reactor_turn(Reactor& reactor, int timeout_ms) {
    // From the time that the last turn read: a turn is short, and a second look at the clock would be one a message.
    int wait_ms = timeout_ms == 0 ? 0 : sleep_from(reactor, reactor.now_ms);
    if (timeout_ms >= 0 && (wait_ms < 0 || wait_ms > timeout_ms)) wait_ms = timeout_ms;

    epoll_event events[kEventsPerWait];
    int count = wait_for_events(reactor, events, wait_ms);
    if (count < 0) {
        if (errno != EINTR) return false;
        count = 0;
    }
    reactor.now_ms = reactor.clock(reactor.clock_context);
    for (int i = 0; i < count; i++) {
        Source* const source = static_cast<Source*>(events[i].data.ptr);
        if (source->fd >= 0) source->ready(source, events[i].events);
    }
    reactor.wheel.advance(reactor.now_ms);
    reactor.more = reactor.end_of_turn(reactor.turn_context);
    return true;
}

void reactor_wake(const Reactor& reactor) {
    const uint64_t one = 1;
    const int saved = errno;                          // a signal handler must leave it as it was
    (void)!write(reactor.wake.fd, &one, sizeof one);  // a full counter has woken the loop already
    errno = saved;
}

}  // namespace wsd::net
