#include "server/client.h"

#include "http/proxy_protocol.h"
#include "server/extra.h"
#include "server/limits.h"
#include "server/server.h"
#include "server/upgrade.h"

namespace wsd::server {
namespace {

// Who the connection comes from, before any request has told more.
Peer connecting_peer(const Conn& conn, const Peer& socket_peer) {
    return conn.extra && conn.extra->announced.kind != PeerKind::kNone ? conn.extra->announced : socket_peer;
}

// The client has become known: may it have one more connection? If not, `refusal` says how to answer.
bool admit_client(Conn& conn, http::Refusal* refusal) {
    if (!conn.server->client_limits.by_address || conn.admin) return true;
    const Admission admission = limits_recount(conn, client_of(conn, net::socket_peer(conn.source.fd)));
    if (admission == Admission::kYes) return true;
    *refusal = limits_refusal(*conn.server, admission);
    return false;
}

}  // namespace

Announcing client_announcing(const Server& server, const Listener& listener, int fd) {
    if (listener.proxy_protocol == WSD_PROXY_OFF) return Announcing::kNo;
    const bool required = listener.proxy_protocol == WSD_PROXY_REQUIRED;
    // Without a list, whoever reaches a listener for proxies is one.
    if (required && !server.config.trusted_proxies) return Announcing::kMay;
    if (net::cidr_list_has(server.texts.trusted, net::socket_peer(fd))) return Announcing::kMay;
    return required ? Announcing::kRefuse : Announcing::kNo;
}

bool client_required(const Conn& conn) {
    return conn.proxy_due && conn.server->listeners[conn.listener].proxy_protocol == WSD_PROXY_REQUIRED;
}

void client_refuse(Conn& conn, const char* why) {
    Server& server = *conn.server;
    server.stats.refused_proxy++;
    conn_kill(conn, {WSD_CAUSE_PROTOCOL});
    server_log(server, WSD_LOG_WARN, id_of(conn.handle), why, WSD_OK);
}

uint8_t* client_feed(Conn& conn, uint8_t* p, uint8_t* end) {
    http::ProxyHeader header;
    switch (http::read_proxy_header({p, size_t(end - p)}, &header)) {
        case http::ProxyRead::kNeedMore: return p;
        case http::ProxyRead::kMalformed: client_refuse(conn, "malformed PROXY header"); return end;
        case http::ProxyRead::kAbsent:
            if (client_required(conn)) {
                client_refuse(conn, "no PROXY header");
                return end;
            }
            conn.proxy_due = false;
            return p;
        case http::ProxyRead::kDone: break;
    }
    if (header.source.kind != PeerKind::kNone) {
        Extra* const extra = extra_get(conn);
        if (!extra) {
            conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
            return end;
        }
        extra->announced = header.source;
    }
    conn.proxy_due = false;
    http::Refusal refusal;
    if (admit_client(conn, &refusal)) return p + header.size;
    upgrade_refuse(conn, refusal);
    return end;
}

bool client_learn(Conn& conn, http::Refusal* refusal) {
    const Server& server = *conn.server;
    const Upgrade& upgrade = *conn.upgrade;
    // A proxy may pass on several clients' requests over one connection: what the last one told is over.
    if (conn.extra) {
        conn.extra->forwarded = {};
        extra_settle(conn);
    }
    if (!server.config.trusted_proxies) return true;
    const Peer proxy = connecting_peer(conn, net::socket_peer(conn.source.fd));
    if (!net::cidr_list_has(server.texts.trusted, proxy)) return true;
    Peer client;
    const wsd_forwarded header = wsd_forwarded(server.config.forwarded_header);  // judged when the server was made
    if (!read_forwarded(head_of(upgrade), upgrade.request, header, server.texts.trusted, &client)) {
        *refusal = {400, "malformed Forwarded"};
        return false;
    }
    if (client.kind != PeerKind::kNone) {
        Extra* const extra = extra_get(conn);
        if (!extra) {
            *refusal = {503, "out of memory"};
            return false;
        }
        extra->forwarded = client;
    }
    return admit_client(conn, refusal);
}

Peer client_of(const Conn& conn, const Peer& socket_peer) {
    if (conn.extra && conn.extra->forwarded.kind != PeerKind::kNone) return conn.extra->forwarded;
    return connecting_peer(conn, socket_peer);
}

}  // namespace wsd::server
