// wsbench: load for a WebSocket server, and what it made of it. It is built on the server's own codecs in the client's
// role, runs on one thread, and keeps its own cost low: frames are masked once, before the clock starts, and echoes are
// told apart by their headers without looking at their payloads.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "histogram.h"
#include "ws/client_handshake.h"
#include "ws/frame.h"
#include "ws/kernels.h"
#include "wsbench_options.h"

using namespace wsd;
using tools::Options;

namespace {

constexpr uint32_t kMask = 0x78563412;
constexpr size_t kBuffer = 1 << 20;
constexpr size_t kSkipFrom = 64 * 1024;  // this much of a payload is thrown away inside the kernel
constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";

uint64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return uint64_t(t.tv_sec) * 1000000000 + uint64_t(t.tv_nsec);
}

[[noreturn]] void die(const std::string& what) {
    std::fprintf(stderr, "wsbench: %s\n", what.c_str());
    std::exit(1);
}

// ---------------------------------------------------------------------------------------------------------- payloads

// Exactly `size` bytes of one kind.
std::string payload_of(char kind, size_t size) {
    if (kind != 'u') return std::string(size, 'x');
    static const char* const kCharacters[] = {"\u00e9", "\u6f22", "\u0436", "\u8a9e", "\u00fc", "\u20ac"};
    std::string text;
    for (size_t i = 0; text.size() + 3 <= size; i++) text += kCharacters[i % 6];
    return text += std::string(size - text.size(), 'x');
}

std::string masked_frame(const Options& options) {
    std::string payload = payload_of(options.kind, options.size);
    ws::kernels_find(nullptr)->unmask(reinterpret_cast<uint8_t*>(payload.data()), payload.size(), kMask);
    uint8_t header[ws::kFrameHeaderMax];
    const ws::Opcode opcode = options.kind == 'b' ? ws::Opcode::kBinary : ws::Opcode::kText;
    const size_t size = ws::write_masked_frame_header(header, opcode, true, 0, payload.size(), kMask);
    return std::string(reinterpret_cast<char*>(header), size) + payload;
}

// ------------------------------------------------------------------------------------------------------- connections

struct Peer {
    int fd = -1;
    uint64_t skip = 0;             // payload bytes of the current echo, still to come
    std::string torn;              // a frame header, or a ping, of which more is to come
    size_t to_send = 0;            // bytes of whole frames that the kernel has not taken
    size_t send_at = 0;            // where in the current frame sending stands
    std::deque<uint64_t> sent_ns;  // when each message in flight was sent, or should have been
};

struct Bench {
    Options options;
    std::string frame;      // one masked message
    std::string batch;      // `depth` of them, or as many as make a good write
    size_t echo_bytes = 0;  // of one message on its way back, in raw mode
    int poller = -1;
    std::vector<std::unique_ptr<Peer>> peers;
    std::unique_ptr<tools::Histogram> latency = std::make_unique<tools::Histogram>();
    uint64_t messages = 0;
    uint64_t now = 0;  // as of the last wait
    bool measuring = false;
    std::string buffer = std::string(kBuffer, '\0');
};

int connect_to(const Options& options, int number) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) die(std::string("socket: ") + std::strerror(errno));
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1) die("--host: an IPv4 address is expected");
    // Loopback has many addresses, and each gives the client another range of ports.
    if ((ntohl(address.sin_addr.s_addr) >> 24) == 127) {
        sockaddr_in source{};
        source.sin_family = AF_INET;
        source.sin_addr.s_addr = htonl(0x7f000002u + unsigned(number / 20000));
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0) die("cannot bind a source address");
    }
    address.sin_port = htons(options.port);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        die(std::string("connect: ") + std::strerror(errno));
    }
    return fd;
}

void write_all(int fd, const char* data, size_t len) {
    if (send(fd, data, len, MSG_NOSIGNAL) != ssize_t(len)) die("the server ended a connection in its handshake");
}

void upgrade(int fd) {
    uint8_t request[512];
    const size_t size = ws::write_client_request("127.0.0.1", "/", kKey, nullptr, request, sizeof request);
    write_all(fd, reinterpret_cast<char*>(request), size);
    std::string head;
    while (head.find("\r\n\r\n") == head.npos) {
        char part[1024];
        const ssize_t n = recv(fd, part, sizeof part, 0);
        if (n <= 0) die("the server ended a connection in its handshake");
        head.append(part, size_t(n));
    }
    if (!ws::check_client_response({reinterpret_cast<uint8_t*>(head.data()), head.size()}, kKey)) {
        die("the server refused the upgrade: " + head.substr(0, head.find('\r')));
    }
}

void open_all(Bench& bench) {
    for (int i = 0; i < bench.options.conns; i++) {
        auto peer = std::make_unique<Peer>();
        peer->fd = connect_to(bench.options, i);
        if (bench.options.half_heads) {
            write_all(peer->fd, "GET / HTTP/1.1\r\nHost: half", 26);
        } else if (!bench.options.raw) {
            upgrade(peer->fd);
        }
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.ptr = peer.get();
        // What is said from here on must not block: MSG_DONTWAIT goes with every call.
        if (epoll_ctl(bench.poller, EPOLL_CTL_ADD, peer->fd, &event) != 0) die("epoll_ctl");
        bench.peers.push_back(std::move(peer));
    }
}

// ------------------------------------------------------------------------------------------------------------- load

// Offers the kernel what is to be sent: whole frames, many in one call.
void send_owed(Bench& bench, Peer& peer) {
    while (peer.to_send > 0) {
        const size_t room = bench.batch.size() - peer.send_at;
        const size_t len = peer.to_send < room ? peer.to_send : room;
        const ssize_t n = send(peer.fd, bench.batch.data() + peer.send_at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) die(std::string("send: ") + std::strerror(errno));
        peer.to_send -= size_t(n);
        peer.send_at = (peer.send_at + size_t(n)) % bench.frame.size();  // all frames are the same
    }
}

// One more message, which counts from `since_ns`.
void add_message(Bench& bench, Peer& peer, uint64_t since_ns) {
    peer.sent_ns.push_back(since_ns);
    peer.to_send += bench.frame.size();
}

void echo_complete(Bench& bench, Peer& peer) {
    if (bench.measuring) {
        bench.messages++;
        bench.latency->add(bench.now - peer.sent_ns.front());
    }
    peer.sent_ns.pop_front();
    if (bench.options.rate == 0) add_message(bench, peer, bench.now);
}

void answer_ping(const Peer& peer, Bytes payload) {
    uint8_t pong[ws::kFrameHeaderMax + ws::kControlPayloadMax];
    const size_t size = ws::write_masked_frame_header(pong, ws::Opcode::kPong, true, 0, payload.len, 0);
    std::memcpy(pong + size, payload.p, payload.len);
    (void)!send(peer.fd, pong, size + payload.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Takes one frame, or what is there of it; returns how much was used, 0 if more has to come first.
size_t take_frame(Bench& bench, Peer& peer, Bytes in) {
    ws::FrameHeader header;
    ws::Violation violation;
    const ws::Parse parse = ws::read_frame_header(in, {.masked = false}, &header, &violation);
    if (parse == ws::Parse::kViolation) die(std::string("from the server: ") + violation.why);
    if (parse == ws::Parse::kNeedMore) return 0;
    if (header.opcode == ws::Opcode::kClose) die("the server closed a connection");
    const size_t there = in.len - header.size;
    if (ws::is_control(header.opcode)) {
        if (there < header.payload_bytes) return 0;
        answer_ping(peer, take(drop(in, header.size), size_t(header.payload_bytes)));
        return header.size + size_t(header.payload_bytes);
    }
    if (header.payload_bytes != bench.options.size) die("an echo of another size");
    if (there < header.payload_bytes) {
        peer.skip = header.payload_bytes - there;
        return in.len;
    }
    echo_complete(bench, peer);
    return header.size + size_t(header.payload_bytes);
}

void take_bytes(Bench& bench, Peer& peer, Bytes in) {
    if (peer.skip) {
        const size_t n = in.len < peer.skip ? in.len : size_t(peer.skip);
        peer.skip -= n;
        in = drop(in, n);
        if (peer.skip == 0) echo_complete(bench, peer);
    }
    if (bench.options.raw && peer.skip == 0) {
        while (in.len >= bench.echo_bytes) {
            echo_complete(bench, peer);
            in = drop(in, bench.echo_bytes);
        }
        if (in.len) peer.skip = bench.echo_bytes - in.len;
        return;
    }
    std::string joined;
    if (!peer.torn.empty()) {
        joined = std::move(peer.torn);
        peer.torn.clear();
        joined.append(reinterpret_cast<const char*>(in.p), in.len);
        in = {reinterpret_cast<const uint8_t*>(joined.data()), joined.size()};
    }
    while (in.len && !peer.skip) {
        const size_t used = take_frame(bench, peer, in);
        if (used == 0) {
            peer.torn.assign(reinterpret_cast<const char*>(in.p), in.len);
            return;
        }
        in = drop(in, used);
    }
}

// False when the server has ended the connection.
bool receive(Bench& bench, Peer& peer) {
    for (;;) {
        // The kernel throws a large payload away without copying it out (tcp(7), MSG_TRUNC).
        const bool skipping = peer.skip >= kSkipFrom;
        const size_t room = skipping && peer.skip < kBuffer ? size_t(peer.skip) : kBuffer;
        const ssize_t n = recv(peer.fd, bench.buffer.data(), room, MSG_DONTWAIT | (skipping ? MSG_TRUNC : 0));
        if (n < 0 && errno == EAGAIN) return true;
        if (n <= 0) return false;
        if (bench.options.half_heads) continue;  // a refusal, before the end
        take_bytes(bench, peer, {reinterpret_cast<const uint8_t*>(bench.buffer.data()), size_t(n)});
        if (size_t(n) < room) return true;
    }
}

// ---------------------------------------------------------------------------------------------------------- measuring

double cpu_seconds_of(int pid) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(
        std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r"), std::fclose);
    unsigned long user = 0, system = 0;
    if (!file || std::fscanf(file.get(), "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                             &system) != 2) {
        return 0;
    }
    return double(user + system) / double(sysconf(_SC_CLK_TCK));
}

// One wait and what follows. Returns how many connections the server has ended.
int turn(Bench& bench, int timeout_ms) {
    epoll_event events[512];
    const int count = epoll_wait(bench.poller, events, 512, timeout_ms);
    bench.now = now_ns();
    int ended = 0;
    for (int i = 0; i < count; i++) {
        Peer& peer = *static_cast<Peer*>(events[i].data.ptr);
        if (peer.fd < 0) continue;
        if ((events[i].events & (EPOLLIN | EPOLLRDHUP)) && !receive(bench, peer)) {
            if (!bench.options.half_heads) die("the server ended a connection");
            close(peer.fd);
            peer.fd = -1;
            ended++;
            continue;
        }
        send_owed(bench, peer);
    }
    return ended;
}

// Open loop: messages fall due at fixed times, whether or not the server keeps up, and count from when they were due.
void send_due(Bench& bench, uint64_t start_ns, uint64_t* sent) {
    const double due = double(bench.now - start_ns) / 1e9 * bench.options.rate;
    for (size_t tries = 0; double(*sent) < due && tries < bench.peers.size(); tries++) {
        Peer& peer = *bench.peers[*sent % bench.peers.size()];
        add_message(bench, peer, start_ns + uint64_t(double(*sent) / bench.options.rate * 1e9));
        send_owed(bench, peer);
        ++*sent;
    }
}

void print_result(const Bench& bench, double secs, double own_cpu, double server_cpu) {
    const double rate = double(bench.messages) / secs;
    const auto us = [&](double share) { return double(bench.latency->percentile(share)) / 1000; };
    const char* const form =
        bench.options.json
            ? "{\"messages_per_s\":%.0f,\"mb_per_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
              "\"client_cpu\":%.2f,\"server_cpu\":%.2f}\n"
            : "%.0f messages/s  %.1f MB/s  p50 %.1f us  p99 %.1f us  p99.9 %.1f us  client CPU %.2f  server CPU %.2f\n";
    std::printf(form, rate, rate * double(bench.options.size) / 1e6, us(0.5), us(0.99), us(0.999), own_cpu / secs,
                server_cpu / secs);
}

void run_load(Bench& bench) {
    const Options& options = bench.options;
    bench.now = now_ns();
    const uint64_t start = bench.now;
    const uint64_t begin = start + uint64_t(options.warmup * 1e9);
    const uint64_t end = begin + uint64_t(options.secs * 1e9);
    uint64_t sent = 0, measured_from = 0;
    double own_cpu = 0, server_cpu = 0;
    if (options.rate == 0) {
        for (const auto& peer : bench.peers) {
            for (int i = 0; i < options.depth; i++) add_message(bench, *peer, bench.now);
            send_owed(bench, *peer);
        }
    }
    while (bench.now < end) {
        turn(bench, options.rate > 0 ? 0 : 100);
        if (options.rate > 0) send_due(bench, start, &sent);
        if (bench.measuring || bench.now < begin) continue;
        bench.measuring = true;
        measured_from = bench.now;
        own_cpu = cpu_seconds_of(getpid());
        if (options.server_pid) server_cpu = cpu_seconds_of(options.server_pid);
    }
    own_cpu = cpu_seconds_of(getpid()) - own_cpu;
    if (options.server_pid) server_cpu = cpu_seconds_of(options.server_pid) - server_cpu;
    print_result(bench, double(bench.now - measured_from) / 1e9, own_cpu, server_cpu);
}

// Holds the connections until --secs have passed or, of half heads, until the server has ended the last.
void hold(Bench& bench) {
    std::printf("%zu connections open\n", bench.peers.size());
    std::fflush(stdout);
    const uint64_t start = now_ns();
    const uint64_t end = start + uint64_t(bench.options.secs * 1e9);
    size_t ended = 0;
    for (bench.now = start; bench.now < end && ended < bench.peers.size();) ended += size_t(turn(bench, 100));
    if (bench.options.half_heads) {
        std::printf("%zu of %zu ended by the server within %.1f s\n", ended, bench.peers.size(),
                    double(bench.now - start) / 1e9);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Bench bench;
    bench.options = tools::parse_options(argc, argv);
    bench.frame = masked_frame(bench.options);
    bench.echo_bytes = bench.frame.size();
    // One frame more than is in flight, so that a write that begins inside a frame still reaches the last one's end.
    do {
        bench.batch += bench.frame;
    } while (bench.batch.size() < (size_t(bench.options.depth) + 1) * bench.frame.size() &&
             bench.batch.size() < kBuffer);
    bench.poller = epoll_create1(0);
    open_all(bench);
    if (bench.options.idle || bench.options.half_heads) {
        hold(bench);
    } else {
        run_load(bench);
    }
    return 0;
}
