#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace wsd::net {
namespace {

// What a failed transfer means. A timeout (TCP_USER_TIMEOUT, keep-alive) and an unreachable host are a peer that
// is gone, as much as a reset is.
Io io_of_errno() {
    switch (errno) {
        case EAGAIN: return Io::kAgain;
        case EPIPE:
        case ECONNRESET:
        case ECONNABORTED:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ENETDOWN: return Io::kClosed;
        default: return Io::kError;
    }
}

bool set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool get_option(int fd, int name, int* value) {
    socklen_t len = sizeof *value;
    return getsockopt(fd, SOL_SOCKET, name, value, &len) == 0;
}

bool set_tcp_options(int fd, const ListenOptions& options) {
    if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1)) return false;
    if (options.defer_accept_s && !set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, int(options.defer_accept_s))) {
        return false;
    }
    return options.tcp_user_timeout_ms == 0 ||
           set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, int(options.tcp_user_timeout_ms));
}

// Removes the file of a unix socket that nobody serves any more, as a killed server leaves it: without this
// bind() fails for ever. A socket that answers, and a file that is no socket, stay.
void remove_stale_socket(const Address& address) {
    sockaddr_un un = {};
    std::memcpy(&un, &address.storage, sizeof un);
    struct stat file;
    if (lstat(un.sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return;
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return;
    const int answer = connect(probe, reinterpret_cast<const sockaddr*>(&address.storage), address.len);
    if (answer != 0 && errno == ECONNREFUSED) unlink(un.sun_path);
    close(probe);
}

// An inherited descriptor must be a stream socket that listens: one of packets (SOCK_SEQPACKET) listens too.
int adopt(int fd, const ListenOptions& options) {
    int listening = 0;
    int type = 0;
    int domain = 0;
    if (!get_option(fd, SO_ACCEPTCONN, &listening) || !get_option(fd, SO_TYPE, &type) ||
        !get_option(fd, SO_DOMAIN, &domain)) {
        return -1;
    }
    if (!listening || type != SOCK_STREAM) {
        errno = EINVAL;
        return -1;
    }
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return -1;
    if (domain != AF_UNIX && !set_tcp_options(fd, options)) return -1;
    return fd;
}

int open_listener(const Address& address, const ListenOptions& options) {
    const int family = address.storage.ss_family;
    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (family == AF_UNIX) remove_stale_socket(address);
    const bool ready =
        (family == AF_UNIX || (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set_tcp_options(fd, options))) &&
        (family != AF_INET6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !address.dual_stack)) &&
        bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.len) == 0 &&
        listen(fd, options.backlog) == 0;
    if (ready) return fd;
    const int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

}  // namespace

Io receive(int fd, uint8_t* p, size_t room, size_t* n) {
    ssize_t got;
    do {
        got = recv(fd, p, room, 0);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return Io::kClosed;
    if (got < 0) return io_of_errno();
    *n = size_t(got);
    return Io::kOk;
}

Io send_bytes(int fd, Bytes data, size_t* n) {
    ssize_t sent;
    do {
        sent = send(fd, data.p, data.len, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return io_of_errno();
    *n = size_t(sent);
    return Io::kOk;
}

Io send_parts(int fd, const iovec* parts, size_t count, size_t* n) {
    // The kernel has less to copy and to check for one.
    if (count == 1) return send_bytes(fd, {static_cast<const uint8_t*>(parts->iov_base), parts->iov_len}, n);
    msghdr message = {};
    message.msg_iov = const_cast<iovec*>(parts);  // sendmsg only reads them
    message.msg_iovlen = count;
    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return io_of_errno();
    *n = size_t(sent);
    return Io::kOk;
}

Io accept_one(int listener_fd, int* fd) {
    for (;;) {
        *fd = accept4(listener_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (*fd >= 0) return Io::kOk;
        if (errno == EAGAIN) return Io::kAgain;
        // accept(2): errors of the connection itself are to be treated like "try again".
        const bool died_in_queue = errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == ENETDOWN ||
                                   errno == EHOSTDOWN || errno == ENONET || errno == EHOSTUNREACH ||
                                   errno == ENETUNREACH;
        if (!died_in_queue) return Io::kError;
    }
}

int listen_on(const Address& address, const ListenOptions& options) {
    if (address.inherited_fd >= 0) return adopt(address.inherited_fd, options);
    const int fd = open_listener(address, options);
    if (fd >= 0 || !address.dual_stack || errno != EAFNOSUPPORT) return fd;
    // A machine without IPv6: every address means every IPv4 address.
    sockaddr_in6 v6;
    std::memcpy(&v6, &address.storage, sizeof v6);
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = v6.sin6_port;
    Address any;
    std::memcpy(&any.storage, &v4, sizeof v4);
    any.len = sizeof v4;
    return open_listener(any, options);
}

Peer socket_peer(int fd) {
    sockaddr_storage storage = {};
    socklen_t len = sizeof storage;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &len) != 0) return {};
    return peer_of(storage);
}

void shut_down_sending(int fd) { (void)shutdown(fd, SHUT_WR); }  // fails only where the peer is gone already

}  // namespace wsd::net
