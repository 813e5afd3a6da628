// One message of 100 bytes published to 1,000, 5,000 and 19,000 subscribers over real sockets. Prints the server's
// CPU time a delivery, from wsd_publish() to the last byte in the kernel: it should not depend on how many there are.
// The clients are spread over several addresses of the loopback, as one has too few ports, and live in processes of
// their own, as one has too few descriptors.
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "support/growth.h"
#include "support/loopback.h"
#include "support/wire.h"
#include "wsd.h"

namespace {

constexpr int kSizes[] = {1000, 5000, 19000};
constexpr size_t kMessageBytes = 100;
constexpr int kRounds = 15;
constexpr int kPublishes = 10;  // in one turn, for the second figure
constexpr const char* kTopic = "all";

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "publish_bench: %s\n", what);
    std::exit(1);
}

int connect_from(uint32_t source, uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    require(fd >= 0, "no descriptors");
    sockaddr_in from = {};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(source);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0, "no address");
    (void)connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);  // goes on by itself
    return fd;
}

// A process of `count` clients. They read when a byte comes through `orders`, and answer it through `reports` with the
// bytes they have read.
[[noreturn]] void be_clients(int count, uint16_t port, int orders, int reports) {
    const std::string request = test::upgrade_request();
    // Every crowd has its own: the ports of the last one rest for a minute.
    const uint32_t first_address = 0x7f000000 | (uint32_t(getpid()) & 0xffff) << 8 | 1;
    std::vector<int> fds;
    for (int i = 0; i < count; i++) {
        fds.push_back(connect_from(first_address + uint32_t(i / 10000), port));
        // Small steps, so that the listener's backlog is never full.
        if (i % 100 == 99 || i == count - 1) usleep(2000);
        while (send(fds.back(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
            require(errno == EAGAIN, "no connection");
            usleep(1000);
        }
    }
    char order;
    while (read(orders, &order, 1) == 1) {
        uint64_t bytes = 0;
        char buffer[65536];
        for (const int fd : fds) {
            ssize_t n;
            while ((n = read(fd, buffer, sizeof buffer)) > 0) bytes += uint64_t(n);
        }
        require(write(reports, &bytes, sizeof bytes) == sizeof bytes, "no report");
    }
    _exit(0);
}

struct Crowd {
    wsd_server* server = nullptr;
    int count;
    int opened = 0;
    pid_t clients = 0;
    int orders[2];
    int reports[2];

    explicit Crowd(int size) : count(size) {
        wsd_config config;
        wsd_config_init(&config, sizeof config);
        config.context = this;
        wsd_callbacks callbacks = {};
        callbacks.size = sizeof callbacks;
        callbacks.on_open = [](wsd_server* here, wsd_conn conn) {
            static_cast<Crowd*>(wsd_context(here))->opened++;
            require(wsd_subscribe(here, conn, wsd_str_of(kTopic)) == WSD_OK, "not subscribed");
        };
        require(wsd_server_new(&config, &callbacks, &server) == WSD_OK, "no server");
        const uint16_t port = test::listen_on_loopback(server);
        require(pipe(orders) == 0 && pipe(reports) == 0, "no pipe");
        clients = fork();
        require(clients >= 0, "no process");
        if (clients == 0) {
            close(orders[1]);
            close(wsd_server_fd(server));  // the parent's alone
            be_clients(count, port, orders[0], reports[1]);
        }
        while (opened < count) {
            require(wsd_server_poll(server, 1000) == 1 && waitpid(clients, nullptr, WNOHANG) == 0, "no clients");
        }
        (void)drain_clients();
    }
    ~Crowd() {
        close(orders[1]);
        (void)waitpid(clients, nullptr, 0);
        for (const int fd : {orders[0], reports[0], reports[1]}) close(fd);
        wsd_server_free(server);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    // Has the clients read what they were sent; the number of bytes.
    uint64_t drain_clients() const {
        uint64_t bytes = 0;
        require(write(orders[1], "r", 1) == 1 && read(reports[0], &bytes, sizeof bytes) == sizeof bytes, "no report");
        return bytes;
    }
};

double cpu_ns() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

// Nanoseconds a delivery, in the best round of turns with `publishes` messages each.
double best_ns(const Crowd& crowd, int publishes) {
    const std::string message(kMessageBytes, 'm');
    double best = 1e18;
    for (int round = 0; round < kRounds; round++) {
        const double start = cpu_ns();
        for (int i = 0; i < publishes; i++) {
            const int receivers =
                wsd_publish(crowd.server, wsd_str_of(kTopic), WSD_TEXT, message.data(), message.size(), nullptr);
            require(receivers == crowd.count, "not everybody received it");
        }
        (void)wsd_server_poll(crowd.server, 0);
        const double each = (cpu_ns() - start) / crowd.count / publishes;
        if (each < best) best = each;
        const uint64_t frame_bytes = kMessageBytes + 2;
        require(crowd.drain_clients() == frame_bytes * uint64_t(crowd.count) * uint64_t(publishes),
                "bytes are missing");
    }
    return best;
}

}  // namespace

int main() {
    rlimit files;
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    test::Growth growth_one, growth_several;
    for (const int size : kSizes) {
        if (rlim_t(size) + 100 > files.rlim_cur) {
            std::printf("publish/%d  left out: this process may hold %ld descriptors\n", size, long(files.rlim_cur));
            continue;
        }
        const Crowd crowd(size);
        const double one = best_ns(crowd, 1), several = best_ns(crowd, kPublishes);
        std::printf("publish/%d  %.0f ns a delivery, %.2f M/s  %d a turn: %.0f ns, %.2f M/s\n", size, one, 1e3 / one,
                    kPublishes, several, 1e3 / several);
        growth_one.add(size_t(size), one);
        growth_several.add(size_t(size), several);
    }
    growth_one.print("publish, one a turn");
    growth_several.print("publish, several a turn");
}
