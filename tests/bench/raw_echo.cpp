// The raw limit: a plain TCP echo on epoll, which reads and sends back and knows no protocol. What it does not do, a
// WebSocket server cannot do either, so its figures are what wsd's are a share of.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

constexpr size_t kBuffer = 256 * 1024;

struct Peer {
    int fd;
    std::vector<char> owed;  // read, and not taken back by the kernel yet
};

char buffer[kBuffer];

// Sends what it can; the rest is owed.
void send_back(Peer& peer, const char* data, size_t len) {
    while (len > 0) {
        const ssize_t n = send(peer.fd, data, len, MSG_NOSIGNAL);
        if (n < 0) break;
        data += n;
        len -= size_t(n);
    }
    if (len) peer.owed.assign(data, data + len);
}

// False when the peer is gone. Nothing more is read while something is owed.
bool serve(Peer& peer) {
    if (!peer.owed.empty()) {
        const std::vector<char> owed = std::move(peer.owed);
        peer.owed.clear();
        send_back(peer, owed.data(), owed.size());
    }
    while (peer.owed.empty()) {
        const ssize_t n = recv(peer.fd, buffer, kBuffer, 0);
        if (n < 0) return errno == EAGAIN;
        if (n == 0) return false;
        send_back(peer, buffer, size_t(n));
        if (size_t(n) < kBuffer) break;
    }
    return true;
}

int listen_on(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 4096) != 0) return -1;
    return fd;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fprintf(stderr, "usage: raw_echo PORT\n"), 2;
    const int listener = listen_on(uint16_t(std::atoi(argv[1])));
    if (listener < 0) return std::perror("raw_echo"), 1;
    const int poller = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        epoll_event events[256];
        const int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; i++) {
            Peer* const peer = static_cast<Peer*>(events[i].data.ptr);
            if (peer) {
                if (serve(*peer)) continue;
                close(peer->fd);
                delete peer;
                continue;
            }
            const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
            if (fd < 0) continue;
            event.events = EPOLLIN | EPOLLOUT | EPOLLET;
            event.data.ptr = std::make_unique<Peer>(Peer{fd, {}}).release();
            epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
