// What one client may take: connections of an address, new ones, messages, and time for a request. Each refusal with
// its answer and its counter, and the dry run in which there is only the counter.
#include <doctest/doctest.h>

#include <filesystem>

#include "support/test_server.h"

using namespace test;

namespace {

constexpr const char* kHere = "127.0.0.1";
constexpr const char* kElsewhere = "127.0.0.2";

// The status a client from there is told; 101 if it is let in.
int knock(TestServer& server, const char* from, Client** client = nullptr) {
    Client& fresh = server.connect(from);
    fresh.send(upgrade_request());
    if (client) *client = &fresh;
    return server.response(fresh).status;
}

std::vector<int> knock_times(TestServer& server, int times, const char* from) {
    std::vector<int> statuses;
    for (int i = 0; i < times; i++) statuses.push_back(knock(server, from));
    return statuses;
}

size_t count(const std::vector<int>& statuses, int status) {
    return size_t(std::count(statuses.begin(), statuses.end(), status));
}

// Sends `n` numbered messages in one piece.
void say(Client& client, int n) {
    std::string all;
    for (int i = 0; i < n; i++) all += text(std::to_string(i));
    client.send(all);
}

}  // namespace

TEST_CASE("an address has so many connections and no more, others have theirs, and who leaves makes room") {
    TestServer server;
    server.config.ip_connection_max_count = 2;
    server.start();
    Client* first = nullptr;
    CHECK(knock(server, kHere, &first) == 101);
    CHECK(knock(server, kHere) == 101);
    Client* refused = nullptr;
    CHECK(knock(server, kHere, &refused) == 429);
    CHECK(server.until([&] { return refused->ended; }));
    CHECK(knock(server, kElsewhere) == 101);
    CHECK(server.stats().refused_ip_count == 1);
    CHECK(server.stats().connections_total == 3);
    CHECK(server.stats().ip_count == 2);
    first->reset();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(knock(server, kHere) == 101);
    CHECK(knock(server, kHere) == 429);
}

TEST_CASE("a connection counts from its first moment, and one that fails its handshake counts no longer") {
    TestServer server;
    server.config.ip_connection_max_count = 1;
    server.start();
    Client& silent = server.connect();
    server.settle();
    CHECK(knock(server, kHere) == 429);
    silent.reset();
    CHECK(server.until([&] { return server.stats().connections_active == 0; }));
    CHECK(server.stats().ip_count == 0);
    CHECK(knock(server, kHere) == 101);
}

TEST_CASE("behind trusted proxies connections count for the clients that they tell of, not for the proxies") {
    TestServer server;
    server.config.trusted_proxies = kHere;
    server.config.ip_connection_max_count = 1;
    server.start();
    const auto knock_as = [&](const char* header) {
        Client& client = server.connect(kHere);
        client.send(upgrade_request(header));
        return server.response(client).status;
    };
    CHECK(knock_as("X-Forwarded-For: 192.0.2.1\r\n") == 101);
    CHECK(knock_as("X-Forwarded-For: 192.0.2.2\r\n") == 101);
    CHECK(knock_as("X-Forwarded-For: 192.0.2.1\r\n") == 429);
    CHECK(knock_as("") == 101);  // the proxy itself, as often as it likes
    CHECK(knock_as("") == 101);
    CHECK(server.stats().ip_count == 2);
    CHECK(server.stats().refused_ip_count == 1);
    Client& direct = server.connect(kElsewhere);  // is not believed
    direct.send(upgrade_request("X-Forwarded-For: 192.0.2.1\r\n"));
    CHECK(server.response(direct).status == 101);
    CHECK(knock(server, kElsewhere) == 429);
}

TEST_CASE("a connection that carries requests of several clients counts for the latest") {
    TestServer server;
    server.config.trusted_proxies = kHere;
    server.config.ip_connection_max_count = 1;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        CHECK(wsd_respond(server, conn, 200, nullptr, 0, nullptr, 0) == WSD_OK);
    };
    server.start();
    Client& one = server.connect(kHere);
    Client& two = server.connect(kHere);
    const auto ask_as = [&](Client& client, const char* header) {
        client.send(plain_request("GET /", header));
        return server.response(client).status;
    };
    CHECK(ask_as(one, "X-Forwarded-For: 192.0.2.1\r\n") == 200);
    CHECK(ask_as(one, "X-Forwarded-For: 192.0.2.2\r\n") == 200);
    CHECK(server.stats().ip_count == 1);
    CHECK(ask_as(two, "X-Forwarded-For: 192.0.2.1\r\n") == 200);
    CHECK(ask_as(one, "") == 200);
    CHECK(server.stats().ip_count == 1);
    CHECK(ask_as(two, "X-Forwarded-For: 192.0.2.2\r\n") == 200);
    CHECK(ask_as(one, "X-Forwarded-For: 192.0.2.2\r\n") == 429);
    CHECK(server.until([&] { return one.ended; }));
}

TEST_CASE("a PROXY header over its client's limit is answered at once, without waiting for the request") {
    TestServer server;
    server.config.ip_connection_max_count = 1;
    server.proxy_protocol = WSD_PROXY_REQUIRED;
    server.start();
    const std::string header = "PROXY TCP4 192.0.2.9 198.51.100.1 5000 443\r\n";
    Client& first = server.connect();
    first.send(header + upgrade_request());
    CHECK(server.response(first).status == 101);
    Client& second = server.connect();
    second.send(header);
    CHECK(server.response(second).status == 429);
    CHECK(server.until([&] { return second.ended; }));
    first.reset();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(server.stats().ip_count == 0);
    Client& third = server.connect();
    third.send(header + upgrade_request());
    CHECK(server.response(third).status == 101);
}

TEST_CASE("new connections of an address come at the rate, after a burst, and an idle address is forgotten") {
    TestServer server;
    server.config.ip_connect_per_min = 60;
    server.config.ip_connect_burst_count = 5;
    server.config.idle_timeout_ms = 0;
    server.start();
    const auto burst = knock_times(server, 7, kHere);
    CHECK(count(burst, 101) == 5);
    CHECK(count(burst, 429) == 2);
    CHECK(knock(server, kElsewhere) == 101);
    // 60 a minute: one each second, whenever it is asked for.
    for (int second = 0; second < 4; second++) {
        server.pass(999);
        CHECK(knock(server, kHere) == 429);
        server.pass(1);
        CHECK(knock(server, kHere) == 101);
        CHECK(knock(server, kHere) == 429);
    }
    CHECK(server.stats().refused_ip_rate == 10);
    CHECK(server.stats().ip_count == 2);
    CHECK(wsd_server_drain(server, 0) == WSD_OK);
    server.settle();
    CHECK(server.stats().connections_active == 0);
    CHECK(server.stats().ip_count == 1);  // the bucket of the one is not full yet
    server.pass(6000);
    CHECK(server.stats().ip_count == 0);
}

TEST_CASE("without a burst of its own the bucket holds a minute's worth") {
    TestServer server;
    server.config.ip_connect_per_min = 12;
    server.start();
    CHECK(count(knock_times(server, 20, kHere), 101) == 12);
}

TEST_CASE("clients on a unix socket are not counted by address") {
    char directory[] = "/tmp/wsd-limits-XXXXXX";
    REQUIRE(mkdtemp(directory));
    {
        TestServer server;
        server.config.ip_connection_max_count = 1;
        server.config.ip_connect_per_min = 1;
        server.start("unix:" + std::string(directory) + "/s");
        for (int i = 0; i < 5; i++) server.open();
        CHECK(server.stats().ip_count == 0);
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE("a dry run lets everybody in and counts whom it would not have") {
    TestServer server;
    server.config.ip_connection_max_count = 2;
    server.config.ip_connect_per_min = 3;
    server.config.message_per_s = 1;
    server.config.message_over_rate = WSD_OVER_RATE_CLOSE;
    server.config.handshake_bytes_per_s = 1000;
    server.config.limits_dry_run = 1;
    server.start();
    CHECK(count(knock_times(server, 5, kHere), 101) == 5);
    CHECK(server.stats().refused_ip_count == 3);
    CHECK(server.stats().refused_ip_rate == 2);
    Client& client = server.open();
    say(client, 4);
    for (int i = 0; i < 4; i++) CHECK(server.next(client) == "text:" + std::to_string(i));
    CHECK(server.stats().messages_over_rate == 3);
    Client& slow = server.connect();
    slow.send(upgrade_request().substr(0, 20));
    server.pass(5000);
    slow.send(upgrade_request().substr(20));
    CHECK(server.response(slow).status == 101);
    CHECK(server.stats().handshakes_slow == 1);
    CHECK(server.stats().handshakes_failed == 0);
}

TEST_CASE("messages over the rate wait, in order, and come at the rate by the loop's clock") {
    TestServer server;
    server.config.message_per_s = 10;
    server.config.message_burst_count = 3;
    server.start();
    Client& client = server.open();
    say(client, 30);
    server.settle();
    CHECK(server.messages.size() == 3);
    server.pass(99);
    CHECK(server.messages.size() == 3);
    server.pass(1);
    CHECK(server.messages.size() == 4);
    server.pass(1000);
    CHECK(server.messages.size() == 14);
    server.pass(1600);
    REQUIRE(server.messages.size() == 30);
    for (int i = 0; i < 30; i++) CHECK(server.messages[size_t(i)] == std::to_string(i));
    CHECK(server.stats().messages_over_rate == 27);
    // Left alone the bucket fills to its burst and no further.
    server.pass(60000);
    say(client, 10);
    server.settle();
    CHECK(server.messages.size() == 33);
}

TEST_CASE("a rate holds back one connection only, and its pings wait as its messages do") {
    TestServer server;
    server.config.message_per_s = 1;
    server.start();
    Client& loud = server.open();
    Client& quiet = server.open();
    say(loud, 3);
    loud.send(ping("p"));
    quiet.send(text("q"));
    CHECK(server.next(quiet) == "text:q");
    CHECK(server.next(loud) == "text:0");
    server.settle();
    CHECK(loud.input.empty());
    server.pass(2000);
    CHECK(server.next(loud) == "text:1");
    CHECK(server.next(loud) == "text:2");
    CHECK(server.next(loud) == "pong:p");
}

TEST_CASE("a message is one however many frames and reads it takes, and one that has begun is finished") {
    TestServer server;
    server.config.message_per_s = 1;
    server.start();
    Client& client = server.open();
    server.drip(client, frame(0x01, "a") + frame(0x00, "b"));
    client.send(frame(0x80, "c") + text("next"));
    CHECK(server.next(client) == "text:abc");
    server.settle();
    CHECK(server.messages.size() == 1);
    server.pass(1000);
    CHECK(server.next(client) == "text:next");
}

TEST_CASE("a flood that waits costs little memory, and is neither stale nor idle meanwhile") {
    TestServer server;
    server.config.message_per_s = 1;
    server.config.stale_timeout_ms = 5000;
    server.config.idle_timeout_ms = 7000;
    server.start();
    const uint64_t before = server.stats().memory_bytes;
    Client& client = server.open();
    say(client, 100000);
    server.settle();
    CHECK(server.stats().memory_bytes - before < 32768);
    client.reading = false;
    server.pass(30000);
    CHECK(server.messages.size() == 31);
    CHECK(server.closed.empty());
}

TEST_CASE("with a close, the first message over the rate is not delivered and ends with 1008") {
    TestServer server;
    server.config.message_per_s = 2;
    server.config.message_over_rate = WSD_OVER_RATE_CLOSE;
    server.start();
    Client& client = server.open();
    say(client, 5);
    CHECK(server.rest(client) == "text:0 text:1 close:1008 end");
    server.pass(1000);
    REQUIRE(server.closed.size() == 1);
    CHECK(server.messages.size() == 2);
    CHECK(server.closed[0].code == 1008);
    CHECK(server.closed[0].cause == WSD_CAUSE_POLICY);
    CHECK(server.closed[0].error == WSD_E_MESSAGE_RATE);
    CHECK(server.stats().messages_over_rate == 1);
    CHECK(server.stats().close_codes[8] == 1);
}

TEST_CASE("an application's close reaches a connection that is held, and so does its end") {
    TestServer server;
    server.config.message_per_s = 1;
    server.start();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    say(client, 3);
    client.send(bye(1000));
    server.settle();
    CHECK(wsd_close(server, conn, 4000, "", 0) == WSD_OK);
    CHECK(server.rest(client) == "text:0 close:4000 end");

    Client& other = server.open();
    say(other, 3);
    server.settle();
    const size_t before = server.closed.size();
    other.reset();
    CHECK(server.until([&] { return server.closed.size() > before; }));
    CHECK(server.closed.back().cause == WSD_CAUSE_VANISHED);
}

TEST_CASE("a request that comes too slowly is dropped before the timeout, one that is fast enough is not") {
    TestServer server;
    server.config.handshake_bytes_per_s = 100;
    server.config.handshake_grace_ms = 1000;
    server.start();
    const std::string request = upgrade_request();
    REQUIRE(request.size() > 100);
    Client& nobody = server.connect();  // has begun no request: the timeout's
    Client& slow = server.connect();
    Client& steady = server.connect();
    slow.send(request.substr(0, 10));
    steady.send(request.substr(0, 10));
    for (size_t at = 10; at < request.size(); at += 12) {
        server.pass(110);
        steady.send(request.substr(at, 12));
    }
    CHECK(server.response(steady).status == 101);
    CHECK(server.response(slow).status == 408);
    CHECK(server.stats().handshakes_slow == 1);
    CHECK(server.stats().handshake_timeouts == 0);
    CHECK_FALSE(nobody.ended);
}

TEST_CASE("what was sent fast pays for a pause, at exactly the rate") {
    TestServer server;
    server.config.handshake_bytes_per_s = 50;
    server.config.handshake_grace_ms = 500;
    server.start();
    Client& client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(72, 'x'));  // 100 bytes, two seconds
    server.pass(1999);
    CHECK(server.stats().handshakes_slow == 0);
    server.pass(1);
    CHECK(server.stats().handshakes_slow == 1);
    CHECK(server.response(client).status == 408);
}

TEST_CASE("an address that there is no memory to remember gets 503, as one that a proxy tells of does") {
    TestServer server;
    server.config.ip_connection_max_count = 1;
    SUBCASE("when it connects") {
        server.start();
        server.memory.refuse_all = true;
        CHECK(knock(server, kHere) == 503);
        server.memory.refuse_all = false;
        CHECK(server.stats().connections_total == 0);
        CHECK(knock(server, kHere) == 101);
    }
    SUBCASE("when its proxy tells") {
        const std::string header = "PROXY TCP4 192.0.2.9 198.51.100.1 5000 443\r\n";
        server.proxy_protocol = WSD_PROXY_REQUIRED;
        server.start();
        Client& client = server.connect();
        server.settle();
        server.memory.refuse_at = server.memory.calls + 2;  // the first holds what was told
        client.send(header + upgrade_request());
        CHECK(server.response(client).status == 503);
        Client& next = server.connect();
        next.send(header + upgrade_request());
        CHECK(server.response(next).status == 101);
    }
    CHECK(server.stats().refused_ip_table == 1);
}

TEST_CASE("values out of range are named") {
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.message_per_s = 1000001;
    CHECK(std::string(wsd_config_invalid(&config)) == "message_per_s");
    wsd_config_init(&config, sizeof config);
    config.message_over_rate = 2;
    CHECK(std::string(wsd_config_invalid(&config)) == "message_over_rate");
    wsd_config_init(&config, sizeof config);
    config.memory_soft_bytes = 2;
    config.memory_hard_bytes = 1;
    CHECK(std::string(wsd_config_invalid(&config)) == "memory_soft_bytes");
    wsd_config_init(&config, sizeof config);
    config.busy_poll_us = 1000001;
    CHECK(std::string(wsd_config_invalid(&config)) == "busy_poll_us");
}

TEST_CASE("the round trip of pings and the lateness of timers are counted in histograms") {
    TestServer server;
    server.config.ping_interval_ms = 512;
    server.start();
    Client& client = server.open();
    server.pass(512);
    const Frame asked = server.next_frame(client);
    server.now_ms += 40;
    client.send(pong(asked.payload));
    server.settle();
    CHECK(server.pongs == std::vector<uint32_t>{40});
    CHECK(server.stats().rtt.count == 1);
    CHECK(server.stats().rtt.sum_ms == 40);
    CHECK(server.stats().rtt.buckets[6] == 1);  // 33 to 64 ms

    const uint64_t on_time = server.stats().loop_lag.count;
    CHECK(on_time > 0);
    CHECK(server.stats().loop_lag.sum_ms == 0);
    CHECK(wsd_timer_start(
              server, 100, [](wsd_server*, void*) {}, nullptr, nullptr) == WSD_OK);
    server.now_ms += 350;  // as if a turn had taken so long
    server.settle();
    CHECK(server.stats().loop_lag.count == on_time + 1);
    CHECK(server.stats().loop_lag.sum_ms == 250);
    CHECK(server.stats().loop_lag.buckets[8] == 1);
}
