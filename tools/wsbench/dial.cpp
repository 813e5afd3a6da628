#include "dial.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wsbench {
namespace {

// Binds to the connection's own source address, leaving the choice of a port to connect(), which knows that one port
// may serve any number of destinations.
bool bind_source(int fd, const Route& route, size_t index) {
    const int one = 1;
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) != 0) return false;
    sockaddr_in from = {};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(route.source_first + uint32_t(index % route.source_count));
    return bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0;
}

bool connect_now(int fd, const Route& route, size_t index) {
    if (route.source_first && !bind_source(fd, route, index)) return false;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&route.to), route.to_len) != 0) return false;
    const int one = 1;
    // Not Nagle's: a message is sent when it is due. A unix socket knows no such option and needs none.
    if (route.to.ss_family == AF_INET && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) return false;
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

bool make_route(const Options& options, Route* route) {
    if (!options.unix_path.empty()) {
        sockaddr_un un = {};
        un.sun_family = AF_UNIX;
        if (options.unix_path.size() >= sizeof un.sun_path) return false;
        std::memcpy(un.sun_path, options.unix_path.c_str(), options.unix_path.size());
        std::memcpy(&route->to, &un, sizeof un);
        route->to_len = sizeof un;
        return true;
    }
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = htons(options.port);
    if (inet_pton(AF_INET, options.host.c_str(), &in.sin_addr) != 1) return false;
    std::memcpy(&route->to, &in, sizeof in);
    route->to_len = sizeof in;
    route->source_first = options.source_first;
    route->source_count = options.source_last - options.source_first + 1;
    return true;
}

int dial(const Route& route, size_t index) {
    const int fd = socket(route.to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect_now(fd, route, index)) return fd;
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}

void hang_up(int fd) {
    const linger now = {1, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);  // if it fails, the end is only a slower one
    close(fd);
}

}  // namespace wsbench
