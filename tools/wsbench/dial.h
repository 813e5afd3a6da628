// Where the connections of a run go to and come from.
#pragma once

#include <sys/socket.h>

#include <string>

#include "options.h"

namespace wsbench {

struct Route {
    sockaddr_storage to = {};
    socklen_t to_len = 0;
    uint32_t source_first = 0;  // IPv4 in host order; 0: none is bound
    uint32_t source_count = 1;
};

// False when the host is no IPv4 address or the path too long for a socket's.
[[nodiscard]] bool make_route(const Options& options, Route* route);

// A connected, non-blocking socket, the `index`th of the run; -1 with errno if there is none to be had. It waits for
// the connection itself, which on one machine is there at once.
[[nodiscard]] int dial(const Route& route, size_t index);

// Closes with a reset, which leaves no TIME_WAIT behind: the next run finds the ports free.
void hang_up(int fd);

}  // namespace wsbench
