// The C functions of wsd.h about sessions: checks and translation only.
#include "server/api.h"
#include "server/server.h"
#include "server/session.h"

using namespace wsd;
using namespace wsd::server;

namespace {

bool text_ok(wsd_str text, size_t min, size_t max) {
    return (text.p || !text.len) && text.len >= min && text.len <= max;
}

bool key_ok(wsd_str key) { return text_ok(key, 1, WSD_SESSION_KEY_MAX_BYTES); }

// One that can still be looked at: until its on_session_end has returned.
Session* find(const wsd_server* server, wsd_session id) { return server ? server->sessions.pool.find(id) : nullptr; }

// One that has not ended, and that something is to be done to.
Session* find_live(wsd_server* server, wsd_session id) {
    if (server) see_time(*server);
    Session* const session = find(server, id);
    return session && !session->reason ? session : nullptr;
}

uint64_t timeout_or_default(const wsd_server& server, uint64_t timeout_ms) {
    return timeout_ms ? timeout_ms : server.config.session_timeout_ms;
}

}  // namespace

extern "C" int wsd_session_create(wsd_server* server, wsd_str user, uint64_t timeout_ms, wsd_session* session) {
    if (!server || !session || !text_ok(user, 0, WSD_SESSION_USER_MAX_BYTES)) return WSD_E_INVALID;
    see_time(*server);
    Session* made = nullptr;
    const int result = session_create(*server, bytes_of(user), timeout_or_default(*server, timeout_ms), &made);
    if (result == WSD_OK) *session = id_of(made->handle);
    return result;
}

extern "C" wsd_session wsd_session_find(wsd_server* server, wsd_str id) {
    if (!server || !id.p || id.len != kSessionIdLen) return 0;
    const Session* const session = session_find(*server, bytes_of(id));
    return session ? id_of(session->handle) : 0;
}

extern "C" int wsd_session_attach(wsd_server* server, wsd_session id, wsd_conn conn_id) {
    Session* const session = find_live(server, id);
    Conn* const conn = server ? server->conns.find(conn_id) : nullptr;
    if (!session || !conn || conn->phase > Phase::kOpen) return WSD_E_CLOSED;
    return session_attach(*session, *conn);
}

extern "C" int wsd_session_detach(wsd_server* server, wsd_conn conn_id) {
    Conn* const conn = server ? server->conns.find(conn_id) : nullptr;
    if (!conn) return WSD_E_CLOSED;
    session_detach(*conn);
    return WSD_OK;
}

extern "C" wsd_session wsd_session_of(const wsd_server* server, wsd_conn conn_id) {
    const Conn* const conn = server ? server->conns.find(conn_id) : nullptr;
    return conn && conn->extra && conn->extra->session ? id_of(conn->extra->session->handle) : 0;
}

extern "C" int wsd_session_touch(wsd_server* server, wsd_session id, uint64_t timeout_ms) {
    Session* const session = find_live(server, id);
    if (!session) return WSD_E_CLOSED;
    session_touch(*session, timeout_or_default(*server, timeout_ms));
    return WSD_OK;
}

extern "C" int wsd_session_set(wsd_server* server, wsd_session id, wsd_str key, const void* value, size_t len) {
    if (!server || !key_ok(key) || (!value && len)) return WSD_E_INVALID;
    Session* const session = find_live(server, id);
    if (!session) return WSD_E_CLOSED;
    if (value) return session_set(*session, bytes_of(key), {static_cast<const uint8_t*>(value), len});
    session_unset(*session, bytes_of(key));
    return WSD_OK;
}

extern "C" int wsd_session_get(const wsd_server* server, wsd_session id, wsd_str key, wsd_str* value) {
    if (!server || !value || !key_ok(key)) return WSD_E_INVALID;
    *value = {nullptr, 0};
    const Session* const session = find(server, id);
    if (!session) return WSD_E_CLOSED;
    SessionValue* const found = session_get(*session, bytes_of(key));
    if (found) *value = {reinterpret_cast<const char*>(found->value()), found->value_len};
    return WSD_OK;
}

extern "C" size_t wsd_session_conns(const wsd_server* server, wsd_session id, wsd_conn* conns, size_t most) {
    const Session* const session = find(server, id);
    if (!session) return 0;
    size_t count = 0;
    for (ListNode* node = session->extras.head.next; node != &session->extras.head; node = node->next) {
        if (conns && count < most) conns[count] = id_of(WSD_CONTAINER_OF(node, Extra, of_session)->conn->handle);
        count++;
    }
    return count;
}

extern "C" int wsd_session_info_get(const wsd_server* server, wsd_session id, wsd_session_info* info) {
    if (!info || !is_sized(*info)) return WSD_E_INVALID;
    const Session* const session = find(server, id);
    if (!session) return WSD_E_CLOSED;
    wsd_session_info now = {};
    std::memcpy(now.id, session->id, sizeof now.id);
    now.user = {session->user, session->user_len};
    now.created_ms = session->created_ms;
    now.connected_ms = session->connected_ms;
    now.expires_ms = session->expires_ms;
    now.connection_count = session->conn_count;
    now.data_bytes = session->data_bytes;
    write_sized(info, now);
    return WSD_OK;
}

extern "C" int wsd_session_end(wsd_server* server, wsd_session id) {
    Session* const session = find_live(server, id);
    if (!session) return WSD_E_CLOSED;
    session_end(*session, WSD_SESSION_ENDED);
    return WSD_OK;
}
