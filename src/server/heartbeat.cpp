// Deadlines of a connection: handshake, ping, silence, idleness, stalled writes, close. One timer serves them all. What
// happens on a connection only notes the time; the timer, when it fires, works out which deadline has really come.
#include "server/extra.h"
#include "server/histogram.h"
#include "server/server.h"
#include "server/upgrade.h"

namespace wsd::server {
namespace {

// A ping may be late by this part of its interval.
constexpr uint32_t kPingGridShare = 256;

// `from` plus a configured time, or never where that is off.
uint64_t after(uint64_t from_ms, uint32_t delay_ms) { return delay_ms ? from_ms + delay_ms : net::kTimerNever; }

uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t write_deadline(const Conn& conn) {
    return conn.out ? after(conn.out->stalled_since_ms, conn.server->config.write_timeout_ms) : net::kTimerNever;
}

// When the silence of the peer, or of the application's messages, becomes too long. One that is paused or held is
// silent because we do not listen.
uint64_t stale_deadline(const Conn& conn) { return after(conn.last_rx_ms, conn.server->config.stale_timeout_ms); }
// Only in the middle of a message: between two, silence is what the other deadlines judge.
uint64_t read_deadline(const Conn& conn) {
    return conn.in ? after(conn.last_rx_ms, conn.server->config.read_timeout_ms) : net::kTimerNever;
}
uint64_t idle_deadline(const Conn& conn) { return after(conn.since_ms, conn.server->config.idle_timeout_ms); }

// Pings fall on a grid that all connections share, so that many come due in one turn, and neither each ping nor each
// pong wakes the loop by itself. Nobody waits for a ping, so it may be as late as the grid is wide.
uint64_t ping_deadline(const Conn& conn) {
    const uint32_t interval_ms = conn.server->config.ping_interval_ms;
    if (!interval_ms) return net::kTimerNever;
    const uint64_t due_ms = conn.ping_sent_ms + interval_ms;
    const uint32_t grid_ms = interval_ms / kPingGridShare;
    return grid_ms > 1 ? (due_ms + grid_ms - 1) / grid_ms * grid_ms : due_ms;
}

// When a connection that is held for its message rate may go on.
uint64_t ready_deadline(const Conn& conn) { return conn.extra ? conn.extra->ready_ms : net::kTimerNever; }

uint64_t handshake_deadline(const Conn& conn) {
    return earlier(after(conn.since_ms, conn.server->config.handshake_timeout_ms), limits_slow_head_ms(conn));
}

uint64_t next_deadline(const Conn& conn) {
    const wsd_config& config = conn.server->config;
    switch (conn.phase) {
        case Phase::kHttp: return earlier(write_deadline(conn), handshake_deadline(conn));
        case Phase::kOpen: {
            // Nobody's pongs are read here who is paused or held, but a host that is gone does not acknowledge a ping.
            uint64_t next = earlier(write_deadline(conn), ping_deadline(conn));
            if (conn.held) next = earlier(next, ready_deadline(conn));
            if (conn.paused) return next;
            // What a held message keeps, others wait for, so even our own silence counts.
            next = earlier(next, read_deadline(conn));
            if (conn.held) return next;
            return earlier(next, earlier(stale_deadline(conn), idle_deadline(conn)));
        }
        case Phase::kClosing:
        case Phase::kLingering: return conn.out ? write_deadline(conn) : after(conn.since_ms, config.close_timeout_ms);
        case Phase::kDead: return net::kTimerNever;
    }
    return net::kTimerNever;
}

void send_ping(Conn& conn) {
    Server& server = *conn.server;
    conn.ping_sent_ms = now_ms(server);
    conn.ping_pending = false;  // a pong to an earlier one would now be given a wrong time
    if (conn.out) return;       // it would wait behind what the peer does not take, and tell nothing
    uint8_t payload[4];
    store_be32(payload, ++conn.ping_number);
    if (conn_send_control(conn, ws::Opcode::kPing, {payload, sizeof payload}) != WSD_OK) return;
    conn.ping_pending = !conn.paused && !conn.held;  // else its pong is read too late to tell a round trip
    server.stats.pings_out++;
}

void end_idle(Conn& conn) {
    conn.server->stats.timeouts_idle++;
    const Ending ending{WSD_CAUSE_IDLE, WSD_E_IDLE_TIMEOUT};
    if (conn_close(conn, 1001, {}, ending) != WSD_OK) conn_kill(conn, ending);
}

void open_deadlines(Conn& conn, uint64_t now) {
    Server& server = *conn.server;
    if (write_deadline(conn) <= now) {
        server.stats.timeouts_write++;
        return conn_kill(conn, {WSD_CAUSE_WRITE_TIMEOUT, WSD_E_WRITE_TIMEOUT});
    }
    if (conn.held && ready_deadline(conn) <= now) return conn_release(conn);
    const bool listens = !conn.paused && !conn.held;
    if (listens && stale_deadline(conn) <= now) {
        server.stats.timeouts_ping++;
        return conn_kill(conn, {WSD_CAUSE_PING_TIMEOUT, WSD_E_PING_TIMEOUT});
    }
    const bool idle = listens && idle_deadline(conn) <= now;
    if (idle || (!conn.paused && read_deadline(conn) <= now)) return end_idle(conn);
    if (ping_deadline(conn) <= now) send_ping(conn);
}

void http_deadlines(Conn& conn, uint64_t now) {
    if (after(conn.since_ms, conn.server->config.handshake_timeout_ms) <= now) return upgrade_timed_out(conn);
    if (limits_slow_head_ms(conn) <= now) limits_slow_head(conn);
}

}  // namespace

void conn_rearm(Conn& conn) {
    const uint64_t next = next_deadline(conn);
    if (net::TimerWheel::armed(conn.deadline) && conn.deadline.when_ms <= next) return;
    if (next != net::kTimerNever) conn.server->reactor.wheel.arm(conn.deadline, next);
}

void conn_deadline_fired(net::Timer* timer) {
    Conn& conn = *WSD_CONTAINER_OF(timer, Conn, deadline);
    Server& server = *conn.server;
    const uint64_t now = now_ms(server);
    histogram_add(server.stats.loop_lag, now - timer->when_ms);
    if (next_deadline(conn) <= now) {
        if (conn.phase == Phase::kOpen) {
            open_deadlines(conn, now);
        } else if (conn.phase == Phase::kHttp && write_deadline(conn) > now) {
            http_deadlines(conn, now);
        } else if (conn.out) {
            server.stats.timeouts_write++;
            conn_kill(conn, {WSD_CAUSE_WRITE_TIMEOUT, WSD_E_WRITE_TIMEOUT});
        } else {
            server.stats.timeouts_close++;
            conn_kill(conn, {conn.cause});
        }
    }
    if (conn.phase != Phase::kDead) conn_rearm(conn);
}

void conn_pong_received(Conn& conn, Bytes payload) {
    Server& server = *conn.server;
    server.stats.pongs_in++;
    const bool ours = conn.ping_pending && payload.len == 4 && load_be32(payload.p) == conn.ping_number;
    if (!ours) return;  // unsolicited (§5.5.3), or to a ping of the application
    conn.ping_pending = false;
    conn.rtt_ms = uint32_t(now_ms(server) - conn.ping_sent_ms);
    histogram_add(server.stats.rtt, conn.rtt_ms);
    if (conn.phase == Phase::kOpen && server.callbacks.on_pong) {
        server.callbacks.on_pong(&server, id_of(conn.handle), conn.rtt_ms);
    }
}

}  // namespace wsd::server
