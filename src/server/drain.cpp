#include "server/drain.h"

#include "server/listener.h"
#include "server/server.h"
#include "server/upgrade.h"

namespace wsd::server {
namespace {

constexpr uint32_t kStepMs = 10;

// How many are to have been told by now.
uint32_t due_count(const Drain& drain, uint64_t now) {
    const uint64_t passed = now - drain.from_ms;
    if (passed >= drain.window_ms) return drain.conn_count;
    return uint32_t(drain.conn_count * passed / drain.window_ms);
}

// Who has left by itself shortens the walk, so at the window's end it goes on to the last slot whatever was counted.
void tell(Server& server) {
    Drain& drain = server.drain;
    const uint64_t now = now_ms(server);
    const bool all = now - drain.from_ms >= drain.window_ms;
    const uint32_t due = due_count(drain, now);
    while (all || drain.told_count < due) {
        Conn* const conn = server.conns.next(&drain.next_slot);
        if (!conn) return;
        drain.told_count++;
        drain_conn(*conn);
    }
    server.reactor.wheel.arm(drain.step, now + kStepMs);
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
    drain.window_ms = window_ms;
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
