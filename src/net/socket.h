// System calls on sockets, with errno turned into the few answers a caller acts on.
// Nothing here knows a protocol, keeps state or raises SIGPIPE.
#pragma once

#include <sys/uio.h>

#include "base/bytes.h"
#include "net/address.h"

namespace wsd::net {

enum class Io : uint8_t {
    kOk,
    kAgain,   // nothing can move now
    kClosed,  // end of stream, or the peer reset or stopped answering
    kError,   // the system refused; errno says why
};

// Receives up to `room` > 0 bytes; kOk sets `*n` > 0.
[[nodiscard]] Io receive(int fd, uint8_t* p, size_t room, size_t* n);

// Sends what the kernel takes of `data` (never empty); kOk sets `*n` > 0.
[[nodiscard]] Io send_bytes(int fd, Bytes data, size_t* n);

// The same of several parts, at most IOV_MAX.
[[nodiscard]] Io send_parts(int fd, const iovec* parts, size_t count, size_t* n);

// Accepts one connection, non-blocking and close-on-exec; kOk sets `*fd`, which the caller owns. A connection
// that died in the queue is passed over.
[[nodiscard]] Io accept_one(int listener_fd, int* fd);

struct ListenOptions {
    int backlog = 4096;
    uint32_t defer_accept_s = 0;       // TCP_DEFER_ACCEPT
    uint32_t tcp_user_timeout_ms = 0;  // TCP_USER_TIMEOUT
};

// Opens a listening socket, non-blocking and close-on-exec, or checks and adopts an inherited one. Options of
// TCP are set here, since accepted sockets inherit them. Returns the descriptor, or -1 with errno.
[[nodiscard]] int listen_on(const Address& address, const ListenOptions& options);

// Who is at the other end; kNone if the connection is gone already.
Peer socket_peer(int fd);

// No more will be sent; the peer sees the end of the stream after what was sent.
void shut_down_sending(int fd);

}  // namespace wsd::net
