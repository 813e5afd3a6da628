// Clients that never read, thousands of them, against a memory budget, while others echo: the most that the process
// held beyond what it began with, beside the budget; and the echoes' latency, beside what it is without the deaf ones.
// One process and one thread: the server's loop is turned here, and clients are sockets beside it.
//
// usage: budget_bench [DEAF [BUDGET_MIB]]     10000 and 256, or as many clients as descriptors allow
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "support/wire.h"
#include "wsd.h"

namespace {

constexpr size_t kEchoing = 100;
constexpr int kRounds = 60;

std::vector<wsd_conn> deaf;
bool opening_deaf = true;

void on_open(wsd_server*, wsd_conn conn) {
    if (opening_deaf) deaf.push_back(conn);
}

void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    (void)wsd_send(server, conn, opcode, data, len);
}

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

// What the process holds of its own now: anonymous memory.
size_t resident_bytes() {
    FILE* const file = std::fopen("/proc/self/status", "r");
    if (!file) fail("/proc/self/status");
    char line[256];
    size_t kib = 0;
    while (std::fgets(line, sizeof line, file)) {
        if (std::sscanf(line, "RssAnon: %zu", &kib) == 1) break;
    }
    std::fclose(file);
    return kib * 1024;
}

size_t descriptors() {
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

int dial(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    const int bytes = 4096;
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(uint16_t(port));
    if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

// Turns the loop until `fd` has `len` bytes or more to give.
void await(wsd_server* server, int fd, size_t len) {
    char buffer[4096];
    for (size_t got = 0; got < len;) {
        wsd_server_poll(server, 0);
        const ssize_t n = recv(fd, buffer, std::min(sizeof buffer, len - got), 0);
        if (n == 0) fail("the server closed");
        if (n > 0) got += size_t(n);
    }
}

int open_client(wsd_server* server, int port) {
    static const std::string request = test::upgrade_request();
    const int fd = dial(port);
    if (send(fd, request.data(), request.size(), 0) != ssize_t(request.size())) fail("send");
    await(server, fd, 129);  // the 101, to the byte
    return fd;
}

// One echo on each, and how long each took, in microseconds.
void echo_round(wsd_server* server, const std::vector<int>& clients, std::vector<double>& us) {
    static const std::string message = test::binary(std::string(100, 'e'));
    for (const int fd : clients) {
        const auto start = std::chrono::steady_clock::now();
        if (send(fd, message.data(), message.size(), 0) != ssize_t(message.size())) fail("send");
        await(server, fd, test::frame_bytes(100));
        us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
}

double p99(std::vector<double>& us) {
    std::sort(us.begin(), us.end());
    return us[us.size() * 99 / 100];
}

int listen_narrow(wsd_server* server) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int bytes = 8192;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    sockaddr_in any = {};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 || listen(fd, 1000) != 0) fail("listen");
    const int listener = wsd_server_listen(server, ("fd:" + std::to_string(fd)).c_str());
    char address[64] = "";
    if (listener < 0 || wsd_server_address(server, listener, address, sizeof address) != WSD_OK) fail("listen");
    return std::atoi(std::strrchr(address, ':') + 1);
}

wsd_stats stats_of(wsd_server* server) {
    wsd_stats stats = {};
    stats.size = sizeof stats;
    wsd_stats_get(server, &stats);
    return stats;
}

}  // namespace

int main(int argc, char** argv) {
    size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10000;
    const size_t budget = (argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256) << 20;
    count = std::min(count, (descriptors() - 2 * kEchoing - 100) / 2);

    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.memory_hard_bytes = budget;
    config.send_high_count = 0;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    wsd_server* server = nullptr;
    if (wsd_server_new(&config, &callbacks, &server) != WSD_OK) fail("wsd_server_new");
    const int port = listen_narrow(server);

    opening_deaf = false;
    std::vector<int> echoing;
    for (size_t i = 0; i < kEchoing; i++) echoing.push_back(open_client(server, port));
    std::vector<double> alone;
    for (int round = 0; round < kRounds; round++) echo_round(server, echoing, alone);

    deaf.reserve(count);
    opening_deaf = true;
    const size_t before = resident_bytes() - size_t(stats_of(server).memory_held_bytes);
    for (size_t i = 0; i < count; i++) (void)open_client(server, port);

    // Each is sent up to its high mark, which is many times the budget in all: only the budget stands in between.
    const std::string note(30000, 'n');
    size_t most = 0;
    size_t offered = 0;
    std::vector<double> beside;
    for (int round = 0; round < kRounds; round++) {
        for (size_t i = 0; i < deaf.size(); i++) {
            const size_t bytes = i % 3 == 0 ? note.size() : i % 3 == 1 ? 3000 : 100;
            if (wsd_send(server, deaf[i], WSD_BINARY, note.data(), bytes) == WSD_OK) offered += bytes;
        }
        wsd_server_poll(server, 0);
        most = std::max(most, resident_bytes() - before);
        echo_round(server, echoing, beside);
    }
    const wsd_stats stats = stats_of(server);
    std::printf(
        "budget/%zu deaf  %.1f MiB of %zu MiB held at most (%.3f of the budget), %.0f MiB accepted, %llu closed\n",
        count, double(most) / (1 << 20), budget >> 20, double(most) / double(budget), double(offered) / (1 << 20),
        static_cast<unsigned long long>(stats.budget_closed));
    const double p99_alone = p99(alone);
    const double p99_beside = p99(beside);
    std::printf("budget/echo p99  %.1f us alone, %.1f us beside them, x%.2f\n", p99_alone, p99_beside,
                p99_beside / p99_alone);
    wsd_server_free(server);
    return double(most) > 1.05 * double(budget);
}
