// A server of the library's on 127.0.0.1 and those who connect to it, for benchmarks: what fails ends the program.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "wsd.h"

namespace test {

inline void require_loopback(bool condition, const char* what) {
    if (condition) return;
    std::perror(what);
    std::exit(1);
}

// Has `server` listen on a free port, and returns that.
inline uint16_t listen_on_loopback(wsd_server* server) {
    char address[128];
    require_loopback(wsd_server_listen(server, "127.0.0.1:0") == 0, "no listener");
    require_loopback(wsd_server_address(server, 0, address, sizeof address) == WSD_OK, "no address");
    return uint16_t(std::atoi(std::strrchr(address, ':') + 1));
}

// A connected descriptor, which blocks.
inline int connect_to_loopback(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require_loopback(fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "no connection");
    return fd;
}

}  // namespace test
