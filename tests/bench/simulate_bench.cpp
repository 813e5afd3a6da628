// A thousand to a million connections in one process, more than this machine has descriptors for: the library is
// linked with stand-ins for the calls on sockets, so that what is measured is its own work. Prints the bytes that an
// idle connection takes, the cost of a heartbeat round (every connection is pinged once and answers) and of one publish
// to all, for each connection, and of an echo on a hundred of them; none of them should grow with their number, and the
// slopes say whether they do.
//
// A stand-in enters the kernel and returns, as the cheapest call does; what a real one does there is not simulated.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "support/growth.h"
#include "support/wire.h"
#include "wsd.h"

namespace {

constexpr int kSizes[] = {1000, 10000, 100000, 1000000};
constexpr int kFirstFake = 1 << 24;  // no real descriptor has such a number
constexpr uint64_t kStepMs = 10;
constexpr uint64_t kPingGridMs = 12 * kStepMs;  // pings fall on the steps, so that each comes once an interval
constexpr uint64_t kPingIntervalMs = 256 * kPingGridMs;
constexpr int kPublishes = 5;
constexpr int kEchoers = 100;  // spread over all connections
constexpr int kEchoTurns = 2000;
constexpr int kEchoRounds = 5;
constexpr size_t kPingBytes = 4;  // what the server puts into a ping

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "simulate_bench: %s\n", what);
    std::exit(1);
}

// What a simulated client does next.
enum class Input : uint8_t { kRequest, kNothing, kPong, kMessage };

struct Peer {
    void* source = nullptr;  // what epoll gives back for it
    uint8_t ping[kPingBytes] = {};
    Input input = Input::kRequest;
};

struct World {
    std::vector<Peer> peers;
    std::vector<int> ready;  // peers with input that epoll has not told of
    int listener = -1;
    void* listener_source = nullptr;
    int arrived = 0;
    int arriving = 0;  // how many may have come by now
    uint64_t frames = 0;
    uint64_t now_ms = 10 * kPingGridMs;
} world;

std::string request;
std::string client_message;

bool is_fake(int fd) { return fd >= kFirstFake; }
Peer& peer_of(int fd) { return world.peers[size_t(fd - kFirstFake)]; }
void enter_kernel() { (void)syscall(SYS_getppid); }

ssize_t nothing_yet() {
    errno = EAGAIN;
    return -1;
}

// A frame of the server's begins at `p`: a ping will be answered.
void take_frame(int fd, const uint8_t* p) {
    world.frames++;
    if (p[0] != 0x89) return;
    Peer& peer = peer_of(fd);
    std::memcpy(peer.ping, p + 2, kPingBytes);
    peer.input = Input::kPong;
    world.ready.push_back(fd);
}

double cpu_ns() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

}  // namespace

// --------------------------------------------------------------------------- stand-ins, put in place by the linker

extern "C" {
int __real_epoll_ctl(int epoll, int operation, int fd, epoll_event* event);
int __real_epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms);
int __real_close(int fd);
ssize_t __real_recv(int fd, void* p, size_t len, int flags);
ssize_t __real_send(int fd, const void* p, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);

int __wrap_epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
    if (operation == EPOLL_CTL_ADD && fd == world.listener) world.listener_source = event->data.ptr;
    if (!is_fake(fd)) return __real_epoll_ctl(epoll, operation, fd, event);
    enter_kernel();
    Peer& peer = peer_of(fd);
    peer.source = event->data.ptr;
    if (operation == EPOLL_CTL_ADD && peer.input != Input::kNothing) world.ready.push_back(fd);
    return 0;
}

int __wrap_epoll_wait(int, epoll_event* events, int most, int) {
    enter_kernel();
    int count = 0;
    if (world.arrived < world.arriving) events[count++] = {EPOLLIN, {world.listener_source}};
    while (count < most && !world.ready.empty()) {
        events[count++] = {EPOLLIN, {peer_of(world.ready.back()).source}};
        world.ready.pop_back();
    }
    return count;
}

int __wrap_accept4(int, sockaddr*, socklen_t*, int) {
    enter_kernel();
    if (world.arrived == world.arriving) return int(nothing_yet());
    return kFirstFake + world.arrived++;
}

int __wrap_close(int fd) { return is_fake(fd) ? 0 : __real_close(fd); }

ssize_t __wrap_recv(int fd, void* p, size_t len, int flags) {
    if (!is_fake(fd)) return __real_recv(fd, p, len, flags);
    enter_kernel();
    Peer& peer = peer_of(fd);
    const Input input = peer.input;
    peer.input = Input::kNothing;
    if (input == Input::kNothing) return nothing_yet();
    if (input == Input::kRequest || input == Input::kMessage) {
        const std::string& said = input == Input::kRequest ? request : client_message;
        std::memcpy(p, said.data(), said.size());
        return ssize_t(said.size());
    }
    uint8_t pong[6 + kPingBytes] = {0x8a, 0x80 | kPingBytes};  // masked with zeros
    std::memcpy(pong + 6, peer.ping, kPingBytes);
    std::memcpy(p, pong, sizeof pong);
    return sizeof pong;
}

ssize_t __wrap_send(int fd, const void* p, size_t len, int flags) {
    if (!is_fake(fd)) return __real_send(fd, p, len, flags);
    enter_kernel();
    take_frame(fd, static_cast<const uint8_t*>(p));
    return ssize_t(len);
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
    if (!is_fake(fd)) return __real_sendmsg(fd, message, flags);
    enter_kernel();
    take_frame(fd, static_cast<const uint8_t*>(message->msg_iov[0].iov_base));
    size_t len = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) len += message->msg_iov[i].iov_len;
    return ssize_t(len);
}
}

namespace {

struct Figures {
    double bytes;         // of a connection
    double heartbeat_ns;  // of a round
    double publish_ns;    // of a delivery
    double echo_ns;
};

wsd_stats stats_of(wsd_server* server) {
    wsd_stats stats = {};
    stats.size = sizeof stats;
    require(wsd_stats_get(server, &stats) == WSD_OK, "no statistics");
    return stats;
}

void turn(wsd_server* server) { require(wsd_server_poll(server, 0) == 1, "the loop has ended"); }

wsd_server* new_server(int count, std::vector<wsd_conn>* conns) {
    world = {};
    world.peers.resize(size_t(count));
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.context = conns;
    config.connection_max_count = 0;
    config.ping_interval_ms = kPingIntervalMs;
    config.deflate = 1;
    config.clock = [](void*) { return world.now_ms; };
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_open = [](wsd_server* server, wsd_conn conn) {
        static_cast<std::vector<wsd_conn>*>(wsd_context(server))->push_back(conn);
    };
    callbacks.on_message = [](wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
        require(wsd_send(server, conn, opcode, data, len) == WSD_OK, "no echo");
    };
    wsd_server* server = nullptr;
    require(wsd_server_new(&config, &callbacks, &server) == WSD_OK, "no server");
    // It is the next descriptor to be opened, and never used: connections come from the stand-ins.
    world.listener = dup(0);
    require(world.listener >= 0, "no descriptor");
    __real_close(world.listener);
    require(wsd_server_listen(server, "127.0.0.1:0") == 0, "no listener");
    require(world.listener_source, "the listener has another descriptor");
    return server;
}

// They come evenly over a ping interval, and are pinged evenly ever after.
void connect_all(wsd_server* server, int count) {
    for (uint64_t passed = kStepMs; passed <= kPingIntervalMs; passed += kStepMs) {
        world.now_ms += kStepMs;
        world.arriving = int(uint64_t(count) * passed / kPingIntervalMs);
        do {
            turn(server);
        } while (world.arrived < world.arriving || !world.ready.empty());
    }
}

double heartbeat_round(wsd_server* server, int count) {
    const uint64_t pongs_before = stats_of(server).pongs_in;
    const double start = cpu_ns();
    for (uint64_t passed = 0; passed < kPingIntervalMs; passed += kStepMs) {
        world.now_ms += kStepMs;
        do {
            turn(server);
        } while (!world.ready.empty());
    }
    const double took = cpu_ns() - start;
    require(stats_of(server).pongs_in - pongs_before == uint64_t(count), "not everybody was pinged once");
    return took / count;
}

double publish_round(wsd_server* server, int count) {
    const std::string message(100, 'm');
    double best = 1e18;
    for (int i = 0; i < kPublishes; i++) {
        const uint64_t frames_before = world.frames;
        const double start = cpu_ns();
        require(wsd_publish(server, wsd_str_of("all"), WSD_TEXT, message.data(), message.size(), nullptr) == count,
                "not everybody is a receiver");
        turn(server);
        const double each = (cpu_ns() - start) / count;
        require(world.frames - frames_before == uint64_t(count), "not everybody received it");
        if (each < best) best = each;
    }
    return best;
}

double echo_round(wsd_server* server, int count) {
    double best = 1e18;
    for (int round = 0; round < kEchoRounds; round++) {
        const uint64_t frames_before = world.frames;
        const double start = cpu_ns();
        for (int i = 0; i < kEchoTurns; i++) {
            for (int k = 0; k < kEchoers; k++) {
                const int fd = kFirstFake + int(int64_t(count) * k / kEchoers);
                peer_of(fd).input = Input::kMessage;
                world.ready.push_back(fd);
            }
            turn(server);
        }
        const double each = (cpu_ns() - start) / (double(kEchoTurns) * kEchoers);
        require(world.frames - frames_before == uint64_t(kEchoTurns) * kEchoers, "not everything came back");
        if (each < best) best = each;
    }
    return best;
}

Figures measure(int count) {
    std::vector<wsd_conn> conns;
    conns.reserve(size_t(count));
    wsd_server* const server = new_server(count, &conns);
    const double bytes_before = double(stats_of(server).memory_held_bytes);
    connect_all(server, count);
    require(conns.size() == size_t(count), "not everybody is connected");
    (void)heartbeat_round(server, count);
    Figures figures;
    figures.bytes = (double(stats_of(server).memory_held_bytes) - bytes_before) / count;
    figures.heartbeat_ns = heartbeat_round(server, count);
    for (const wsd_conn conn : conns) {
        require(wsd_subscribe(server, conn, wsd_str_of("all")) == WSD_OK, "not subscribed");
    }
    figures.publish_ns = publish_round(server, count);
    figures.echo_ns = echo_round(server, count);
    wsd_server_free(server);
    return figures;
}

}  // namespace

int main() {
    request = test::upgrade_request();
    client_message = test::binary(std::string(20, 'm'));
    test::Growth heartbeat, publish, echo;
    for (const int count : kSizes) {
        const Figures figures = measure(count);
        std::printf(
            "simulate/%d  %.0f B a connection  heartbeat %.0f ns (%.3f %% of a core for each 10,000)  publish %.0f ns  "
            "echo %.0f ns\n",
            count, figures.bytes, figures.heartbeat_ns,
            figures.heartbeat_ns * 1e4 / (double(kPingIntervalMs) * 1e6) * 100, figures.publish_ns, figures.echo_ns);
        heartbeat.add(size_t(count), figures.heartbeat_ns);
        publish.add(size_t(count), figures.publish_ns);
        echo.add(size_t(count), figures.echo_ns);
    }
    heartbeat.print("simulate, heartbeat");
    publish.print("simulate, publish");
    echo.print("simulate, echo");
}
