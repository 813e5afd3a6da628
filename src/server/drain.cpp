#include "server/drain.h"

#include "server/listener.h"
#include "server/server.h"
#include "server/upgrade.h"

namespace wsd::server {
namespace {

constexpr uint32_t kStepMs = 10;

// The last to be told has time for its close handshake before it is cut: what that may take or, where there is less
// time than that for all of it, half of the grace time.
uint32_t window_within(const Server& server, uint32_t window_ms, uint32_t grace_ms) {
    const uint32_t handshake_ms = server.config.close_timeout_ms > kStepMs ? server.config.close_timeout_ms : kStepMs;
    const uint32_t kept_ms = handshake_ms < grace_ms / 2 ? handshake_ms : grace_ms - grace_ms / 2;
    return window_ms < grace_ms - kept_ms ? window_ms : grace_ms - kept_ms;
}

// How many are to have been told by now. Who has left by itself shortens the walk, so at the window's end it goes on to
// the last slot whatever was counted.
uint32_t due_count(const Drain& drain, uint64_t now) {
    const uint64_t passed = now - drain.from_ms;
    if (passed >= drain.window_ms) return UINT32_MAX;
    return uint32_t(drain.conn_count * passed / drain.window_ms);
}

// Whom it tells of a refusal may begin the drain anew, which is then what the walk goes on with.
void tell(Server& server) {
    Drain& drain = server.drain;
    if (drain.telling) return;
    const uint64_t now = now_ms(server);
    Conn* conn = nullptr;
    drain.telling = true;
    while (drain.told_count < due_count(drain, now) && (conn = server.conns.next(&drain.next_slot))) {
        drain.told_count++;
        drain_conn(*conn);
    }
    drain.telling = false;
    const bool all = now - drain.from_ms >= drain.window_ms;
    if (!all) server.reactor.wheel.arm(drain.step, now + kStepMs);
}

void step_fired(net::Timer* timer) { tell(*WSD_CONTAINER_OF(timer, Drain, step)->server); }

void cut_fired(net::Timer* timer) {
    Server& server = *WSD_CONTAINER_OF(timer, Drain, cut)->server;
    uint32_t slot = 0;
    while (Conn* const conn = server.conns.next(&slot)) {
        if (!drain_spares(*conn)) conn_kill(*conn, {WSD_CAUSE_DRAIN});
    }
}

}  // namespace

void drain_open(Server& server) {
    server.drain.server = &server;
    server.drain.step.fired = step_fired;
    server.drain.cut.fired = cut_fired;
}

void drain_stop(Server& server) {
    server.reactor.wheel.cancel(server.drain.step);
    server.reactor.wheel.cancel(server.drain.cut);
}

void drain_begin(Server& server, uint32_t window_ms, uint32_t grace_ms) {
    Drain& drain = server.drain;
    if (!server.draining) listeners_close(server, Closing::kPublic);
    server.draining = true;
    drain.from_ms = now_ms(server);
    drain.window_ms = window_within(server, window_ms, grace_ms);
    drain.conn_count = server.conns.live_count();
    drain.told_count = 0;
    drain.next_slot = 0;
    server.reactor.wheel.cancel(drain.step);
    server.reactor.wheel.arm(drain.cut, now_ms(server) + grace_ms);
    tell(server);
}

bool drain_spares(const Conn& conn) { return conn.admin && !(conn.upgrade && conn.upgrade->is_upgrade); }

void drain_conn(Conn& conn) {
    const Ending ending{WSD_CAUSE_DRAIN};
    if (drain_spares(conn)) return;
    if (conn.phase == Phase::kOpen && !conn.upgrade) {
        if (conn_close(conn, 1001, {}, ending) != WSD_OK) conn_kill(conn, ending);
    } else if (conn.phase == Phase::kHttp) {
        if (upgrade_is_answered(conn)) {
            conn.upgrade->last = true;  // one answer is enough: it ends when that is settled
            return;
        }
        if (conn.upgrade && conn.upgrade->in_callback) return;                 // judged when that returns
        if (!conn.upgrade && conn.answered) return conn_linger(conn, ending);  // kept alive, nothing asked
        upgrade_refuse(conn, {503, "draining", "draining"});
    }
}

}  // namespace wsd::server
