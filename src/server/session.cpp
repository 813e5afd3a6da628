#include "server/session.h"

#include "base/random.h"
#include "server/server.h"

namespace wsd::server {
namespace {

Bytes id_of_node(const HashNode& node) {
    const Session* const session = WSD_CONTAINER_OF(const_cast<HashNode*>(&node), Session, node);
    return {reinterpret_cast<const uint8_t*>(session->id), kSessionIdLen};
}

void expired(net::Timer* timer) { session_end(*WSD_CONTAINER_OF(timer, Session, expiry), WSD_SESSION_EXPIRED); }

bool write_random_id(char* id) {
    uint8_t bits[kSessionIdLen / 2];
    if (!random_bytes(bits, sizeof bits)) return false;
    for (size_t i = 0; i < kSessionIdLen; i++) id[i] = "0123456789abcdef"[bits[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return true;
}

size_t size_of(const SessionValue& value) { return sizeof(SessionValue) + value.key_len + value.value_len; }

void free_value(Session& session, SessionValue* value) {
    session.data_bytes -= size_of(*value);
    mem_free(session.server->mem, Purpose::kSession, value, size_of(*value));
}

// Where the value of that key hangs, or the null at the end.
SessionValue** link_of(Session& session, Bytes key) {
    SessionValue** link = &session.values;
    while (*link && !equal({(*link)->key(), (*link)->key_len}, key)) link = &(*link)->next;
    return link;
}

// Everything that it can hold before it is in the map.
void give_back(Session* session) {
    Server& server = *session->server;
    while (!list_empty(session->extras)) {
        session_detach(*WSD_CONTAINER_OF(session->extras.head.next, Extra, of_session)->conn);
    }
    while (SessionValue* const value = session->values) {
        session->values = value->next;
        free_value(*session, value);
    }
    mem_free(server.mem, Purpose::kSession, session->user, session->user_len);
    server.sessions.pool.free(session);
}

int fill_in(Session& session, Bytes user) {
    Server& server = *session.server;
    if (user.len) {
        session.user = static_cast<char*>(mem_alloc(server.mem, Purpose::kSession, user.len));
        if (!session.user) return WSD_E_NOMEM;
        std::memcpy(session.user, user.p, user.len);
        session.user_len = uint8_t(user.len);
    }
    if (!write_random_id(session.id)) return WSD_E_SYSTEM;
    HashMap& map = server.sessions.by_id;
    return hash_map_add(map, session.node, hash_map_hash(map, id_of_node(session.node))) ? WSD_OK : WSD_E_NOMEM;
}

void tell_and_free(Server& server, Session* session) {
    if (server.callbacks.on_session_end) {
        server.callbacks.on_session_end(&server, id_of(session->handle), session->reason);
    }
    give_back(session);
}

}  // namespace

void sessions_init(Sessions& sessions, Mem& mem, const HashKey& key) {
    sessions.by_id = {&mem, Purpose::kSession, key, id_of_node};
}

int session_create(Server& server, Bytes user, uint64_t timeout_ms, Session** session) {
    Sessions& sessions = server.sessions;
    const uint32_t most = server.config.session_max_count;
    if (sessions.closing) return WSD_E_CLOSED;
    if (most && sessions.live_count >= most) return WSD_E_LIMIT;
    Session* const made = sessions.pool.make();
    if (!made) return WSD_E_NOMEM;
    made->server = &server;
    made->expiry.fired = expired;
    made->created_ms = now_ms(server);
    const int result = fill_in(*made, user);
    if (result != WSD_OK) {
        give_back(made);
        return result;
    }
    sessions.live_count++;
    server.stats.sessions_created++;
    session_touch(*made, timeout_ms);
    *session = made;
    return WSD_OK;
}

Session* session_find(Server& server, Bytes id) {
    HashNode* const node = hash_map_find(server.sessions.by_id, id);
    return node ? WSD_CONTAINER_OF(node, Session, node) : nullptr;
}

int session_attach(Session& session, Conn& conn) {
    if (conn.extra && conn.extra->session == &session) return WSD_OK;
    const uint32_t most = session.server->config.session_connection_max_count;
    if (most && session.conn_count >= most) return WSD_E_LIMIT;
    Extra* const extra = extra_get(conn);
    if (!extra) return WSD_E_NOMEM;
    if (extra->session) {
        extra->session->conn_count--;
        list_unlink(extra->of_session);
    }
    extra->session = &session;
    list_push_back(session.extras, extra->of_session);
    session.conn_count++;
    session.connected_ms = now_ms(*session.server);
    return WSD_OK;
}

void session_detach(Conn& conn) {
    Extra* const extra = conn.extra;
    if (!extra || !extra->session) return;
    extra->session->conn_count--;
    extra->session = nullptr;
    list_unlink(extra->of_session);
    extra_settle(conn);
}

void session_touch(Session& session, uint64_t timeout_ms) {
    net::TimerWheel& wheel = session.server->reactor.wheel;
    wheel.cancel(session.expiry);
    session.expires_ms = 0;
    if (timeout_ms == 0) return;
    const uint64_t now = now_ms(*session.server);
    session.expires_ms = timeout_ms > net::kTimerNever - now ? net::kTimerNever : now + timeout_ms;
    wheel.arm(session.expiry, session.expires_ms);
}

int session_set(Session& session, Bytes key, Bytes value) {
    Server& server = *session.server;
    SessionValue** const link = link_of(session, key);
    SessionValue* const old = *link;
    const size_t most = server.config.session_data_max_bytes;
    const size_t others = session.data_bytes - (old ? size_of(*old) : 0);
    const size_t own = sizeof(SessionValue) + key.len;
    // The limit may have come down below what is there.
    const size_t left = others < most ? most - others : 0;
    if (own > left || value.len > left - own) return WSD_E_LIMIT;
    SessionValue* const made = static_cast<SessionValue*>(mem_alloc(server.mem, Purpose::kSession, own + value.len));
    if (!made) return WSD_E_NOMEM;
    *made = {old ? old->next : nullptr, uint32_t(key.len), uint32_t(value.len)};
    std::memcpy(made->key(), key.p, key.len);
    if (value.len) std::memcpy(made->value(), value.p, value.len);  // before the old one goes: it may be its part
    *link = made;
    session.data_bytes += size_of(*made);
    if (old) free_value(session, old);
    return WSD_OK;
}

void session_unset(Session& session, Bytes key) {
    SessionValue** const link = link_of(session, key);
    SessionValue* const old = *link;
    if (!old) return;
    *link = old->next;
    free_value(session, old);
}

SessionValue* session_get(const Session& session, Bytes key) {
    SessionValue* value = session.values;
    while (value && !equal({value->key(), value->key_len}, key)) value = value->next;
    return value;
}

void session_end(Session& session, wsd_session_reason reason) {
    Server& server = *session.server;
    if (session.reason) return;
    session.reason = reason;
    hash_map_remove(server.sessions.by_id, session.node);
    server.reactor.wheel.cancel(session.expiry);
    server.sessions.live_count--;
    if (reason == WSD_SESSION_EXPIRED) server.stats.sessions_expired++;
    list_push_back(server.sessions.ended, session.ended_node);
    server.reactor.more = true;  // outside a turn: the loop must not sleep on it
}

void sessions_tell_ended(Server& server) {
    List now;  // what ends from here on waits for the next turn
    list_splice(server.sessions.ended, now);
    while (ListNode* const node = list_pop_front(now)) {
        tell_and_free(server, WSD_CONTAINER_OF(node, Session, ended_node));
    }
}

void sessions_close(Server& server) {
    Sessions& sessions = server.sessions;
    sessions.closing = true;
    sessions_tell_ended(server);
    uint32_t slot = 0;
    while (Session* const session = sessions.pool.next(&slot)) session_end(*session, WSD_SESSION_SERVER);
    while (!list_empty(sessions.ended)) sessions_tell_ended(server);
    sessions.pool.release();
}

}  // namespace wsd::server
