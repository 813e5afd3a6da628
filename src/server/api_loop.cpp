// The C functions of wsd.h that lend the loop to the application: timers and watched descriptors.
#include <errno.h>
#include <sys/epoll.h>

#include "server/histogram.h"
#include "server/server.h"

using namespace wsd;
using namespace wsd::server;

namespace {

// The timer is given back first, so that its function may start another and finds this one's name dead.
void user_timer_fired(net::Timer* timer) {
    UserTimer* const due = WSD_CONTAINER_OF(timer, UserTimer, timer);
    Server& server = *due->server;
    const auto fn = due->fn;
    void* const arg = due->arg;
    histogram_add(server.stats.loop_lag, now_ms(server) - timer->when_ms);
    server.timers.free(due);
    fn(&server, arg);
}

void watch_ready(net::Source* source, uint32_t events) {
    const Watch& watch = *WSD_CONTAINER_OF(source, Watch, source);
    unsigned ready = 0;
    if (events & EPOLLIN) ready |= WSD_READABLE;
    if (events & EPOLLOUT) ready |= WSD_WRITABLE;
    if (events & (EPOLLERR | EPOLLHUP)) ready = WSD_READABLE | WSD_WRITABLE;
    ready &= watch.events;
    if (ready) watch.fn(watch.server, source->fd, ready, watch.arg);
}

// A program watches a handful of descriptors, so a list will do.
Watch* find_watch(Server& server, int fd) {
    for (ListNode* node = server.watches.head.next; node != &server.watches.head; node = node->next) {
        Watch* const watch = WSD_CONTAINER_OF(node, Watch, node);
        if (watch->source.fd == fd) return watch;
    }
    return nullptr;
}

}  // namespace

extern "C" int wsd_timer_start(wsd_server* server, uint64_t delay_ms, void (*fn)(wsd_server*, void*), void* arg,
                               wsd_timer* timer) {
    if (!server || !fn) return WSD_E_INVALID;
    UserTimer* const user = server->timers.make();
    if (!user) return WSD_E_NOMEM;
    user->server = server;
    user->fn = fn;
    user->arg = arg;
    user->timer.fired = user_timer_fired;
    see_time(*server);
    const uint64_t now = now_ms(*server);
    server->reactor.wheel.arm(user->timer, delay_ms > net::kTimerNever - now ? net::kTimerNever : now + delay_ms);
    if (timer) *timer = id_of(user->handle);
    return WSD_OK;
}

extern "C" int wsd_timer_stop(wsd_server* server, wsd_timer timer) {
    if (!server) return WSD_E_INVALID;
    UserTimer* const user = server->timers.find(timer);
    if (!user) return WSD_E_CLOSED;
    server->reactor.wheel.cancel(user->timer);
    server->timers.free(user);
    return WSD_OK;
}

extern "C" int wsd_watch(wsd_server* server, int fd, unsigned events, wsd_watch_fn fn, void* arg) {
    if (!server || fd < 0 || !fn || !events || (events & ~unsigned(WSD_READABLE | WSD_WRITABLE))) return WSD_E_INVALID;
    Watch* const known = find_watch(*server, fd);
    Watch* watch = known;
    if (!watch) {
        void* const room = mem_alloc(server->mem, Purpose::kServer, sizeof(Watch));
        if (!room) return WSD_E_NOMEM;
        watch = new (room) Watch;
        watch->source = {watch_ready, fd};
        watch->server = server;
    }
    const uint32_t wanted =
        (events & WSD_READABLE ? uint32_t(EPOLLIN) : 0) | (events & WSD_WRITABLE ? uint32_t(EPOLLOUT) : 0);
    if (!net::reactor_watch(server->reactor, watch->source, wanted, known != nullptr)) {
        const int reason = errno;
        if (!known) mem_free(server->mem, Purpose::kServer, watch, sizeof(Watch));
        errno = reason;
        return WSD_E_SYSTEM;
    }
    watch->fn = fn;
    watch->arg = arg;
    watch->events = events;
    if (!known) list_push_back(server->watches, watch->node);
    return WSD_OK;
}

extern "C" int wsd_unwatch(wsd_server* server, int fd) {
    Watch* const watch = server && fd >= 0 ? find_watch(*server, fd) : nullptr;
    if (!watch) return WSD_E_INVALID;
    net::reactor_remove(server->reactor, watch->source);
    list_unlink(watch->node);
    list_push_back(server->watches_gone, watch->node);  // an event of this turn may still name it
    return WSD_OK;
}
