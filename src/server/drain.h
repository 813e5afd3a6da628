// Shutting down in order: no new connections, a close for each that there is, all at once or spread over a window, and
// at last an end to those that are still there.
#pragma once

#include "net/timer_wheel.h"
#include "server/conn.h"

namespace wsd::server {

struct Drain {
    Server* server = nullptr;
    uint64_t from_ms = 0;  // start of the window
    uint32_t window_ms = 0;
    uint32_t conn_count = 0;  // connections to be told in the window
    uint32_t told_count = 0;  // and told so far
    uint32_t next_slot = 0;   // of the connection to be told next
    bool telling = false;     // a walk over them is on the stack
    net::Timer step;          // armed within the window
    net::Timer cut;
};

void drain_open(Server& server);
void drain_stop(Server& server);

// As wsd_server_drain_over().
void drain_begin(Server& server, uint32_t window_ms, uint32_t grace_ms);

// Does a drain leave the connection alone? Its plain requests are then answered as before.
bool drain_spares(const Conn& conn);

// Tells one connection that the server is going away.
void drain_conn(Conn& conn);

}  // namespace wsd::server
