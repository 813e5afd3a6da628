// The C functions of wsd.h about servers, connections and sending: each checks its arguments, finds the connection and
// calls the function of ours that does the work. Nothing is decided here.
#include "server/api.h"

#include <errno.h>
#include <stdio.h>

#include "server/client.h"
#include "server/compression.h"
#include "server/extra.h"
#include "server/listener.h"
#include "server/prepared.h"
#include "server/server.h"
#include "server/upgrade.h"

using namespace wsd;
using namespace wsd::server;

static_assert(WSD_TEXT == int(ws::Opcode::kText) && WSD_BINARY == int(ws::Opcode::kBinary));

namespace {

const Conn* find(const wsd_server* server, wsd_conn id) { return server ? server->conns.find(id) : nullptr; }

// One that something is to be done to.
inline Conn* find(wsd_server* server, wsd_conn id) {
    if (!server) return nullptr;
    see_time(*server);
    return server->conns.find(id);
}

bool payload_ok(wsd_opcode opcode, const void* data, size_t len) {
    return (opcode == WSD_TEXT || opcode == WSD_BINARY) && (data || !len);
}

Bytes bytes_of(const void* data, size_t len) { return {static_cast<const uint8_t*>(data), len}; }

// False for options that make no sense.
bool read_options(const wsd_send_options* from, SendOptions* to) {
    if (!from) return true;
    if (!is_sized(*from)) return false;
    const wsd_send_options known = read_sized(*from, wsd_send_options{});
    to->plain = known.plain != 0;
    return read_policy(known.full, known.key, to);
}

const wsd_config kDefaults = {
    .size = sizeof(wsd_config),
    .context = nullptr,
    .allocate = nullptr,
    .allocate_context = nullptr,
    .clock = nullptr,
    .clock_context = nullptr,
    .connection_max_count = 100000,
    .message_max_bytes = 16u << 20,
    .frame_max_bytes = 16u << 20,
    .fragment_max_count = 131072,
    .head_max_bytes = 8192,
    .head_max_count = 100,
    .body_max_bytes = 65536,
    .receive_buffer_bytes = 256u << 10,
    .send_high_bytes = 1u << 20,
    .send_high_count = 100,
    .send_low_bytes = 256u << 10,
    .post_max_count = 1024,
    .handshake_timeout_ms = 10000,
    .ping_interval_ms = 30000,
    .stale_timeout_ms = 120000,
    .idle_timeout_ms = 300000,
    .read_timeout_ms = 600000,
    .write_timeout_ms = 10000,
    .close_timeout_ms = 1000,
    .tcp_user_timeout_ms = 30000,
    .defer_accept_s = 0,
    .backlog = 4096,
    .subprotocols = nullptr,
    .allow_http10 = 0,
    .origins = nullptr,
    .origins_required = 0,
    .trusted_proxies = nullptr,
    .forwarded_header = WSD_X_FORWARDED_FOR,
    .deflate = 0,
    .deflate_level = 1,
    .deflate_threshold_bytes = 64,
    .deflate_server_takeover = 0,
    .deflate_client_takeover = 0,
    .deflate_server_window_bits = ws::kWindowBitsMax,
    .deflate_client_window_bits = ws::kWindowBitsMax,
    .deflate_memory_max_bytes = 64u << 20,
    .subscription_max_count = 100,
    .session_max_count = 100000,
    .session_connection_max_count = 100,
    .session_data_max_bytes = 4096,
    .session_timeout_ms = 24ull * 3600 * 1000,
    .kernels = nullptr,
    .ip_connection_max_count = 0,
    .ip_connect_per_min = 0,
    .ip_connect_burst_count = 0,
    .message_per_s = 0,
    .message_burst_count = 0,
    .message_over_rate = WSD_OVER_RATE_PAUSE,
    .handshake_bytes_per_s = 0,
    .handshake_grace_ms = 3000,
    .limits_dry_run = 0,
    .memory_soft_bytes = 0,
    .memory_hard_bytes = 0,
    .refusals_json = 0,
    .busy_poll_us = 0,
};

// What the caller knows of the configuration, and the defaults for the rest.
wsd_config whole_config(const wsd_config* config) { return config ? read_sized(*config, kDefaults) : kDefaults; }

}  // namespace

// ------------------------------------------------------------------------------------------------------------ server

extern "C" void wsd_config_init(wsd_config* config, size_t size) {
    config->size = size;
    write_sized(config, kDefaults);
}

extern "C" const char* wsd_config_invalid(const wsd_config* config) {
    const char* why = nullptr;
    return config_invalid(whole_config(config), &why);
}

extern "C" const char* wsd_config_invalid_why(const wsd_config* config) {
    const char* why = nullptr;
    (void)config_invalid(whole_config(config), &why);  // the name is wsd_config_invalid()'s to tell
    return why;
}

extern "C" int wsd_server_new(const wsd_config* config, const wsd_callbacks* callbacks, wsd_server** server) {
    if (!callbacks || !server || !is_sized(*callbacks)) return WSD_E_INVALID;
    if (config && !is_sized(*config)) return WSD_E_INVALID;
    const wsd_config whole = whole_config(config);
    const char* why = nullptr;
    if (config_invalid(whole, &why)) return WSD_E_INVALID;
    const wsd_callbacks known = read_sized(*callbacks, wsd_callbacks{});
    int result = WSD_OK;
    *server = server_new(whole, known, &result);
    return result;
}

extern "C" int wsd_server_reconfigure(wsd_server* server, const wsd_config* config) {
    if (!server || !config || !is_sized(*config)) return WSD_E_INVALID;
    const wsd_config whole = whole_config(config);
    const char* why = nullptr;
    return config_invalid(whole, &why) ? int(WSD_E_INVALID) : server_reconfigure(*server, whole);
}

extern "C" int wsd_server_free(wsd_server* server) {
    if (!server) return WSD_OK;
    if (server->in_turn) return WSD_E_INVALID;
    server_free(server);
    return WSD_OK;
}

extern "C" int wsd_server_listen(wsd_server* server, const char* address) {
    return wsd_server_listen_with(server, address, nullptr);
}

extern "C" int wsd_server_listen_with(wsd_server* server, const char* address, const wsd_listen_options* options) {
    if (!server || !address || (options && !is_sized(*options))) return WSD_E_INVALID;
    return listener_open(*server, address, options ? read_sized(*options, wsd_listen_options{}) : wsd_listen_options{});
}

extern "C" int wsd_address_valid(const char* address) {
    net::Address parsed;
    return address && net::parse_address(address, &parsed);
}

extern "C" int wsd_server_address(wsd_server* server, int listener, char* text, size_t size) {
    return server && listener_address(*server, listener, text, size) ? WSD_OK : WSD_E_INVALID;
}

extern "C" int wsd_server_run(wsd_server* server) {
    if (!server || server->in_turn) return WSD_E_INVALID;
    while (!server_should_leave(*server)) {
        if (!server_turn(*server, -1)) return WSD_E_SYSTEM;
    }
    server->stopped.store(false);
    return WSD_OK;
}

extern "C" int wsd_server_poll(wsd_server* server, int timeout_ms) {
    if (!server || server->in_turn || timeout_ms < -1) return WSD_E_INVALID;
    if (!server_turn(*server, timeout_ms)) return WSD_E_SYSTEM;
    // A foreign loop sleeps on the descriptor, which must be readable while there is more to do.
    if (server->reactor.more) net::reactor_wake(server->reactor);
    if (!server_should_leave(*server)) return 1;
    server->stopped.store(false);
    return 0;
}

extern "C" int wsd_server_fd(const wsd_server* server) { return server ? server->reactor.epoll_fd : -1; }

extern "C" int wsd_server_timeout(const wsd_server* server) {
    if (!server) return -1;
    return budget_owes(*server) ? 0 : net::reactor_sleep_ms(server->reactor);
}

extern "C" int wsd_server_drain(wsd_server* server, uint32_t grace_ms) {
    return wsd_server_drain_over(server, 0, grace_ms);
}

extern "C" int wsd_server_drain_over(wsd_server* server, uint32_t window_ms, uint32_t grace_ms) {
    if (!server || grace_ms < window_ms) return WSD_E_INVALID;
    const AsInTurn as_in_turn(*server);
    drain_begin(*server, window_ms, grace_ms);
    return WSD_OK;
}

extern "C" void wsd_server_stop(wsd_server* server) {
    if (!server) return;
    server->stopped.store(true);
    net::reactor_wake(server->reactor);
}

extern "C" int wsd_post(wsd_server* server, void (*fn)(wsd_server*, void*), void* arg) {
    if (!server || !fn) return WSD_E_INVALID;
    if (!server->posts.push({fn, arg})) return WSD_E_AGAIN;
    if (!server->posted.exchange(true)) net::reactor_wake(server->reactor);
    return WSD_OK;
}

extern "C" void* wsd_context(const wsd_server* server) { return server ? server->config.context : nullptr; }

extern "C" uint64_t wsd_now_ms(const wsd_server* server) {
    if (!server) return 0;
    const net::Reactor& reactor = server->reactor;
    return server->in_turn ? reactor.now_ms : reactor.clock(reactor.clock_context);
}

extern "C" const char* wsd_kernels(const wsd_server* server) { return server ? server->kernels->name : ""; }

extern "C" int wsd_stats_get(const wsd_server* server, wsd_stats* stats) {
    if (!server || !stats || !is_sized(*stats)) return WSD_E_INVALID;
    wsd_stats now = server->stats;
    now.connections_active = server->conns.live_count();
    now.deflate_memory_bytes = server->mem.used_bytes[size_t(Purpose::kDeflate)];
    now.queued_bytes += server->cork.len;
    now.topics_active = server->topics.by_name.count;
    now.subscriptions_active = server->topics.by_pair.count;
    now.sessions_active = server->sessions.live_count;
    now.session_memory_bytes = server->mem.used_bytes[size_t(Purpose::kSession)];
    now.topic_memory_bytes = server->mem.used_bytes[size_t(Purpose::kTopic)];
    now.memory_bytes = mem_used(server->mem);
    now.memory_held_bytes = server->mem.held_bytes;
    now.ip_count = server->client_limits.table.count;
    now.allocations = server->mem.allocation_count;
    write_sized(stats, now);
    return WSD_OK;
}

// ----------------------------------------------------------------------------------------------------------- sending

extern "C" int wsd_send(wsd_server* server, wsd_conn id, wsd_opcode opcode, const void* data, size_t len) {
    if (!server || !payload_ok(opcode, data, len)) return WSD_E_INVALID;
    Conn* const conn = find(server, id);
    return conn ? conn_send_message(*conn, ws::Opcode(opcode), bytes_of(data, len)) : int(WSD_E_CLOSED);
}

extern "C" int wsd_send_with(wsd_server* server, wsd_conn id, wsd_opcode opcode, const void* data, size_t len,
                             const wsd_send_options* options) {
    SendOptions own;
    if (!server || !payload_ok(opcode, data, len) || !read_options(options, &own)) return WSD_E_INVALID;
    Conn* const conn = find(server, id);
    return conn ? conn_send(*conn, {ws::Opcode(opcode), true, bytes_of(data, len)}, own) : int(WSD_E_CLOSED);
}

extern "C" int wsd_send_fragment(wsd_server* server, wsd_conn id, wsd_opcode opcode, const void* data, size_t len,
                                 int final) {
    if (!server || (!data && len)) return WSD_E_INVALID;
    Conn* const conn = find(server, id);
    if (!conn) return WSD_E_CLOSED;
    if (!conn->fragmenting && !payload_ok(opcode, data, len)) return WSD_E_INVALID;
    const ws::Opcode first_or_next = conn->fragmenting ? ws::Opcode::kContinuation : ws::Opcode(opcode);
    return conn_send(*conn, {first_or_next, final != 0, bytes_of(data, len)}, {});
}

extern "C" int wsd_prepare(wsd_server* server, wsd_opcode opcode, const void* data, size_t len,
                           wsd_prepared** prepared) {
    if (!server || !prepared || !payload_ok(opcode, data, len)) return WSD_E_INVALID;
    *prepared = prepared_new(*server, ws::Opcode(opcode), bytes_of(data, len));
    return *prepared ? WSD_OK : WSD_E_NOMEM;
}

extern "C" int wsd_send_prepared(wsd_server* server, wsd_conn id, wsd_prepared* prepared,
                                 const wsd_send_options* options) {
    SendOptions own;
    if (!server || !prepared || !read_options(options, &own)) return WSD_E_INVALID;
    Conn* const conn = find(server, id);
    return conn ? conn_send_prepared(*conn, *prepared, own) : int(WSD_E_CLOSED);
}

extern "C" void wsd_prepared_release(wsd_prepared* prepared) {
    if (prepared) prepared_free(prepared);
}

extern "C" size_t wsd_buffered(const wsd_server* server, wsd_conn id) {
    const Conn* const conn = find(server, id);
    return conn ? conn_buffered(*conn) : 0;
}

extern "C" int wsd_ping(wsd_server* server, wsd_conn id, const void* data, size_t len) {
    if (!server || (!data && len) || len > ws::kControlPayloadMax) return WSD_E_INVALID;
    Conn* const conn = find(server, id);
    if (!conn) return WSD_E_CLOSED;
    if (conn->phase == Phase::kHttp) return WSD_E_INVALID;
    const int result = conn_send_control(*conn, ws::Opcode::kPing, bytes_of(data, len));
    if (result == WSD_OK) server->stats.pings_out++;
    return result;
}

extern "C" int wsd_close(wsd_server* server, wsd_conn id, uint16_t code, const char* reason, size_t len) {
    const bool code_ok = code == 0 ? len == 0 : ws::close_code_valid(code);
    if (!server || !code_ok || (!reason && len) || len > ws::kCloseReasonMax) return WSD_E_INVALID;
    const Bytes text = bytes_of(reason, len);
    if (server->kernels->utf8(text.p, text.len, ws::kUtf8Start) != ws::kUtf8Start) return WSD_E_INVALID;
    Conn* const conn = find(server, id);
    if (!conn) return WSD_E_CLOSED;
    if (conn->phase == Phase::kHttp) {
        conn_kill(*conn, {WSD_CAUSE_LOCAL});
        return WSD_OK;
    }
    return conn_close(*conn, code ? code : ws::kCloseNoStatus, text, {WSD_CAUSE_LOCAL});
}

extern "C" int wsd_abort(wsd_server* server, wsd_conn id) {
    Conn* const conn = find(server, id);
    if (!conn || conn->phase == Phase::kDead) return WSD_E_CLOSED;
    conn_kill(*conn, {WSD_CAUSE_ABORTED});
    return WSD_OK;
}

// ------------------------------------------------------------------------------------------------------- connections

namespace {

int set_paused(wsd_server* server, wsd_conn id, bool paused) {
    Conn* const conn = find(server, id);
    if (!conn || conn->phase > Phase::kOpen) return WSD_E_CLOSED;
    if (conn->phase == Phase::kHttp) return WSD_E_INVALID;
    conn_set_paused(*conn, paused);
    return WSD_OK;
}

}  // namespace

extern "C" int wsd_pause(wsd_server* server, wsd_conn id) { return set_paused(server, id, true); }

extern "C" int wsd_resume(wsd_server* server, wsd_conn id) { return set_paused(server, id, false); }

extern "C" int wsd_set_user(wsd_server* server, wsd_conn id, void* user) {
    Conn* const conn = find(server, id);
    if (!conn) return WSD_E_CLOSED;
    conn->user = user;
    return WSD_OK;
}

extern "C" void* wsd_user(const wsd_server* server, wsd_conn id) {
    const Conn* const conn = find(server, id);
    return conn ? conn->user : nullptr;
}

extern "C" int wsd_conn_info_get(const wsd_server* server, wsd_conn id, wsd_conn_info* info) {
    if (!info || !is_sized(*info)) return WSD_E_INVALID;
    const Conn* const conn = find(server, id);
    if (!conn) return WSD_E_CLOSED;
    wsd_conn_info now = {};
    const Peer socket_peer = net::socket_peer(conn->source.fd);
    net::format_peer(client_of(*conn, socket_peer), now.peer, sizeof now.peer);
    net::format_peer(socket_peer, now.socket_peer, sizeof now.socket_peer);
    now.subprotocol = subprotocol_of(*conn);
    now.listener = conn->listener;
    now.open = conn->opened && conn->phase == Phase::kOpen;
    now.rtt_ms = conn->rtt_ms;
    now.last_rx_ms = conn->last_rx_ms;
    now.buffered_bytes = conn_buffered(*conn);
    now.deflate_server_bits = server_bits(*conn);
    now.deflate_client_bits = client_bits(*conn);
    now.deflate_server_takeover = conn->takeover && conn->takeover->sends;
    now.deflate_client_takeover = conn->takeover && conn->takeover->receives;
    write_sized(info, now);
    return WSD_OK;
}
