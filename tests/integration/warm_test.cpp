// What has been done once needs nothing from the allocator to be done again: a counter proves it.
#include <doctest/doctest.h>

#include <functional>

#include "support/test_server.h"

using namespace test;

namespace {

constexpr int kRounds = 50;

// Blocks asked of the allocator while `round` is repeated, after it has been done once. The largest of them is in
// `server.memory`.
uint64_t allocations_when_warm(TestServer& server, const std::function<void()>& round) {
    round();
    const uint64_t before = server.stats().allocations;
    REQUIRE(before > 0);
    server.memory.largest_bytes = 0;
    for (int i = 0; i < kRounds; i++) round();
    return server.stats().allocations - before;
}

uint64_t allocations_of_echoes(TestServer& server, bool is_text, size_t size) {
    server.start();
    Client& client = server.open();
    const std::string payload(size, 'x');
    const std::string wire = is_text ? text(payload) : binary(payload);
    return allocations_when_warm(server, [&] {
        client.send(wire);
        REQUIRE((server.next_frame(client).payload == payload));
    });
}

}  // namespace

// Larger ones may come in several reads, as the kernel likes.
TEST_CASE("an echo allocates nothing, text or binary, as long as one read holds the message") {
    for (const size_t size : {0, 1, 20, 125, 126, 1024, 16384}) {
        for (const bool is_text : {false, true}) {
            CAPTURE(size);
            CAPTURE(is_text);
            TestServer server;
            const uint64_t allocations = allocations_of_echoes(server, is_text, size);
            CHECK(allocations == 0);
        }
    }
}

// What notes where a message of several reads stands is the connection's while it lasts; the payload's block rests.
TEST_CASE("an echo of several reads allocates nothing of the size of its payload") {
    for (const size_t size : {300000, 1 << 20}) {  // more than the receive buffer has
        for (const bool is_text : {false, true}) {
            CAPTURE(size);
            CAPTURE(is_text);
            TestServer server;
            const uint64_t allocations = allocations_of_echoes(server, is_text, size);
            CHECK(allocations <= kRounds);
            CHECK(server.memory.largest_bytes < 512);
        }
    }
}

TEST_CASE("many echoes from one read allocate nothing, on many connections") {
    TestServer server;
    server.start();
    std::vector<Client*> clients;
    for (int i = 0; i < 20; i++) clients.push_back(&server.open());
    std::string wire;
    for (int i = 0; i < 32; i++) wire += text(std::string(100, 'x'));
    const uint64_t allocations = allocations_when_warm(server, [&] {
        for (Client* client : clients) client->send(wire);
        for (Client* client : clients) {
            for (int i = 0; i < 32; i++) REQUIRE(server.next_frame(*client).payload.size() == 100);
        }
    });
    CHECK(allocations == 0);
}

TEST_CASE("pings and pongs allocate nothing") {
    TestServer server;
    server.start();
    Client& client = server.open();
    const uint64_t allocations = allocations_when_warm(server, [&] {
        client.send(ping("are you there") + pong("unasked") + text("hi"));
        REQUIRE(server.next(client) == "pong:are you there");
        REQUIRE(server.next(client) == "text:hi");
    });
    CHECK(allocations == 0);
}
