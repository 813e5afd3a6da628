// One message to a thousand receivers with permessage-deflate: prepared, so deflated once, beside a send for each.
// Prints the server's time for one round, from the first send to the last byte in the kernel, and how often it
// deflated.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "support/json_messages.h"
#include "support/loopback.h"
#include "support/wire.h"
#include "wsd.h"

namespace {

constexpr size_t kReceivers = 1000;
constexpr int kRounds = 30;

std::vector<wsd_conn> receivers;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "fanout_bench: %s\n", what);
    std::exit(1);
}

struct Crowd {
    wsd_server* server = nullptr;
    std::vector<int> clients;

    explicit Crowd(int takeover) {
        receivers.clear();
        wsd_config config;
        wsd_config_init(&config, sizeof config);
        config.deflate = 1;
        config.deflate_server_takeover = takeover;
        config.deflate_memory_max_bytes = size_t(1) << 30;
        wsd_callbacks callbacks = {};
        callbacks.size = sizeof callbacks;
        callbacks.on_open = [](wsd_server*, wsd_conn conn) { receivers.push_back(conn); };
        require(wsd_server_new(&config, &callbacks, &server) == WSD_OK, "no server");
        const uint16_t port = test::listen_on_loopback(server);
        for (size_t i = 0; i < kReceivers; i++) connect_one(port);
        while (receivers.size() < kReceivers) require(wsd_server_poll(server, 1000) == 1, "handshakes");
        drain_clients();
    }
    ~Crowd() {
        for (const int fd : clients) close(fd);
        wsd_server_free(server);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    void connect_one(uint16_t port) {
        const int fd = test::connect_to_loopback(port);
        require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "no connection");
        const std::string request = test::upgrade_request("Sec-WebSocket-Extensions: permessage-deflate\r\n");
        require(write(fd, request.data(), request.size()) == ssize_t(request.size()), "no request");
        clients.push_back(fd);
    }

    void drain_clients() {
        char buffer[65536];
        for (const int fd : clients) {
            while (read(fd, buffer, sizeof buffer) > 0) continue;
        }
    }

    uint64_t deflated() const {
        wsd_stats stats = {};
        stats.size = sizeof stats;
        (void)wsd_stats_get(server, &stats);
        return stats.deflated_count;
    }
};

void send_prepared(wsd_server* server, const std::string& message) {
    wsd_prepared* prepared = nullptr;
    require(wsd_prepare(server, WSD_TEXT, message.data(), message.size(), &prepared) == WSD_OK, "no memory");
    for (const wsd_conn conn : receivers) (void)wsd_send_prepared(server, conn, prepared, nullptr);
    wsd_prepared_release(prepared);
}

void send_each(wsd_server* server, const std::string& message) {
    for (const wsd_conn conn : receivers) (void)wsd_send(server, conn, WSD_TEXT, message.data(), message.size());
}

// Microseconds of the best round.
double best_us(Crowd& crowd, void (*send)(wsd_server*, const std::string&), const std::vector<std::string>& messages) {
    using Clock = std::chrono::steady_clock;
    double best = 1e18;
    for (int round = 0; round < kRounds; round++) {
        const auto start = Clock::now();
        send(crowd.server, messages[size_t(round) % messages.size()]);
        (void)wsd_server_poll(crowd.server, 0);
        const std::chrono::duration<double, std::micro> took = Clock::now() - start;
        if (took.count() < best) best = took.count();
        crowd.drain_clients();
    }
    return best;
}

void run(int takeover, size_t bytes) {
    Crowd crowd(takeover);
    const std::vector<std::string> messages = test::json_messages(kRounds, bytes);
    const uint64_t before = crowd.deflated();
    const double prepared_us = best_us(crowd, send_prepared, messages);
    const uint64_t between = crowd.deflated();
    const double each_us = best_us(crowd, send_each, messages);
    std::printf("fanout/%s/%zu  prepared %.0f us, %.0f deflate a message  each %.0f us, %.0f deflates  %.2fx\n",
                takeover ? "takeover" : "alone", bytes, prepared_us, double(between - before) / kRounds, each_us,
                double(crowd.deflated() - between) / kRounds, each_us / prepared_us);
}

}  // namespace

int main() {
    rlimit files;
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (const int takeover : {0, 1}) {
        for (const size_t bytes : {100, 1024, 16384}) run(takeover, bytes);
    }
}
