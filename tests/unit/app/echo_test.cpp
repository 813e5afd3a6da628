#include "app/echo.h"

#include "support/test_server.h"

using namespace test;

namespace {

// A server whose application is the daemon's, with a queue that is soon full.
struct EchoServer : TestServer {
    wsd_callbacks echo = {};

    EchoServer() {
        app::echo_callbacks(&echo, false);
        on_message = [this](wsd_conn conn, wsd_opcode opcode, std::string_view payload) {
            echo.on_message(*this, conn, opcode, payload.data(), payload.size());
        };
        on_drain = [this](wsd_conn conn) { echo.on_drain(*this, conn); };
        on_close = [this](const Closed& ended) { echo.on_close(*this, ended.conn, nullptr); };
        config.send_high_bytes = 4096;
        config.send_low_bytes = 1024;
        start_narrow();
    }
};

constexpr size_t kMessages = 3000;

std::string numbered(size_t i) { return std::to_string(i) + std::string(1000, '.'); }

// A client that has said everything and read nothing.
Client& silent_reader(TestServer& server) {
    Client& client = server.open();
    client.reading = false;
    std::string all;
    for (size_t i = 0; i < kMessages; i++) all += i % 2 ? text(numbered(i)) : binary(numbered(i));
    client.send(all);
    server.settle();
    return client;
}

}  // namespace

TEST_CASE("a peer that does not read is not read from, and has every echo in order once it reads") {
    EchoServer server;
    Client& client = silent_reader(server);
    CHECK(server.messages.size() < kMessages);
    CHECK(server.stats().queued_bytes < 3 * 4096);
    CHECK(server.drained.empty());
    client.reading = true;
    for (size_t i = 0; i < kMessages; i++) {
        REQUIRE(server.next(client) == (i % 2 ? "text:" : "binary:") + numbered(i));
    }
    CHECK_FALSE(server.drained.empty());
}

TEST_CASE("a peer that leaves while its message is held takes it along") {
    EchoServer server;
    Client& client = silent_reader(server);
    REQUIRE(server.messages.size() < kMessages);
    client.reset();
    CHECK(server.until([&] { return server.closed.size() == 1; }));  // what it held is for the leak check to find
    CHECK(server.stats().queued_bytes == 0);
}
