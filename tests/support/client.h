// A peer of the server under test: one non-blocking socket and what has come from it. It follows no protocol of its
// own accord: it says what the test says, answers nothing, and can be told not to read.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>

#include "support/wire.h"

namespace test {

class Client {
  public:
    // Takes over a connected, non-blocking descriptor.
    explicit Client(int fd) : fd_(fd) {}
    ~Client() { close(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool reading = true;       // false: what comes stays in the kernel
    bool ended = false;        // the server's end of the stream has come, as a FIN or a reset
    bool was_reset = false;    // as a reset
    std::string input;         // received and not taken by the test
    size_t received = 0;       // bytes, taken or not
    bool hold_output = false;  // keep what is said for one segment

    // Says `bytes`; what the kernel does not take goes out as the server reads.
    void send(std::string_view bytes) {
        output_ += bytes;
        if (!hold_output) (void)write_output();
    }

    // Ends the direction to the server.
    void end() { shutdown(fd_, SHUT_WR); }

    // Ends it with a reset.
    void reset() {
        const linger now = {1, 0};
        setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    bool unsent() const { return !output_.empty(); }

    // Moves bytes both ways; true if any moved or the stream ended.
    bool pump() {
        if (fd_ < 0) return false;
        const bool wrote = !hold_output && write_output();
        return read_input() || wrote;
    }

    // What there is to wait for.
    pollfd waits_for() const {
        const bool in = reading && !ended;
        return {in || unsent() ? fd_ : -1, short((in ? POLLIN : 0) | (unsent() ? POLLOUT : 0)), 0};
    }

  private:
    bool write_output() {
        if (output_.empty() || fd_ < 0) return false;
        const ssize_t n = ::send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN) output_.clear();  // nobody is there to hear it
            return false;
        }
        output_.erase(0, size_t(n));
        return true;
    }

    bool read_input() {
        bool moved = false;
        char buffer[65536];
        while (reading && !ended) {
            const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
            if (n < 0 && errno == EAGAIN) break;
            moved = true;
            if (n > 0) {
                input.append(buffer, size_t(n));
                received += size_t(n);
            } else {
                ended = true;
                was_reset = n < 0;
            }
        }
        return moved;
    }

    int fd_;
    std::string output_;
};

// A connected, non-blocking descriptor to "127.0.0.1:PORT" or "unix:PATH"; a small `receive_bytes` keeps the kernel
// from swallowing what a test wants to see refused; `from` is an IPv4 address of this machine to come from.
inline int dial(const std::string& address, int receive_bytes = 0, const char* from = nullptr) {
    sockaddr_storage to = {};
    socklen_t len = 0;
    if (address.rfind("unix:", 0) == 0) {
        sockaddr_un un = {};
        un.sun_family = AF_UNIX;
        std::strncpy(un.sun_path, address.c_str() + 5, sizeof un.sun_path - 1);
        std::memcpy(&to, &un, len = sizeof un);
    } else {
        sockaddr_in in = {};
        in.sin_family = AF_INET;
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in.sin_port = htons(uint16_t(std::atoi(address.c_str() + address.rfind(':') + 1)));
        std::memcpy(&to, &in, len = sizeof in);
    }
    const int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    if (receive_bytes) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (from) {
        sockaddr_in own = {};
        own.sin_family = AF_INET;
        REQUIRE(inet_pton(AF_INET, from, &own.sin_addr) == 1);
        REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    }
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
               sizeof one);  // one segment for each word; no matter to a unix socket
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&to), len) == 0);  // the backlog takes it: no turn is needed
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

}  // namespace test
