// The loop as an application uses it: timers, posts, watches, a foreign loop, and running out of descriptors.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "support/test_server.h"

using namespace test;

namespace {

struct Note {
    std::vector<int>* log;
    int number;
};

void note(wsd_server*, void* arg) {
    const Note& n = *static_cast<Note*>(arg);
    n.log->push_back(n.number);
}

}  // namespace

TEST_CASE("timers fire once, in time's order, and not when they were stopped") {
    TestServer server;
    server.start();
    std::vector<int> log;
    Note notes[] = {{&log, 0}, {&log, 1}, {&log, 2}};
    wsd_timer timers[3];
    CHECK(wsd_timer_start(server, 300, note, &notes[0], &timers[0]) == WSD_OK);
    CHECK(wsd_timer_start(server, 100, note, &notes[1], &timers[1]) == WSD_OK);
    CHECK(wsd_timer_start(server, 200, note, &notes[2], &timers[2]) == WSD_OK);
    CHECK(wsd_timer_start(server, 0, nullptr, nullptr, nullptr) == WSD_E_INVALID);
    CHECK(wsd_timer_stop(server, timers[2]) == WSD_OK);
    CHECK(wsd_timer_stop(server, timers[2]) == WSD_E_CLOSED);
    server.pass(99);
    CHECK(log.empty());
    server.pass(1000);
    CHECK(log == std::vector{1, 0});
    CHECK(wsd_timer_stop(server, timers[0]) == WSD_E_CLOSED);
    CHECK(wsd_timer_start(server, UINT64_MAX, note, &notes[0], nullptr) == WSD_OK);  // freed with the server
}

TEST_CASE("the loop's time is the clock as its turn read it, and between two turns as it is") {
    TestServer server;
    CHECK(wsd_now_ms(nullptr) == 0);
    uint64_t before = 0, after = 0;
    server.on_message = [&](wsd_conn, wsd_opcode, std::string_view) {
        before = wsd_now_ms(server);
        server.now_ms += 5;
        after = wsd_now_ms(server);
    };
    server.start();
    server.open().send(text("now"));
    CHECK(server.until([&] { return before != 0; }));
    CHECK(after == before);
    CHECK(wsd_now_ms(server) == before + 5);
    server.now_ms += 5;
    CHECK(wsd_now_ms(server) == before + 10);
}

TEST_CASE("posts from threads all run, and stop ends the run") {
    TestServer server;
    server.start();
    static std::atomic<int> ran;
    ran = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; i++) {
                while (wsd_post(
                           server, [](wsd_server*, void*) { ran++; }, nullptr) == WSD_E_AGAIN)
                    std::this_thread::yield();
            }
            while (wsd_post(
                       server,
                       [](wsd_server* s, void*) {
                           if (ran == 4000) wsd_server_stop(s);
                       },
                       nullptr) == WSD_E_AGAIN) {
                std::this_thread::yield();
            }
        });
    }
    CHECK(wsd_server_run(server) == WSD_OK);
    for (std::thread& thread : threads) thread.join();
    CHECK(ran == 4000);
    CHECK(wsd_post(server, nullptr, nullptr) == WSD_E_INVALID);
}

TEST_CASE("a full post queue refuses, and takes posts again after a turn") {
    TestServer server;
    server.config.post_max_count = 4;
    server.start();
    std::vector<int> log;
    Note mark{&log, 1};
    for (int i = 0; i < 4; i++) CHECK(wsd_post(server, note, &mark) == WSD_OK);
    CHECK(wsd_post(server, note, &mark) == WSD_E_AGAIN);
    server.turn();
    CHECK(log.size() == 4);
    CHECK(wsd_post(server, note, &mark) == WSD_OK);
    server.turn();
    CHECK(log.size() == 5);
}

TEST_CASE("a watch calls while its descriptor is ready, changes, and may end itself") {
    TestServer server;
    server.start();
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    static int calls;
    calls = 0;
    const auto count = [](wsd_server*, int, unsigned, void*) { calls++; };
    const auto last = [](wsd_server* s, int fd, unsigned events, void*) {
        CHECK(events == WSD_READABLE);
        CHECK(wsd_unwatch(s, fd) == WSD_OK);
        CHECK(wsd_unwatch(s, fd) == WSD_E_INVALID);
        calls += 100;
    };
    CHECK(wsd_watch(server, ends[0], WSD_READABLE, count, nullptr) == WSD_OK);
    CHECK(wsd_watch(server, ends[0], 0, count, nullptr) == WSD_E_INVALID);
    CHECK(wsd_watch(server, -1, WSD_READABLE, count, nullptr) == WSD_E_INVALID);
    server.turn();
    CHECK(calls == 0);
    REQUIRE(write(ends[1], "x", 1) == 1);
    server.turn();
    server.turn();
    CHECK(calls == 2);  // level-triggered
    CHECK(wsd_watch(server, ends[0], WSD_READABLE, last, nullptr) == WSD_OK);
    server.turn();
    server.turn();
    CHECK(calls == 102);
    const int file = open("/dev/null", O_RDONLY);
    CHECK(wsd_watch(server, 9999, WSD_READABLE, count, nullptr) == WSD_E_SYSTEM);
    ::close(file);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("a foreign loop that watches the descriptor and keeps the timeout serves in full") {
    TestServer server;
    server.start();
    const int foreign = epoll_create1(0);
    epoll_event event = {};
    event.events = EPOLLIN;
    REQUIRE(epoll_ctl(foreign, EPOLL_CTL_ADD, wsd_server_fd(server), &event) == 0);
    Client& client = server.connect();
    client.send(upgrade_request() + text("hello"));
    std::optional<Response> response;
    std::optional<Frame> echo;
    for (int i = 0; i < 1000 && !echo; i++) {
        if (epoll_wait(foreign, &event, 1, 10) > 0 || wsd_server_timeout(server) == 0) {
            CHECK(wsd_server_poll(server, 0) == 1);
        }
        client.pump();
        if (!response) response = take_response(client.input);
        if (response) echo = take_frame(client.input);
    }
    REQUIRE(echo);
    CHECK(show(*echo) == "text:hello");
    ::close(foreign);
}

TEST_CASE("two servers live in one thread") {
    TestServer one, two;
    one.start();
    two.start();
    Client& a = one.open();
    Client& b = two.open();
    a.send(text("one"));
    b.send(text("two"));
    CHECK(one.next(a) == "text:one");
    CHECK(two.next(b) == "text:two");
}

TEST_CASE("over the connection limit the answer is 503, and a place that is freed is given again") {
    TestServer server;
    server.config.connection_max_count = 2;
    std::vector<int> logged;
    server.on_log = [&](wsd_conn, const char*, int error) { logged.push_back(error); };
    server.start();
    Client& first = server.open();
    (void)server.open();
    Client& refused = server.connect();
    CHECK(server.response(refused).status == 503);
    CHECK(server.stats().refused_limit == 1);
    CHECK(logged == std::vector<int>{WSD_E_CONN_LIMIT});
    first.reset();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    (void)server.open();
    CHECK(server.stats().connections_active == 2);
    CHECK(server.stats().connections_total == 3);
}

TEST_CASE("out of descriptors one peer gets 503, the loop does not spin, and accepting goes on later") {
    TestServer server;
    server.start();
    Client& first = server.open();
    Client& second = server.connect();  // its descriptor is there; the server's for it will not be
    Client& third = server.connect();
    rlimit before;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next_free = dup(0);
    ::close(next_free);
    rlimit none = before;
    none.rlim_cur = rlim_t(next_free);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK(server.response(second).status == 503);
    CHECK(server.stats().refused_descriptors == 1);
    const uint64_t turns = server.stats().turns;
    server.settle();
    CHECK(server.stats().turns - turns < 10);
    CHECK(third.input.empty());
    first.send(text("others are served meanwhile"));
    CHECK(server.next(first) == "text:others are served meanwhile");
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    third.send(upgrade_request());
    server.pass(100);  // the retry
    CHECK(server.response(third).status == 101);
}

TEST_CASE("a peer that never stops sending does not keep others from their turn") {
    TestServer server;
    server.config.receive_buffer_bytes = 4096;
    std::vector<wsd_conn> order;
    server.on_message = [&](wsd_conn conn, wsd_opcode, std::string_view) { order.push_back(conn); };
    server.start();
    wsd_conn flood = 0, other = 0;
    Client& flooding = server.open(&flood);
    Client& waiting = server.open(&other);
    std::string many;
    for (int i = 0; i < 20000; i++) many += text("flood");
    flooding.send(many);
    waiting.send(text("me too"));
    CHECK(server.until([&] { return order.size() == 20001; }));
    size_t place = 0;
    while (order[place] != other) place++;
    CHECK(place < 2 * 4096 / 11 + 2);  // after a buffer or two of the flood, not after all of it
}

TEST_CASE("the counters add up after a mixed life") {
    TestServer server;
    server.start();
    for (int i = 0; i < 20; i++) {
        Client& client = server.open();
        client.send(text("x"));
        CHECK(server.next(client) == "text:x");
        if (i % 4 == 0) client.reset();
        if (i % 4 == 1) client.send(bye(1000)), client.end();
        if (i % 4 == 2) client.send("\x83\x80"), client.end();
    }
    Client& bad = server.connect();
    bad.send("nonsense\r\n\r\n");
    CHECK(server.response(bad).status == 400);
    bad.end();
    server.settle();
    const wsd_stats stats = server.stats();
    CHECK(stats.connections_total == 21);
    CHECK(stats.connections_opened == 20);
    CHECK(stats.connections_closed == 15);
    CHECK(stats.connections_open == 5);
    CHECK(stats.connections_active == 5);
    CHECK(stats.handshakes_failed == 1);
    CHECK(stats.protocol_errors == 5);
    CHECK(stats.causes[WSD_CAUSE_VANISHED] == 5);
    CHECK(stats.causes[WSD_CAUSE_PEER] == 5);
    CHECK(stats.causes[WSD_CAUSE_PROTOCOL] == 5);
    CHECK(stats.close_codes[0] == 5);
    CHECK(stats.close_codes[2] == 5);
    CHECK(stats.close_codes[6] == 5);
    CHECK(stats.messages_in == 20);
    CHECK(stats.messages_out == 20);
    CHECK(stats.queued_bytes == 0);
}
