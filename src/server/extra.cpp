#include "server/extra.h"

#include "server/limits.h"
#include "server/server.h"

namespace wsd::server {

Extra* extra_of(Conn& conn) {
    if (conn.extra) return conn.extra;
    void* const room = mem_alloc(conn.server->mem, Purpose::kConn, sizeof(Extra));
    if (room) conn.extra = new (room) Extra;
    return conn.extra;
}

bool extra_set_subprotocol(Conn& conn, Bytes name) {
    Extra* const extra = extra_of(conn);
    if (!extra) return false;
    extra->subprotocol = static_cast<char*>(mem_alloc(conn.server->mem, Purpose::kConn, name.len + 1));
    if (!extra->subprotocol) return false;
    std::memcpy(extra->subprotocol, name.p, name.len);
    extra->subprotocol[name.len] = '\0';
    return true;
}

void extra_drop_subprotocol(Conn& conn) {
    if (!conn.extra || !conn.extra->subprotocol) return;
    mem_free(conn.server->mem, Purpose::kConn, conn.extra->subprotocol, std::strlen(conn.extra->subprotocol) + 1);
    conn.extra->subprotocol = nullptr;
}

void extra_free(Conn& conn) {
    Extra* const extra = conn.extra;
    if (!extra) return;
    if (extra->ip_counted) limits_leave(*conn.server, extra->ip_key);
    extra_drop_subprotocol(conn);
    mem_free(conn.server->mem, Purpose::kConn, extra, sizeof(Extra));
    conn.extra = nullptr;
}

}  // namespace wsd::server
