// The limit that speed is measured against: a plain TCP echo on one thread, which does the least that any server on
// epoll has to do, a recv and a send for whatever has come, and nothing else. It knows no protocol, bounds nothing but
// what it holds for a peer that does not read, and is no example of how to write a server.
//
// usage: raw_echo PORT (on 127.0.0.1; 0: a free one, which it prints)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr size_t kBufferBytes = 256 * 1024;
constexpr int kEventsMax = 512;

struct Peer {
    int fd;
    std::string left;       // received, and refused by the kernel when it was sent
    bool readable = false;  // there may be more to receive once that is gone
};

int epoll_fd = -1;
std::vector<char> buffer(kBufferBytes);

void require(bool condition, const char* what) {
    if (condition) return;
    std::perror(what);
    std::exit(1);
}

// Registered once, edge-triggered: level-triggered was measured no faster, and needs a call for each change of mind.
void watch(int fd, uint32_t events, void* data) {
    epoll_event event = {events | EPOLLET, {.ptr = data}};
    require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

void end(Peer* peer) {
    close(peer->fd);
    delete peer;
}

// Sends what the kernel takes and returns how much; -1 when the connection is gone.
ssize_t send_some(const Peer& peer, const char* data, size_t size) {
    const ssize_t n = send(peer.fd, data, size, MSG_NOSIGNAL);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

// True while the connection lives.
bool send_left(Peer& peer) {
    if (peer.left.empty()) return true;
    const ssize_t n = send_some(peer, peer.left.data(), peer.left.size());
    if (n > 0) peer.left.erase(0, size_t(n));
    return n >= 0;
}

// Echoes until nothing more is there, or the peer does not take what is sent. True while the connection lives.
bool echo(Peer& peer, bool to_the_end) {
    while (peer.readable && peer.left.empty()) {
        const ssize_t got = recv(peer.fd, buffer.data(), buffer.size(), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
        // A read that is not filled has emptied the socket, unless the end of the stream follows, told already.
        peer.readable = got == ssize_t(buffer.size()) || (got > 0 && to_the_end);
        if (got < 0) return true;
        const ssize_t sent = send_some(peer, buffer.data(), size_t(got));
        if (sent < 0) return false;
        if (sent < got) peer.left.assign(buffer.data() + sent, size_t(got - sent));
    }
    return true;
}

void accept_all(int listener) {
    for (;;) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;  // EAGAIN, or a connection that is gone again
        const int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, new Peer{fd, {}});
    }
}

int listen_on(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int one = 1;
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    require(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0, "socket");
    require(bind(fd, generic, len) == 0 && listen(fd, 4096) == 0, "listen");
    require(getsockname(fd, generic, &len) == 0, "getsockname");
    std::printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return fd;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("usage: raw_echo PORT\n", stderr), 2;
    const int listener = listen_on(uint16_t(std::strtoul(argv[1], nullptr, 10)));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch(listener, EPOLLIN, nullptr);
    for (epoll_event events[kEventsMax];;) {
        const int n = epoll_wait(epoll_fd, events, kEventsMax, -1);
        for (int i = 0; i < n; i++) {
            auto* const peer = static_cast<Peer*>(events[i].data.ptr);
            if (!peer) {
                accept_all(listener);
                continue;
            }
            const uint32_t what = events[i].events;
            if (what & ~uint32_t(EPOLLOUT)) peer->readable = true;
            if (!send_left(*peer) || !echo(*peer, what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) end(peer);
        }
    }
}
