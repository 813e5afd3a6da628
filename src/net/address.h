// Where a socket listens or who its peer is: IPv4, IPv6, unix, or a descriptor that was inherited.
// Names are not resolved, because asking a resolver blocks.
#pragma once

#include <sys/socket.h>

#include "base/ip.h"

namespace wsd::net {

struct Address {
    sockaddr_storage storage = {};
    socklen_t len = 0;
    bool dual_stack = false;  // the IPv6 wildcard, which also takes IPv4
    int inherited_fd = -1;    // "fd:N"; then the rest is unset
};

// Reads "1.2.3.4:80", "[::1]:80", "localhost:80", "*:80" or ":80" (any address), "unix:/path", "fd:3".
// False for anything else.
[[nodiscard]] bool parse_address(const char* text, Address* address);

// Writes the address in the form that parse_address reads, NUL-terminated and cut to `size`; a unix socket without a
// name is "unix:".
void format_address(const sockaddr_storage& storage, socklen_t len, char* text, size_t size);

// The same without its name or its mapping; kNone for a family that is none of these.
Peer peer_of(const sockaddr_storage& storage);

// Writes "192.0.2.1:5000", "[2001:db8::1]:5000", "unix:" or nothing, NUL-terminated and cut to `size`.
void format_peer(const Peer& peer, char* text, size_t size);

}  // namespace wsd::net
