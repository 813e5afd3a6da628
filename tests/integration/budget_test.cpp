// The memory budget: what waits or is turned away past the soft mark, who goes at the hard one, and that the process
// stays within it.
#include <doctest/doctest.h>

#include "support/test_server.h"

using namespace test;

namespace {

constexpr size_t kMiB = 1 << 20;

// Takes memory of the library's as an application does, without any connection.
struct Ballast {
    wsd_prepared* prepared = nullptr;

    Ballast(wsd_server* server, size_t bytes) {
        const std::string payload(bytes, 'b');
        CHECK(wsd_prepare(server, WSD_BINARY, payload.data(), payload.size(), &prepared) == WSD_OK);
    }
    ~Ballast() { drop(); }
    Ballast(const Ballast&) = delete;
    Ballast& operator=(const Ballast&) = delete;

    void drop() {
        wsd_prepared_release(prepared);
        prepared = nullptr;
    }
};

int send(TestServer& server, wsd_conn conn, size_t bytes) {
    const std::string payload(bytes, 'x');
    return wsd_send(server, conn, WSD_BINARY, payload.data(), payload.size());
}

}  // namespace

TEST_CASE("past the soft mark newcomers and handshakes get 503, and plain requests are still answered") {
    TestServer server;
    server.config.memory_soft_bytes = 8 * kMiB;
    server.on_request = [&](wsd_conn conn, const wsd_request* request) {
        if (wsd_request_is_upgrade(request)) {
            CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK);
        } else {
            CHECK(wsd_respond(server, conn, 200, nullptr, 0, "ok", 2) == WSD_OK);
        }
    };
    server.start();
    Client& early = server.connect();
    Client& health = server.connect();
    server.settle();
    Ballast ballast(server, 8 * kMiB);
    Client& late = server.connect();
    late.send(upgrade_request());
    CHECK(server.response(late).status == 503);
    early.send(upgrade_request());
    CHECK(server.response(early).status == 503);
    health.send(plain_request("GET /health"));
    CHECK(server.response(health).body == "ok");
    CHECK(server.stats().refused_budget == 2);
    ballast.drop();
    server.open();
}

TEST_CASE("past the soft mark messages wait in the kernel, and come in order once memory is free") {
    TestServer server;
    server.config.memory_soft_bytes = 8 * kMiB;
    server.config.stale_timeout_ms = 10000;
    server.config.idle_timeout_ms = 10000;
    server.config.ping_interval_ms = 0;
    server.start();
    Client& first = server.open();
    Client& second = server.open();
    Ballast ballast(server, 8 * kMiB);
    first.send(text("a"));
    second.send(text("1") + ping("p") + text("2"));
    server.settle();
    CHECK(server.messages.empty());
    CHECK(server.stats().budget_holds == 1);
    server.pass(60000);  // the silence is the server's
    CHECK(server.closed.empty());
    CHECK(server.messages.empty());
    ballast.drop();
    CHECK(server.next(first) == "text:a");
    CHECK(server.next(second) == "text:1");
    CHECK(server.next(second) == "pong:p");
    CHECK(server.next(second) == "text:2");
}

TEST_CASE("reading goes on only well below the soft mark, so that it does not flutter") {
    TestServer server;
    server.config.memory_soft_bytes = 16 * kMiB;
    server.start();
    Client& client = server.open();
    Ballast most(server, 13 * kMiB + kMiB / 2);
    Ballast rest(server, 3 * kMiB);
    client.send(text("a"));
    server.settle();
    rest.drop();
    server.settle();
    CHECK(server.stats().memory_held_bytes < server.config.memory_soft_bytes);
    CHECK(server.messages.empty());
    SUBCASE("at once there") { most.drop(); }
    SUBCASE("and where memory stays little below it, after a second") {
        server.pass(999);
        CHECK(server.messages.empty());
        server.pass(1);
    }
    CHECK(server.next(client) == "text:a");
}

TEST_CASE("blocks at rest go when the soft mark is passed") {
    TestServer server;
    server.config.memory_soft_bytes = 16 * kMiB;
    server.start();
    Ballast rests(server, 4 * kMiB);
    rests.drop();
    server.settle();
    CHECK(server.stats().memory_held_bytes > 4 * kMiB);
    const Ballast ballast(server, 13 * kMiB);
    CHECK(server.stats().memory_held_bytes > server.config.memory_soft_bytes);
    server.turn();
    CHECK(server.stats().memory_held_bytes < server.config.memory_soft_bytes);
}

TEST_CASE("memory that comes free between two turns is enough to go on, without another event") {
    TestServer server;
    server.config.memory_soft_bytes = 16 * kMiB;
    server.start();
    Client& client = server.open();
    Ballast most(server, 13 * kMiB + kMiB / 2);
    Ballast rest(server, 3 * kMiB);
    client.send(text("a"));
    server.settle();
    CHECK(wsd_server_timeout(server) > 1000);
    SUBCASE("well below the mark") { most.drop(); }
    SUBCASE("a little below it") {
        rest.drop();
        REQUIRE(wsd_server_timeout(server) == 0);
        CHECK(wsd_server_poll(server, -1) == 1);
        CHECK(wsd_server_timeout(server) > 0);
        CHECK(wsd_server_timeout(server) <= 1000);
        CHECK(server.messages.empty());
        most.drop();
    }
    REQUIRE(wsd_server_timeout(server) == 0);
    CHECK(wsd_server_poll(server, -1) == 1);
    CHECK(wsd_server_poll(server, -1) == 1);
    CHECK(server.messages == std::vector<std::string>{"a"});
}

TEST_CASE("whoever is held is pinged, so that a host that is gone is noticed, and a late pong tells no round trip") {
    TestServer server;
    server.config.memory_soft_bytes = 8 * kMiB;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    Ballast ballast(server, 8 * kMiB);
    client.send(text("a"));
    server.settle();
    server.pass(31000);
    const Frame asked = server.next_frame(client);
    CHECK(show(asked).rfind("ping:", 0) == 0);
    client.send(pong(asked.payload));
    server.pass(400000);  // neither stale nor idle
    CHECK(server.closed.empty());
    ballast.drop();
    CHECK(server.until([&] { return server.stats().pongs_in == 1; }));
    CHECK(server.messages == std::vector<std::string>{"a"});
    CHECK(server.pongs.empty());
    CHECK(server.info(conn).rtt_ms == UINT32_MAX);
}

TEST_CASE("a message that has begun is finished past the soft mark, so that its memory comes free") {
    TestServer server;
    server.config.memory_soft_bytes = 8 * kMiB;
    server.config.memory_hard_bytes = 16 * kMiB;
    server.start();
    Client& client = server.open();
    const std::string large = binary(std::string(kMiB, 'm'));
    client.send(large.substr(0, kMiB / 2));
    server.settle();
    Ballast ballast(server, 8 * kMiB);
    client.send(large.substr(kMiB / 2));
    REQUIRE(server.until([&] { return server.messages.size() == 1; }));
    CHECK(server.messages[0].size() == kMiB);
    client.send(text("next"));
    server.settle();
    CHECK(server.messages.size() == 1);
    ballast.drop();
    CHECK(server.until([&] { return server.messages.size() == 2; }));
}

TEST_CASE("halfway to the hard mark a message that has begun waits as well, and its time runs") {
    TestServer server;
    server.config.memory_soft_bytes = 8 * kMiB;
    server.config.memory_hard_bytes = 16 * kMiB;
    server.config.read_timeout_ms = 20000;
    server.config.ping_interval_ms = 0;
    server.start();
    Client& client = server.open();
    const std::string large = binary(std::string(kMiB, 'm'));
    client.send(large.substr(0, kMiB / 2));
    server.settle();
    Ballast ballast(server, 13 * kMiB);
    client.send(large.substr(kMiB / 2));
    server.settle();
    CHECK(server.messages.empty());
    server.pass(22000);
    REQUIRE(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_IDLE);
    CHECK(server.closed[0].code == 1001);
}

TEST_CASE("a reset of a connection that is held is seen, and drops it") {
    TestServer server;
    server.config.memory_soft_bytes = 8 * kMiB;
    server.start();
    Client& client = server.open();
    Ballast ballast(server, 8 * kMiB);
    client.send(text("a"));
    server.settle();
    client.reset();
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0].cause == WSD_CAUSE_VANISHED);
    ballast.drop();
    server.settle();
}

TEST_CASE("who leaves in order while it is held is not held for ever") {
    TestServer server;
    server.config.memory_soft_bytes = 8 * kMiB;
    server.start();
    Client& client = server.open();
    Client& other = server.open();
    Ballast ballast(server, 8 * kMiB);
    client.send(text("a"));
    other.send(text("not yet"));
    server.settle();
    CHECK(server.messages.empty());
    client.send(bye(1000));
    SUBCASE("little above the soft mark it is read to its end") {
        client.end();
        REQUIRE(server.until([&] { return server.closed.size() == 1; }));
        CHECK(server.closed[0].cause == WSD_CAUSE_PEER);
        CHECK(server.messages == std::vector<std::string>{"a"});
    }
    SUBCASE("far above it, it is ended unread") {
        Ballast more(server, 3 * kMiB);
        client.close();
        REQUIRE(server.until([&] { return server.closed.size() == 1; }));
        CHECK(server.closed[0].cause == WSD_CAUSE_NOMEM);
        CHECK(server.messages.empty());
    }
    CHECK(server.stats().connections_active == 1);
}

TEST_CASE("at the hard mark the longest queue goes first, and the send for which it went succeeds") {
    TestServer server;
    server.config.memory_hard_bytes = 8 * kMiB;
    server.config.send_high_bytes = 64 * kMiB;
    server.config.send_high_count = 0;
    server.start_narrow();
    wsd_conn small = 0;
    wsd_conn large = 0;
    wsd_conn newcomer = 0;
    for (wsd_conn* const conn : {&small, &large, &newcomer}) server.open(conn).reading = false;
    CHECK(send(server, small, kMiB) == WSD_OK);
    CHECK(send(server, large, 4 * kMiB) == WSD_OK);
    CHECK(send(server, newcomer, 3 * kMiB) == WSD_OK);
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0].conn == large);
    CHECK(server.closed[0].cause == WSD_CAUSE_SLOW);
    CHECK(server.closed[0].error == WSD_E_MEMORY_BUDGET);
    CHECK(server.closed[0].code == 1006);
    CHECK(server.stats().budget_closed == 1);
    CHECK(wsd_buffered(server, newcomer) > kMiB / 2);
    CHECK(wsd_buffered(server, small) > kMiB / 2);
}

TEST_CASE("the sender's own queue may be the longest: then the send says that it is closed") {
    TestServer server;
    server.config.memory_hard_bytes = 8 * kMiB;
    server.config.send_high_bytes = 64 * kMiB;
    server.config.send_high_count = 0;
    server.start_narrow();
    wsd_conn conn = 0;
    server.open(&conn).reading = false;
    int result = WSD_OK;
    for (int i = 0; i < 20 && result == WSD_OK; i++) result = send(server, conn, kMiB);
    CHECK(result == WSD_E_CLOSED);
    CHECK(server.closed.empty());  // not within the call
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.closed[0].cause == WSD_CAUSE_SLOW);
}

TEST_CASE("what would not fit into an empty server is refused, and nobody goes for it") {
    TestServer server;
    server.config.memory_hard_bytes = 8 * kMiB;
    server.config.send_high_count = 0;
    server.start_narrow();
    wsd_conn waiting = 0;
    wsd_conn conn = 0;
    server.open(&waiting).reading = false;
    server.open(&conn).reading = false;
    CHECK(send(server, waiting, kMiB) == WSD_OK);
    CHECK(send(server, conn, 1000) == WSD_OK);
    while (wsd_buffered(server, conn) == 0) {
        REQUIRE(send(server, conn, 4000) == WSD_OK);
        server.turn();
    }
    CHECK(send(server, conn, 10 * kMiB) == WSD_E_NOMEM);
    // The next turn makes some room all the same, for whatever comes: an eighth of the budget is free already.
    server.settle();
    CHECK(server.closed.empty());
    CHECK(wsd_buffered(server, waiting) > 0);
    CHECK(server.stats().budget_closed == 0);
}

TEST_CASE("a message that many queues share comes free once, so nobody goes for more than that") {
    constexpr size_t kReceivers = 20;
    TestServer server;
    server.config.memory_hard_bytes = 8 * kMiB;
    server.start_narrow();
    std::vector<wsd_conn> conns(kReceivers);
    for (wsd_conn& conn : conns) {
        server.open(&conn).reading = false;
        REQUIRE(wsd_subscribe(server, conn, wsd_str_of("all")) == WSD_OK);
    }
    const std::string message(kMiB, 'm');
    REQUIRE(wsd_publish(server, wsd_str_of("all"), WSD_BINARY, message.data(), kMiB, nullptr) == int(kReceivers));
    server.settle();
    CHECK(server.stats().queued_bytes > 8 * kMiB);
    CHECK(send(server, conns[0], 15 * kMiB / 2) == WSD_E_NOMEM);
    server.settle();
    CHECK(server.closed.empty());
    CHECK(server.stats().budget_closed == 0);
}

TEST_CASE("hundreds of clients that never read do not push the server past its budget, and others are served") {
    TestServer server;
    server.config.memory_soft_bytes = 24 * kMiB;
    server.config.memory_hard_bytes = 32 * kMiB;
    server.config.send_high_count = 0;
    server.config.write_timeout_ms = 0;
    server.config.ping_interval_ms = 0;
    server.start_narrow();
    std::vector<wsd_conn> deaf(300);
    for (wsd_conn& conn : deaf) server.open(&conn).reading = false;
    wsd_conn reader_name = 0;
    Client& reader = server.open(&reader_name);
    size_t most = 0;
    uint64_t read = 0;
    const std::string note(50000, 'n');
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < deaf.size(); i++) {
            // Long ones, short ones, and ones that share their bytes.
            const size_t bytes = i % 3 == 0 ? note.size() : i % 3 == 1 ? 100 : 5000;
            (void)wsd_send(server, deaf[i], WSD_TEXT, note.data(), bytes);
            most = std::max(most, server.memory.live_bytes);
        }
        CHECK(wsd_send(server, reader_name, WSD_TEXT, "r", 1) == WSD_OK);
        server.turn();
        most = std::max(most, server.memory.live_bytes);
        CHECK(server.next(reader) == "text:r");
        read++;
    }
    CHECK(read == 40);
    CHECK(most <= 32 * kMiB);
    CHECK(most > 24 * kMiB);
    const wsd_stats now = server.stats();
    CHECK(now.budget_closed > 0);
    CHECK(now.budget_closed < deaf.size());
    CHECK(now.causes[WSD_CAUSE_SLOW] == now.budget_closed);
    CHECK(now.memory_bytes == server.memory.live_bytes);
    CHECK(now.memory_held_bytes == now.memory_bytes);
}

TEST_CASE("a peer whose message would go over the hard mark is closed with 1011, and the server lives on") {
    TestServer server;
    server.config.memory_hard_bytes = 4 * kMiB;
    server.start();
    Client& greedy = server.open();
    Client& modest = server.open();
    greedy.send(binary(std::string(8 * kMiB, 'm')));
    server.pass(2000);
    REQUIRE(server.closed.size() == 1);
    CHECK(server.closed[0].cause == WSD_CAUSE_NOMEM);
    CHECK(server.closed[0].code == 1011);
    CHECK(server.memory.live_bytes <= 4 * kMiB);
    modest.send(text("hi"));
    CHECK(server.next(modest) == "text:hi");
}

TEST_CASE("a budget that the server itself does not fit is refused when it is made") {
    for (size_t wsd_config::*const mark : {&wsd_config::memory_soft_bytes, &wsd_config::memory_hard_bytes}) {
        TestServer server;
        server.config.*mark = 100000;
        CHECK(server.try_start() == WSD_E_NOMEM);
    }
}
