// Reading that stops for a while and goes on: the application asks for it, or a limit of the server's. The kernel keeps
// what comes meanwhile, and the flag `readable` remembers the edge that told of it.
#include "server/extra.h"
#include "server/server.h"

namespace wsd::server {
namespace {

// The silence until now was ours.
void read_again(Conn& conn) {
    conn.last_rx_ms = conn.since_ms = now_ms(*conn.server);
    conn_rearm(conn);
    conn_owe(conn, kWorkRead);
}

}  // namespace

void conn_set_paused(Conn& conn, bool paused) {
    if (conn.paused == paused) return;
    conn.paused = paused;
    if (!paused) read_again(conn);
}

void conn_hold(Conn& conn) {
    conn.held = true;
    conn_rearm(conn);
}

void conn_release(Conn& conn) {
    conn.held = false;
    if (conn.extra) conn.extra->ready_ms = net::kTimerNever;
    if (conn.phase == Phase::kOpen && !conn.paused) read_again(conn);
}

}  // namespace wsd::server
