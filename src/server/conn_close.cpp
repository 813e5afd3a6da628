// The end of a connection: the close handshake both ways (§7), streams that end without one, and what is given back.
//
//     kOpen ---- we close ---> kClosing ---- their close frame ---> kLingering ---- queue out, end of stream ---> kDead
//       |                         |                                     ^
//       +-- they close, or break a rule: our close frame is queued -----+      kDead is reached from everywhere by
//                                                                              resets, deadlines and wsd_abort()
#include <unistd.h>

#include "server/compression.h"
#include "server/extra.h"
#include "server/server.h"
#include "server/upgrade.h"

namespace wsd::server {
namespace {

// The only place where a phase changes.
void enter(Conn& conn, Phase phase) {
    WSD_ASSERT(phase > conn.phase);
    if (conn.phase == Phase::kOpen) conn.server->stats.connections_open--;
    if (phase == Phase::kOpen) conn.server->stats.connections_open++;
    conn.phase = phase;
}

void set_ending(Conn& conn, Ending ending) {
    if (conn.cause) return;
    conn.cause = ending.cause;
    conn.error = int16_t(ending.error);
}

// Queues a close frame. It is the last frame of ours.
int send_close(Conn& conn, uint16_t code, Bytes reason) {
    uint8_t payload[ws::kControlPayloadMax];
    const size_t len = ws::write_close(payload, code, reason);
    const int result = conn_send_control(conn, ws::Opcode::kClose, {payload, len});
    if (result != WSD_OK) return result;
    conn.close_sent = true;
    if (!conn.close_received) conn.close_code = code;
    return WSD_OK;
}

// The reason must outlive the frame until on_close. Where memory is refused it is left out, as it is for people to
// read.
void keep_reason(Conn& conn, Bytes reason) {
    if (reason.len == 0) return;
    uint8_t* const copy = static_cast<uint8_t*>(mem_alloc(conn.server->mem, Purpose::kConn, reason.len));
    if (!copy) return;
    std::memcpy(copy, reason.p, reason.len);
    conn.reason = copy;
    conn.reason_len = uint8_t(reason.len);
}

void leave_admin(Conn& conn) {
    conn.server->admin_count -= conn.admin;
    conn.admin = false;
}

// What on_close and the statistics tell (§7.1.5).
uint16_t final_code(const Conn& conn) { return conn.close_code ? conn.close_code : ws::kCloseAbnormal; }

void count_end(Server& server, const Conn& conn) {
    if (!conn.opened) {
        // A connection that served plain requests, or was never asked anything, had no handshake to fail.
        if (!conn.answered) server.stats.handshakes_failed++;
        return;
    }
    server.stats.connections_closed++;
    server.stats.causes[conn.cause & 15]++;
    const unsigned last_digits = final_code(conn) - 1000u;
    server.stats.close_codes[last_digits < 15 ? last_digits : 15]++;
}

}  // namespace

void conn_owe(Conn& conn, Work work) {
    conn.work |= work;
    conn.server->reactor.more = true;  // outside a turn: the loop must not sleep on it
    if (!list_linked(conn.work_node)) list_push_back(conn.server->line, conn.work_node);
}

void conn_open(Conn& conn) {
    enter(conn, Phase::kOpen);
    leave_admin(conn);
    conn.since_ms = conn.ping_sent_ms = now_ms(*conn.server);
    conn_rearm(conn);
}

int conn_close(Conn& conn, uint16_t code, Bytes reason, Ending ending) {
    const int result = send_close(conn, code, reason);
    if (result != WSD_OK) return result;
    set_ending(conn, ending);
    enter(conn, Phase::kClosing);
    // What was coming is not wanted any more, but where its frames end must be known to find their close frame.
    if (conn.in) {
        net::block_release(conn.in->block);
        conn.in->block = nullptr;
        conn.in->len = 0;
    }
    conn.since_ms = now_ms(*conn.server);
    conn_rearm(conn);
    conn_owe(conn, kWorkFlush | kWorkRead);  // it may have been paused
    return WSD_OK;
}

void conn_fail(Conn& conn, uint16_t code, Ending ending) {
    set_ending(conn, ending);
    // Without memory for a close frame the connection just ends.
    if (conn.phase == Phase::kHttp || (conn.phase == Phase::kOpen && send_close(conn, code, {}) != WSD_OK)) {
        return conn_kill(conn, ending);
    }
    conn_linger(conn, ending);
}

void conn_violation(Conn& conn, const ws::Violation& violation) {
    Server& server = *conn.server;
    server.stats.protocol_errors++;
    const int error = result_of(violation.fault);
    const bool limit =
        error == WSD_E_FRAME_TOO_LARGE || error == WSD_E_MESSAGE_TOO_LARGE || error == WSD_E_FRAGMENT_LIMIT;
    server_log(server, WSD_LOG_INFO, id_of(conn.handle), violation.why, error);
    conn_fail(conn, ws::close_code_of(violation.fault), {limit ? WSD_CAUSE_POLICY : WSD_CAUSE_PROTOCOL, error});
}

void conn_close_received(Conn& conn, const ws::ClosePayload& payload) {
    conn.close_received = true;
    conn.close_code = payload.code;
    conn_drop_input(conn);
    keep_reason(conn, payload.reason);
    // The answer carries the same code (§5.5.1). Where it cannot be sent, the end of the stream is the answer.
    if (conn.phase == Phase::kOpen) (void)send_close(conn, payload.code, {});
    conn_linger(conn, {WSD_CAUSE_PEER});
}

void conn_end_of_stream(Conn& conn, bool reset) {
    if (conn.phase == Phase::kDead) return;
    conn.end_seen = true;
    const Ending ending{WSD_CAUSE_VANISHED, WSD_E_VANISHED};
    // The peer may have closed its half only and still read: what it is owed goes out first.
    if (reset || conn_buffered(conn) == 0) return conn_kill(conn, ending);
    conn_linger(conn, ending);
}

void conn_linger(Conn& conn, Ending ending) {
    set_ending(conn, ending);
    if (conn.phase >= Phase::kLingering) return;
    if (!conn.close_received) conn_drop_input(conn);
    enter(conn, Phase::kLingering);
    conn.since_ms = now_ms(*conn.server);
    conn_rearm(conn);
    conn_owe(conn, kWorkFlush | kWorkRead);
}

void conn_all_sent(Conn& conn) {
    if (conn.phase == Phase::kHttp) return conn_owe(conn, kWorkRead);  // for the next request
    if (conn.phase == Phase::kClosing) {
        conn.since_ms = now_ms(*conn.server);  // our close frame is out: the peer's time to answer begins
        return conn_rearm(conn);
    }
    if (conn.phase != Phase::kLingering || conn.shut) return;
    if (conn.end_seen) return conn_kill(conn, {conn.cause});
    // Closing the descriptor now could answer bytes that are still coming with a reset, which would destroy our last
    // ones on their way. So only our direction ends, and theirs is read to its end, for close_timeout_ms at most
    // (§7.1.1).
    net::shut_down_sending(conn.source.fd);
    conn.shut = true;
    conn.since_ms = now_ms(*conn.server);
    conn_rearm(conn);
}

void conn_kill(Conn& conn, Ending ending) {
    if (conn.phase == Phase::kDead) return;
    Server& server = *conn.server;
    set_ending(conn, ending);
    enter(conn, Phase::kDead);
    close(conn.source.fd);
    conn.source.fd = -1;
    server.reactor.wheel.cancel(conn.deadline);
    if (server.cork.owner == &conn) server.cork.len = server.cork.units = 0;
    conn_owe(conn, kWorkEnd);
    server_descriptor_freed(server);
}

void conn_free(Conn& conn) {
    Server& server = *conn.server;
    count_end(server, conn);
    leave_admin(conn);
    if (conn.opened && server.callbacks.on_close) {
        wsd_close_info info = {};
        info.size = sizeof info;
        info.code = final_code(conn);
        if (conn.reason_len) info.reason = {reinterpret_cast<const char*>(conn.reason), conn.reason_len};
        info.cause = conn.cause;
        info.error = conn.error;
        info.clean = conn.close_sent && conn.close_received;
        server.callbacks.on_close(&server, id_of(conn.handle), &info);
    }
    if (conn.reason_len) mem_free(server.mem, Purpose::kConn, conn.reason, conn.reason_len);
    conn_drop_input(conn);
    conn_drop_output(conn);
    upgrade_free(conn);
    compression_end(conn);
    extra_end(conn);
    server.conns.free(&conn);
}

int result_of(ws::Fault fault) {
    switch (fault) {
        case ws::Fault::kNone: return WSD_OK;
        case ws::Fault::kFrame: return WSD_E_FRAME;
        case ws::Fault::kOpcode: return WSD_E_OPCODE;
        case ws::Fault::kFrameTooLarge: return WSD_E_FRAME_TOO_LARGE;
        case ws::Fault::kControlTooLong: return WSD_E_CONTROL_TOO_LONG;
        case ws::Fault::kControlFragmented: return WSD_E_CONTROL_FRAGMENTED;
        case ws::Fault::kMessageTooLarge: return WSD_E_MESSAGE_TOO_LARGE;
        case ws::Fault::kTooManyFragments: return WSD_E_FRAGMENT_LIMIT;
        case ws::Fault::kDeflate: return WSD_E_DEFLATE;
        case ws::Fault::kUtf8: return WSD_E_UTF8;
        case ws::Fault::kClose: return WSD_E_CLOSE_PAYLOAD;
    }
    return WSD_E_FRAME;
}

}  // namespace wsd::server
