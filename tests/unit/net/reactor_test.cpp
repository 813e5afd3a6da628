#include "net/reactor.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "support/descriptors.h"
#include "support/interruption.h"

using namespace wsd;
using namespace wsd::net;
using test::DescriptorLimit;
using test::Fd;
using test::Interruption;
using test::next_descriptor;

namespace {

// A reactor whose clock is the test's, and a log of what it called, in order.
struct Bed {
    Reactor reactor;
    uint64_t now_ms = 5000;
    int clock_reads = 0;
    bool more = false;
    std::vector<std::string> log;
    void (*at_end)(Bed& bed) = nullptr;

    Bed() {
        reactor.clock = [](void* context) {
            Bed& bed = *static_cast<Bed*>(context);
            bed.clock_reads++;
            return bed.now_ms;
        };
        reactor.end_of_turn = [](void* context) {
            Bed& bed = *static_cast<Bed*>(context);
            bed.log.push_back("end");
            if (bed.at_end) bed.at_end(bed);
            return bed.more;
        };
        reactor.clock_context = reactor.turn_context = this;
    }
    ~Bed() { reactor_close(reactor); }

    // One turn without sleep: what was called, and "end".
    std::vector<std::string> turn() {
        log.clear();
        CHECK(reactor_turn(reactor, 0));
        return log;
    }
};

struct OpenBed : Bed {
    OpenBed() { REQUIRE(reactor_open(reactor)); }
};

// One end of a socket pair in the loop; it notes how often it was called and with what.
struct Probe {
    Source source;
    Bed* bed;
    std::string name;
    Fd here, there;
    uint32_t events = 0;  // of the last call
    int calls = 0;
    void (*action)(Probe& probe) = nullptr;
    Probe* other = nullptr;

    explicit Probe(Bed& in, const char* called = "probe") : bed(&in), name(called) {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
        here.fd = ends[0];
        there.fd = ends[1];
        source = {ready, here};
    }

    static void ready(Source* source, uint32_t events) {
        Probe& probe = *WSD_CONTAINER_OF(source, Probe, source);
        probe.bed->log.push_back(probe.name);
        probe.events = events;
        probe.calls++;
        if (probe.action) probe.action(probe);
    }

    void hear(const char* text = "x") { REQUIRE(send(there, text, 1, 0) == 1); }
    void read() {
        char byte;
        REQUIRE(recv(here, &byte, 1, 0) == 1);
    }
};

struct Alarm {
    Timer timer;
    Bed* bed;
    uint64_t seen_ms = 0;

    explicit Alarm(Bed& in) : bed(&in) {
        timer.fired = [](Timer* fired) {
            Alarm& alarm = *WSD_CONTAINER_OF(fired, Alarm, timer);
            alarm.bed->log.push_back("timer");
            alarm.seen_ms = alarm.bed->reactor.now_ms;
        };
    }
    ~Alarm() { bed->reactor.wheel.cancel(timer); }

    void set(uint64_t when_ms) { bed->reactor.wheel.arm(timer, when_ms); }
};

using Log = std::vector<std::string>;

// Is there something for the loop to do, as a foreign loop sees it?
bool is_ready(const Reactor& reactor) {
    pollfd watched = {reactor.epoll_fd, POLLIN, 0};
    return poll(&watched, 1, 0) == 1;
}

}  // namespace

TEST_CASE("a reactor opens at its clock's time, and its descriptors are closed on exec") {
    OpenBed bed;
    CHECK(bed.reactor.now_ms == 5000);
    CHECK(bed.reactor.wheel.now_ms() == 5000);
    CHECK(fcntl(bed.reactor.epoll_fd, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(bed.reactor.wake.fd, F_GETFD) == FD_CLOEXEC);
    CHECK(bed.turn() == Log{"end"});
}

TEST_CASE("without descriptors nothing is opened, and nothing is left open") {
    for (const int left : {0, 1}) {
        CAPTURE(left);
        Bed bed;
        const int before = next_descriptor();
        {
            const DescriptorLimit limit(left);
            CHECK_FALSE(reactor_open(bed.reactor));
            CHECK(errno == EMFILE);
        }
        CHECK(bed.reactor.epoll_fd == -1);
        CHECK(bed.reactor.wake.fd == -1);
        CHECK(next_descriptor() == before);
        CHECK(reactor_open(bed.reactor));
    }
}

TEST_CASE("closing gives back every descriptor, and may be repeated") {
    const int before = next_descriptor();
    OpenBed bed;
    CHECK(next_descriptor() != before);
    reactor_close(bed.reactor);
    reactor_close(bed.reactor);
    CHECK(next_descriptor() == before);
}

TEST_CASE("what is ready when a source is added is told, and an edge is told once") {
    OpenBed bed;
    Probe probe(bed);
    probe.hear();
    REQUIRE(reactor_add(bed.reactor, probe.source));
    CHECK(bed.turn() == Log{"probe", "end"});
    CHECK(probe.events == EPOLLIN);
    CHECK(bed.turn() == Log{"end"});  // nothing was read, yet nothing is new
    probe.hear();
    CHECK(bed.turn() == Log{"probe", "end"});
    probe.read();
    probe.read();
    CHECK(bed.turn() == Log{"end"});
}

TEST_CASE("room to write is a new edge after the socket was full") {
    OpenBed bed;
    Probe probe(bed);
    CHECK_FALSE(reactor_add_writing(bed.reactor, probe.source));
    REQUIRE(reactor_add(bed.reactor, probe.source));
    CHECK(bed.turn() == Log{"end"});  // there is room, but nobody has asked
    REQUIRE(reactor_add_writing(bed.reactor, probe.source));
    CHECK(bed.turn() == Log{"probe", "end"});
    const std::string block(65536, 'x');
    while (send(probe.here, block.data(), block.size(), 0) > 0) continue;
    CHECK(bed.turn() == Log{"end"});
    std::vector<char> sink(1 << 20);
    while (recv(probe.there, sink.data(), sink.size(), 0) > 0) continue;
    CHECK(bed.turn() == Log{"probe", "end"});
    CHECK(probe.events == EPOLLOUT);
}

TEST_CASE("the peer's half-close and its end are told") {
    OpenBed bed;
    Probe probe(bed);
    REQUIRE(reactor_add(bed.reactor, probe.source));
    shutdown(probe.there, SHUT_WR);
    (void)bed.turn();
    CHECK(probe.calls == 1);
    CHECK((probe.events & (EPOLLRDHUP | EPOLLHUP)) == EPOLLRDHUP);
    probe.there.close();
    (void)bed.turn();
    CHECK(probe.calls == 2);
    CHECK((probe.events & EPOLLHUP));
}

TEST_CASE("a watch is told each turn for as long as it is ready, of what it asked for only") {
    OpenBed bed;
    Probe probe(bed);
    REQUIRE(reactor_watch(bed.reactor, probe.source, EPOLLIN, false));
    CHECK(bed.turn() == Log{"end"});  // it could write
    probe.hear();
    for (int i = 0; i < 3; i++) CHECK(bed.turn() == Log{"probe", "end"});
    CHECK(probe.events == EPOLLIN);
    probe.read();
    CHECK(bed.turn() == Log{"end"});

    REQUIRE(reactor_watch(bed.reactor, probe.source, EPOLLOUT, true));
    probe.hear();
    for (int i = 0; i < 3; i++) CHECK(bed.turn() == Log{"probe", "end"});
    CHECK(probe.events == EPOLLOUT);
}

TEST_CASE("what the kernel does not take is refused, and errno says why") {
    OpenBed bed;
    Probe probe(bed);
    CHECK_FALSE(reactor_watch(bed.reactor, probe.source, EPOLLIN, true));  // not registered yet
    CHECK(errno == ENOENT);
    REQUIRE(reactor_add(bed.reactor, probe.source));
    CHECK_FALSE(reactor_add(bed.reactor, probe.source));
    CHECK(errno == EEXIST);
    Source closed = {Probe::ready, next_descriptor()};
    CHECK_FALSE(reactor_add(bed.reactor, closed));
    CHECK(errno == EBADF);
    const Fd file(open("/", O_RDONLY));
    Source never_waits = {Probe::ready, file};
    CHECK_FALSE(reactor_add(bed.reactor, never_waits));
    CHECK(errno == EPERM);
}

TEST_CASE("a removed source keeps its descriptor, is not called any more, and may be removed again") {
    OpenBed bed;
    Probe probe(bed);
    REQUIRE(reactor_add(bed.reactor, probe.source));
    probe.hear();
    reactor_remove(bed.reactor, probe.source);
    CHECK(probe.source.fd == -1);
    probe.read();  // the descriptor is open
    reactor_remove(bed.reactor, probe.source);
    CHECK(bed.turn() == Log{"end"});
    probe.source.fd = probe.here;
    CHECK(reactor_add(bed.reactor, probe.source));  // as a new one

    probe.here.close();
    reactor_remove(bed.reactor, probe.source);  // closed before: the kernel has forgotten it
    CHECK(probe.source.fd == -1);
}

TEST_CASE("a source removed by another in the same turn is not called, and its memory lasts until the turn's end") {
    OpenBed bed;
    Probe first(bed, "removes");
    static std::unique_ptr<Probe> s_second;
    s_second = std::make_unique<Probe>(bed, "removes");
    first.other = s_second.get();
    s_second->other = &first;
    const auto remove_other = [](Probe& probe) { reactor_remove(probe.bed->reactor, probe.other->source); };
    first.action = s_second->action = remove_other;
    bed.at_end = [](Bed&) { s_second.reset(); };
    REQUIRE(reactor_add(bed.reactor, first.source));
    REQUIRE(reactor_add(bed.reactor, s_second->source));
    first.hear();
    s_second->hear();
    CHECK(bed.turn() == Log{"removes", "end"});  // whichever the kernel named first
    CHECK(bed.turn() == Log{"end"});
}

TEST_CASE("a source may remove itself") {
    OpenBed bed;
    Probe probe(bed);
    probe.action = [](Probe& p) { reactor_remove(p.bed->reactor, p.source); };
    REQUIRE(reactor_watch(bed.reactor, probe.source, EPOLLOUT, false));
    CHECK(bed.turn() == Log{"probe", "end"});
    CHECK(bed.turn() == Log{"end"});
}

TEST_CASE("more sources than one wait takes are all called, each once") {
    OpenBed bed;
    struct Counter {
        Source source;
        Fd fd;
        int calls = 0;
    };
    std::vector<Counter> counters(600);
    for (Counter& counter : counters) {
        counter.fd.fd = eventfd(1, EFD_NONBLOCK);
        counter.source = {[](Source* source, uint32_t) { WSD_CONTAINER_OF(source, Counter, source)->calls++; },
                          counter.fd};
        REQUIRE(reactor_add(bed.reactor, counter.source));
    }
    for (int i = 0; i < 4; i++) (void)bed.turn();
    for (const Counter& counter : counters) REQUIRE(counter.calls == 1);
}

TEST_CASE("a turn calls the sources, then the timers, then its end, and reads the clock once") {
    OpenBed bed;
    Probe probe(bed);
    Alarm due(bed), later(bed);
    REQUIRE(reactor_add(bed.reactor, probe.source));
    probe.hear();
    due.set(5010);
    later.set(5011);
    bed.now_ms = 5010;
    bed.clock_reads = 0;
    probe.action = [](Probe& p) { p.bed->now_ms = 6000; };  // this turn does not notice
    CHECK(bed.turn() == Log{"probe", "timer", "end"});
    CHECK(bed.clock_reads == 1);
    CHECK(due.seen_ms == 5010);
    CHECK(later.seen_ms == 0);
    CHECK(bed.turn() == Log{"timer", "end"});
    CHECK(later.seen_ms == 6000);
}

TEST_CASE("a timer that a source cancels in the turn in which it is due does not fire") {
    OpenBed bed;
    Probe probe(bed);
    static Alarm* s_alarm;
    Alarm alarm(bed);
    s_alarm = &alarm;
    REQUIRE(reactor_add(bed.reactor, probe.source));
    probe.hear();
    alarm.set(5001);
    bed.now_ms = 5001;
    probe.action = [](Probe& p) { p.bed->reactor.wheel.cancel(s_alarm->timer); };
    CHECK(bed.turn() == Log{"probe", "end"});
}

TEST_CASE("the loop may sleep until its next timer, without a timer for ever, and not at all if there is more to do") {
    OpenBed bed;
    CHECK(reactor_sleep_ms(bed.reactor) == -1);
    Alarm alarm(bed);
    alarm.set(5030);
    CHECK(reactor_sleep_ms(bed.reactor) == 30);
    bed.now_ms = 5029;
    CHECK(reactor_sleep_ms(bed.reactor) == 1);
    bed.now_ms = 5031;
    CHECK(reactor_sleep_ms(bed.reactor) == 0);
    CHECK(bed.turn() == Log{"timer", "end"});
    alarm.set(uint64_t(1) << 41);
    CHECK(reactor_sleep_ms(bed.reactor) == INT_MAX);
    bed.more = true;
    CHECK(bed.turn() == Log{"end"});
    CHECK(reactor_sleep_ms(bed.reactor) == 0);
    bed.more = false;
    CHECK(reactor_turn(bed.reactor, -1));  // or it would sleep until then
    CHECK(reactor_sleep_ms(bed.reactor) == INT_MAX);
}

TEST_CASE("a turn without limit ends for a timer, and one with a limit before it") {
    OpenBed bed;
    Alarm alarm(bed);
    alarm.set(5020);
    bed.reactor.clock = [](void* context) { return static_cast<Bed*>(context)->now_ms += 10; };
    CHECK(reactor_turn(bed.reactor, 1));
    CHECK(bed.log == Log{"end"});
    CHECK(reactor_turn(bed.reactor, -1));
    CHECK(bed.log == Log{"end", "timer", "end"});
}

TEST_CASE("another thread ends the wait") {
    OpenBed bed;
    std::thread waker([&] { reactor_wake(bed.reactor); });
    CHECK(reactor_turn(bed.reactor, -1));
    waker.join();
    CHECK(bed.log == Log{"end"});
}

// How often the process's first thread, which runs the tests, has gone to sleep.
long sleeps() {
    std::ifstream status("/proc/self/status");
    const std::string name = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);) {
        if (line.compare(0, name.size(), name) == 0) return std::stol(line.substr(name.size()));
    }
    return -1;
}

TEST_CASE("a busy loop does not sleep before it has looked for events as long as it is to") {
    OpenBed bed;
    bed.reactor.busy_poll_us = 1000000;
    SUBCASE("to the limit of a turn") {
        const long before = sleeps();
        const uint64_t begun = clock_monotonic_ms();
        CHECK(reactor_turn(bed.reactor, 3));
        CHECK(sleeps() == before);
        CHECK(clock_monotonic_ms() - begun >= 2);
    }
    SUBCASE("to the next timer") {
        Alarm alarm(bed);
        alarm.set(5003);
        const long before = sleeps();
        CHECK(reactor_turn(bed.reactor, -1));
        CHECK(sleeps() == before);
    }
    SUBCASE("to an event") {
        std::thread waker([&] { reactor_wake(bed.reactor); });
        CHECK(reactor_turn(bed.reactor, -1));
        waker.join();
        CHECK_FALSE(is_ready(bed.reactor));
    }
    SUBCASE("not at all where there is more to do") {
        bed.reactor.busy_poll_us = UINT32_MAX;  // an hour
        bed.reactor.more = true;
        CHECK(reactor_turn(bed.reactor, -1));
    }
    CHECK(bed.log == Log{"end"});
}

TEST_CASE("a busy loop sleeps in the end, and is woken") {
    OpenBed bed;
    bed.reactor.busy_poll_us = 1000;
    CHECK(reactor_turn(bed.reactor, 2));
    CHECK(bed.log == Log{"end"});
    const long before = sleeps();
    std::thread waker([&] {
        while (sleeps() == before) std::this_thread::yield();
        reactor_wake(bed.reactor);
    });
    CHECK(reactor_turn(bed.reactor, -1));
    waker.join();
    CHECK(bed.log == Log{"end", "end"});
}

TEST_CASE("however often it was woken, one turn answers, and the next wake-up is heard again") {
    OpenBed bed;
    for (int i = 0; i < 3; i++) {
        CHECK_FALSE(is_ready(bed.reactor));
        for (int n = 0; n < 10; n++) reactor_wake(bed.reactor);
        CHECK(is_ready(bed.reactor));
        CHECK(reactor_turn(bed.reactor, -1));
    }
    CHECK_FALSE(is_ready(bed.reactor));
}

TEST_CASE("waking never blocks and leaves errno alone, even when the counter is full") {
    OpenBed bed;
    const uint64_t most = UINT64_MAX - 1;
    REQUIRE(write(bed.reactor.wake.fd, &most, sizeof most) == sizeof most);
    errno = EXDEV;
    reactor_wake(bed.reactor);
    CHECK(errno == EXDEV);
    CHECK(reactor_turn(bed.reactor, -1));
    CHECK_FALSE(is_ready(bed.reactor));
}

TEST_CASE("a signal ends a turn in order, and its handler may wake the loop") {
    OpenBed bed;
    SUBCASE("a handler that does nothing") {
        const Interruption interruption([](int) {});
        CHECK(reactor_turn(bed.reactor, -1));
    }
    SUBCASE("a handler that wakes") {
        static Reactor* s_reactor;
        s_reactor = &bed.reactor;
        const Interruption interruption([](int) { reactor_wake(*s_reactor); });
        CHECK(reactor_turn(bed.reactor, -1));
        while (!is_ready(bed.reactor)) continue;
    }
    CHECK(bed.log == Log{"end"});
}

TEST_CASE("a loop that cannot wait says so, and ends no turn") {
    OpenBed bed;
    close(bed.reactor.epoll_fd);
    bed.reactor.epoll_fd = -1;
    CHECK_FALSE(reactor_turn(bed.reactor, 0));
    CHECK(errno == EBADF);
    CHECK(bed.log.empty());
}
