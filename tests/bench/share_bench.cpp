// The time that a server takes for a message, beside a plain TCP echo's: both, and the least that an echo of WebSocket
// messages can do, in turns of some hundred microseconds on one thread. What else the machine does falls on all alike,
// so that the shares repeat to a hundredth, where a rate between two processes on a shared machine moves by ten. What
// it takes to wake a client on another core is not in it, and would bring the shares nearer to one.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "net/socket.h"
#include "support/bench.h"
#include "support/loopback.h"
#include "support/wire.h"
#include "ws/frame.h"
#include "ws/handshake.h"
#include "ws/kernels.h"
#include "wsd.h"

namespace {

constexpr size_t kConns = 100;
constexpr size_t kBufferBytes = 256 * 1024;
constexpr int kRounds = 300;
constexpr int kWarmups = 20;

struct Load {
    const char* name;
    size_t size;
    size_t depth;
    const char* text;  // null: binary
};
constexpr char kAscii[] = "the quick brown fox ";
constexpr char kNonAscii[] = "gr\xc3\xbc\xc3\x9f dich, \xe4\xb8\x96\xe7\x95\x8c ";
constexpr Load kLoads[] = {
    {"20 B binary, depth 1", 20, 1, nullptr},
    {"125 B binary, depth 1", 125, 1, nullptr},
    {"1 KiB binary, depth 1", 1024, 1, nullptr},
    {"20 B binary, depth 16", 20, 16, nullptr},
    {"125 B binary, depth 16", 125, 16, nullptr},
    {"125 B non-ASCII, depth 16", 125, 16, kNonAscii},
    {"1 KiB non-ASCII, depth 8", 1024, 8, kNonAscii},
    {"1 KiB binary, depth 32", 1024, 32, nullptr},
    {"16 KiB binary", 16384, 1, nullptr},
    {"16 KiB ASCII", 16384, 1, kAscii},
    {"16 KiB non-ASCII", 16384, 1, kNonAscii},
    {"64 KiB binary", 65536, 1, nullptr},
    {"64 KiB non-ASCII", 65536, 1, kNonAscii},
};

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "share_bench: %s\n", what);
    std::exit(1);
}

// As many whole characters of `unit` as fit in `size` bytes, and spaces for what is left of the last one.
std::string payload_of(const Load& load) {
    std::string payload;
    const std::string unit = load.text ? load.text : "binary";
    while (payload.size() < load.size) payload += unit;
    size_t end = load.size;
    while ((uint8_t(payload[end]) & 0xc0) == 0x80) end--;
    payload.resize(end);
    payload.resize(load.size, ' ');
    return payload;
}

void send_all(int fd, const std::string& bytes) {
    require(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == ssize_t(bytes.size()), "a request did not fit");
}

void receive_all(int fd, size_t bytes) {
    static std::vector<char> sink(kBufferBytes);
    while (bytes) {
        const ssize_t n = recv(fd, sink.data(), std::min(sink.size(), bytes), 0);
        require(n > 0, "a connection is gone");
        bytes -= size_t(n);
    }
}

// Listens on a free port of 127.0.0.1; its descriptor.
int listen_plainly(uint16_t* port) {
    wsd::net::Address any;
    require(wsd::net::parse_address("127.0.0.1:0", &any), "no address");
    const int fd = wsd::net::listen_on(any, {});
    sockaddr_in address = {};
    socklen_t len = sizeof address;
    require(fd >= 0 && getsockname(fd, reinterpret_cast<sockaddr*>(&address), &len) == 0, "no listener");
    *port = ntohs(address.sin_port);
    return fd;
}

// The next connection, put in the epoll; -1 when there is none.
int accept_plainly(int listener, int epoll_fd) {
    int fd = -1;
    if (wsd::net::accept_one(listener, &fd) != wsd::net::Io::kOk) return -1;
    epoll_event event = {EPOLLIN | EPOLLRDHUP | EPOLLET, {.fd = fd}};
    require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    return fd;
}

// A server of the library's, on a free port of 127.0.0.1.
wsd_server* new_wsd(const wsd_callbacks& callbacks, void* context, uint16_t* port) {
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.context = context;
    wsd_server* server = nullptr;
    require(wsd_server_new(&config, &callbacks, &server) == WSD_OK, "no server");
    *port = test::listen_on_loopback(server);
    return server;
}

// ------------------------------------------------------------------------------------------------------- messages

// One of those compared, with its clients, which it serves on this thread.
class Contestant {
  public:
    virtual ~Contestant() {
        for (const int fd : clients_) close(fd);
    }
    Contestant(const Contestant&) = delete;
    Contestant& operator=(const Contestant&) = delete;

    // Nanoseconds of the server for a message of a round in which every client sends `depth`.
    double round(size_t depth) {
        for (const int fd : clients_) send_all(fd, request_);
        const double took = test::once_ns([&] { serve(depth * kConns); });
        for (const int fd : clients_) receive_all(fd, reply_bytes_);
        return took / double(depth * kConns);
    }

  protected:
    Contestant(std::string request, size_t reply_bytes) : request_(std::move(request)), reply_bytes_(reply_bytes) {}

    // Answers as many messages, and looks no further.
    virtual void serve(size_t messages) = 0;

    std::vector<int> clients_;
    std::string request_;
    size_t reply_bytes_;
};

// What both of its kind do for any bytes that come.
class PlainServer : public Contestant {
  protected:
    PlainServer(std::string request, size_t reply_bytes)
        : Contestant(std::move(request), reply_bytes), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
        uint16_t port;
        const int listener = listen_plainly(&port);
        for (size_t i = 0; i < kConns; i++) {
            clients_.push_back(test::connect_to_loopback(port));
            served_.push_back(accept_plainly(listener, epoll_fd_));
            require(served_.back() >= 0, "not accepted");
        }
        close(listener);
    }
    ~PlainServer() override {
        for (const int fd : served_) close(fd);
        close(epoll_fd_);
    }

    // Turns `bytes` of whole requests at the start of buffer_ into what goes out.
    virtual wsd::Bytes answer(size_t bytes) = 0;

    std::vector<uint8_t> buffer_ = std::vector<uint8_t>(kBufferBytes);

  private:
    void serve(size_t) override {
        epoll_event events[kConns];
        for (size_t left = kConns * request_.size(); left;) {
            const int n = epoll_wait(epoll_fd_, events, kConns, 1000);
            require(n > 0, "a request is missing");
            for (int i = 0; i < n; i++) {
                const ssize_t got = recv(events[i].data.fd, buffer_.data(), buffer_.size(), 0);
                require(got == ssize_t(request_.size()), "a request came in pieces");
                const wsd::Bytes reply = answer(size_t(got));
                require(send(events[i].data.fd, reply.p, reply.len, MSG_NOSIGNAL) == ssize_t(reply.len), "not sent");
                left -= size_t(got);
            }
        }
    }

    std::vector<int> served_;
    int epoll_fd_;
};

// Gets as many bytes as the others answer with, so that all send alike.
class RawServer : public PlainServer {
  public:
    explicit RawServer(const Load& load)
        : PlainServer(std::string(load.depth * test::frame_bytes(load.size), 'r'),
                      load.depth * test::frame_bytes(load.size)) {}

  private:
    wsd::Bytes answer(size_t bytes) override { return {buffer_.data(), bytes}; }
};

std::string requests(const Load& load) {
    const std::string frame = test::frame(load.text ? 0x81 : 0x82, payload_of(load));
    std::string all;
    for (size_t i = 0; i < load.depth; i++) all += frame;
    return all;
}

// Unmasks and judges, and sends what it made of it at once: from where it lies if that is one message, else from where
// it gathers. It knows the size of each frame and believes that all is well.
class LeastServer : public PlainServer {
  public:
    explicit LeastServer(const Load& load)
        : PlainServer(requests(load), load.depth * test::frame_bytes(load.size)),
          size_(load.size),
          text_(load.text),
          frame_bytes_(request_.size() / load.depth) {}

  private:
    wsd::Bytes answer(size_t bytes) override {
        const wsd::ws::Opcode opcode = text_ ? wsd::ws::Opcode::kText : wsd::ws::Opcode::kBinary;
        const size_t header_bytes = wsd::ws::frame_header_size(size_);
        uint8_t* out = gathered_.data();
        for (uint8_t* frame = buffer_.data(); frame != buffer_.data() + bytes; frame += frame_bytes_) {
            uint8_t* const payload = frame + frame_bytes_ - size_;
            uint32_t mask;
            std::memcpy(&mask, payload - sizeof mask, sizeof mask);
            if (text_) {
                require(kernels_->unmask_utf8(payload, size_, mask, wsd::ws::kUtf8Start) == wsd::ws::kUtf8Start,
                        "not UTF-8");
            } else {
                kernels_->unmask(payload, size_, mask);
            }
            if (bytes == frame_bytes_) out = payload - header_bytes;
            (void)wsd::ws::write_frame_header(out, opcode, true, 0, size_);
            if (bytes == frame_bytes_) return {out, header_bytes + size_};
            std::memcpy(out + header_bytes, payload, size_);
            out += header_bytes + size_;
        }
        return {gathered_.data(), size_t(out - gathered_.data())};
    }

    const wsd::ws::Kernels* kernels_ = wsd::ws::kernels_find(nullptr);
    std::vector<uint8_t> gathered_ = std::vector<uint8_t>(kBufferBytes);
    size_t size_;
    bool text_;
    size_t frame_bytes_;
};

class WsdServer : public Contestant {
  public:
    explicit WsdServer(const Load& load) : Contestant(requests(load), load.depth * test::frame_bytes(load.size)) {
        wsd_callbacks callbacks = {};
        callbacks.size = sizeof callbacks;
        callbacks.on_message = [](wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
            require(wsd_send(server, conn, opcode, data, len) == WSD_OK, "not sent");
            static_cast<WsdServer*>(wsd_context(server))->answered_++;
        };
        callbacks.on_open = [](wsd_server* server, wsd_conn) {
            static_cast<WsdServer*>(wsd_context(server))->opened_++;
        };
        uint16_t port;
        server_ = new_wsd(callbacks, this, &port);
        const std::string upgrade = test::upgrade_request();
        for (size_t i = 0; i < kConns; i++) {
            clients_.push_back(test::connect_to_loopback(port));
            send_all(clients_.back(), upgrade);
            while (clients_.size() != opened_) require(wsd_server_poll(server_, 1000) == 1, "no turn");
            char answer[512];
            require(recv(clients_.back(), answer, sizeof answer, 0) > 0, "no upgrade");
        }
    }
    ~WsdServer() override { wsd_server_free(server_); }

  private:
    void serve(size_t messages) override {
        answered_ = 0;
        while (answered_ < messages) require(wsd_server_poll(server_, 0) == 1, "no turn");
    }

    wsd_server* server_ = nullptr;
    size_t opened_ = 0;
    size_t answered_ = 0;
};

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + long(values.size() / 2), values.end());
    return values[values.size() / 2];
}

void measure(const Load& load) {
    const std::unique_ptr<Contestant> contestants[] = {
        std::make_unique<RawServer>(load), std::make_unique<LeastServer>(load), std::make_unique<WsdServer>(load)};
    constexpr size_t kCount = std::size(contestants);
    std::vector<double> took[kCount], share[kCount];
    for (size_t round = 0; round < kWarmups + kRounds; round++) {
        double now[kCount];
        for (size_t i = 0; i < kCount; i++) {
            const size_t which = (round + i) % kCount;
            now[which] = contestants[which]->round(load.depth);
        }
        for (size_t i = 0; i < kCount && round >= kWarmups; i++) {
            took[i].push_back(now[i]);
            share[i].push_back(now[0] / now[i]);
        }
    }
    std::printf("share/%s  raw TCP %.0f ns a message; the least %.3f of it, wsd %.3f\n", load.name, median(took[0]),
                median(share[1]), median(share[2]));
    std::fflush(stdout);
}

// ------------------------------------------------------------------------------------------------------ handshakes

// One of those compared, while kConns clients connect, ask for the upgrade, and leave.
class Handshaker {
  public:
    virtual ~Handshaker() = default;

    // Nanoseconds of the server for a connection and its upgrade.
    double round() {
        const std::string request = test::upgrade_request();
        int clients[kConns];
        for (int& fd : clients) fd = test::connect_to_loopback(port_);
        double took = test::once_ns([&] { accept_all(); });
        for (const int fd : clients) send_all(fd, request);
        took += test::once_ns([&] { upgrade_all(); });
        for (const int fd : clients) {
            char answer[512] = {};
            require(recv(fd, answer, sizeof answer - 1, 0) > 0 && std::strstr(answer, test::kAccept), "no upgrade");
            const linger now = {1, 0};  // a reset, so that no port is kept from the next round
            require(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0 && close(fd) == 0, "no end");
        }
        forget_all();
        return took / double(kConns);
    }

  protected:
    virtual void accept_all() = 0;
    virtual void upgrade_all() = 0;
    virtual void forget_all() = 0;

    uint16_t port_ = 0;
};

// Makes the calls that nobody is spared, and works out the accept value.
class LeastHandshaker : public Handshaker {
  public:
    LeastHandshaker() : listener_(listen_plainly(&port_)) {
        epoll_event event = {EPOLLIN | EPOLLET, {.fd = listener_}};
        require(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, listener_, &event) == 0, "epoll_ctl");
    }
    ~LeastHandshaker() override {
        close(listener_);
        close(epoll_fd_);
    }

  private:
    void accept_all() override {
        epoll_event event;
        while (served_.size() < kConns) {
            require(epoll_wait(epoll_fd_, &event, 1, 1000) == 1, "nobody connects");
            for (int fd; (fd = accept_plainly(listener_, epoll_fd_)) >= 0;) served_.push_back(fd);
        }
    }
    void upgrade_all() override {
        constexpr char kBegin[] =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
        constexpr size_t kBeginBytes = sizeof kBegin - 1;
        constexpr char kName[] = "Sec-WebSocket-Key: ";
        char answer[kBeginBytes + wsd::ws::kAcceptSize + 4];
        std::memcpy(answer, kBegin, kBeginBytes);
        std::memcpy(answer + sizeof answer - 4, "\r\n\r\n", 4);
        epoll_event events[kConns];
        for (size_t done = 0; done < kConns;) {
            const int n = epoll_wait(epoll_fd_, events, kConns, 1000);
            require(n > 0, "nobody asks");
            for (int i = 0; i < n; i++) {
                char request[1024];
                const ssize_t got = recv(events[i].data.fd, request, sizeof request, 0);
                require(got > 0, "a connection is gone");
                const void* const name = memmem(request, size_t(got), kName, sizeof kName - 1);
                require(name, "no key");
                const uint8_t* const key = static_cast<const uint8_t*>(name) + sizeof kName - 1;
                wsd::ws::accept_value({key, wsd::ws::kKeySize}, answer + kBeginBytes);
                const ssize_t sent = send(events[i].data.fd, answer, sizeof answer, MSG_NOSIGNAL);
                require(sent == ssize_t(sizeof answer), "not sent");
                done++;
            }
        }
    }
    void forget_all() override {
        for (const int fd : served_) close(fd);
        served_.clear();
    }

    int epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    int listener_;
    std::vector<int> served_;
};

class WsdHandshaker : public Handshaker {
  public:
    WsdHandshaker() {
        wsd_callbacks callbacks = {};
        callbacks.size = sizeof callbacks;
        callbacks.on_open = [](wsd_server* server, wsd_conn) {
            static_cast<WsdHandshaker*>(wsd_context(server))->open_++;
        };
        callbacks.on_close = [](wsd_server* server, wsd_conn, const wsd_close_info*) {
            static_cast<WsdHandshaker*>(wsd_context(server))->open_--;
        };
        server_ = new_wsd(callbacks, this, &port_);
    }
    ~WsdHandshaker() override { wsd_server_free(server_); }

  private:
    void turn() { require(wsd_server_poll(server_, 1000) == 1, "no turn"); }
    // All that wait are taken in one turn, as they are fewer than the server takes in a row.
    void accept_all() override { turn(); }
    void upgrade_all() override {
        while (open_ < kConns) turn();
    }
    void forget_all() override {
        while (open_) turn();
    }

    wsd_server* server_ = nullptr;
    size_t open_ = 0;
};

void measure_handshakes() {
    LeastHandshaker least;
    WsdHandshaker wsd;
    std::vector<double> took, share;
    for (int round = 0; round < kWarmups + kRounds; round++) {
        const bool least_first = round % 2;
        const double first = least_first ? least.round() : wsd.round();
        const double second = least_first ? wsd.round() : least.round();
        if (round < kWarmups) continue;
        const double of_least = least_first ? first : second, of_wsd = least_first ? second : first;
        took.push_back(of_wsd);
        share.push_back(of_least / of_wsd);
    }
    std::printf("share/connect and upgrade  wsd %.0f ns a connection; the least %.3f of it\n", median(took),
                median(share));
}

}  // namespace

int main() {
    alarm(300);  // should a message be lost: nothing here takes a fifth of that
    for (const Load& load : kLoads) measure(load);
    measure_handshakes();
}
