// The memory budget. Past the soft mark nothing new is begun: handshakes get 503 and messages wait in the kernel.
// Past the hard one the longest send queues go, until what is to be sent fits; what would still go over it is refused
// as if memory had run out. It never walks over connections but to let them go on, once for each fall well below the
// mark or, where memory stays just below it, once a second.
#pragma once

#include "server/conn.h"

namespace wsd::server {

struct Budget {
    // Marks on Mem::held_bytes; SIZE_MAX: none.
    size_t soft_bytes = SIZE_MAX;
    // A message that has begun is read on up to here, so that what it holds comes free; the rest of the way to the hard
    // mark is left to what is sent.
    size_t begun_bytes = SIZE_MAX;
    size_t hard_bytes = SIZE_MAX;

    Server* server = nullptr;
    size_t own_bytes = 0;       // what the server itself takes
    bool holding = false;       // some connections are held for memory
    net::Timer little_below;    // armed while they are, and memory has fallen below the soft mark, but not well below
    uint64_t refused_seen = 0;  // Mem::refused_count when queues were last dropped for it
    uint64_t ranks_used = 0;    // bit r: ranks[r] is not empty
    List ranks[64];             // send queues of 2^r bytes and more, less than twice that
};

// To be called when everything that a server cannot be without has been allocated. False if that is over a mark.
[[nodiscard]] bool budget_open(Server& server);

// May a running server have the marks of `config`? Not where it would itself be over one.
[[nodiscard]] bool budget_allows(const Server& server, const wsd_config& config);

// Takes over the marks of server.config. What is over them goes at the end of the turn.
void budget_apply(Server& server);

// Past the soft mark: may an open connection read on? If not it is held, and goes on when there is memory again; one
// whose peer has ended is ended.
[[nodiscard]] bool budget_lets_read(Conn& conn);

// Lets it go on if memory is what it is held for.
void budget_release(Conn& conn);

// `bytes` are about to be queued for `conn`: drops the longest queues until they fit, or no queue is left. False if
// the connection's own was among them.
[[nodiscard]] bool budget_make_room(Conn& conn, size_t bytes);

// The queue of `conn` has changed, or is about to go (with no bytes).
void budget_rank(Conn& conn);

// Is there something for budget_turn() to do? Memory may come free, or be refused, between turns too, in calls of the
// application, and then no event tells.
[[nodiscard]] bool budget_owes(const Server& server);

// What the end of a turn owes: room after memory was refused, and connections that may go on.
void budget_turn(Server& server);

void budget_close(Server& server);

}  // namespace wsd::server
