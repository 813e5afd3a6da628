#include "server/extra.h"

#include "server/limits.h"
#include "server/server.h"
#include "server/session.h"
#include "server/topics.h"

namespace wsd::server {

Extra* extra_get(Conn& conn) {
    if (conn.extra) return conn.extra;
    void* const room = mem_alloc(conn.server->mem, Purpose::kConn, sizeof(Extra));
    if (!room) return nullptr;
    conn.extra = new (room) Extra;
    conn.extra->conn = &conn;
    return conn.extra;
}

void extra_settle(Conn& conn) {
    Extra* const extra = conn.extra;
    if (!extra || extra->subprotocol || extra->subscription_count || extra->session) return;
    if (extra->announced.kind != PeerKind::kNone || extra->forwarded.kind != PeerKind::kNone) return;
    if (extra->ip_counted || extra->metered) return;
    mem_free(conn.server->mem, Purpose::kConn, extra, sizeof(Extra));
    conn.extra = nullptr;
}

bool extra_set_subprotocol(Conn& conn, Bytes name) {
    Extra* const extra = extra_get(conn);
    if (!extra) return false;
    char* const copy = static_cast<char*>(mem_alloc(conn.server->mem, Purpose::kConn, name.len + 1));
    if (copy) {
        std::memcpy(copy, name.p, name.len);
        copy[name.len] = '\0';
    }
    extra->subprotocol = copy;
    extra_settle(conn);
    return copy != nullptr;
}

void extra_drop_subprotocol(Conn& conn) {
    if (!subprotocol_of(conn)) return;
    char* const text = conn.extra->subprotocol;
    mem_free(conn.server->mem, Purpose::kConn, text, std::strlen(text) + 1);
    conn.extra->subprotocol = nullptr;
    extra_settle(conn);
}

void extra_end(Conn& conn) {
    if (conn.extra && conn.extra->ip_counted) {
        limits_leave(*conn.server, conn.extra->ip_key);
        conn.extra->ip_counted = false;
    }
    extra_drop_subprotocol(conn);
    topics_leave_all(conn);
    session_detach(conn);
    if (conn.extra) mem_free(conn.server->mem, Purpose::kConn, conn.extra, sizeof(Extra));
    conn.extra = nullptr;
}

}  // namespace wsd::server
