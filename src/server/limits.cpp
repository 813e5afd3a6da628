#include "server/limits.h"

#include "net/cidr.h"
#include "server/extra.h"
#include "server/server.h"
#include "server/upgrade.h"

namespace wsd::server {
namespace {

constexpr uint32_t kSweepMs = 1000;

// Without a burst of its own a bucket holds what comes in a period.
Rate rate_of(uint32_t tokens, uint32_t period_ms, uint32_t burst) {
    return {tokens, period_ms, burst ? burst : tokens ? tokens : 1};
}

void arm_sweep(Server& server) {
    ClientLimits& limits = server.client_limits;
    if (limits.idle_count && !net::TimerWheel::armed(limits.sweep)) {
        server.reactor.wheel.arm(limits.sweep, now_ms(server) + kSweepMs);
    }
}

void sweep_fired(net::Timer* timer) {
    ClientLimits& limits = *WSD_CONTAINER_OF(timer, ClientLimits, sweep);
    Server& server = *limits.server;
    limits.idle_count -= ip_table_sweep(server.mem, limits.table, limits.connects, now_ms(server));
    arm_sweep(server);
}

// Counts a refusal; false if it is to be one, true where limits only count.
bool forgiven(const Server& server, uint64_t& counter) {
    counter++;
    return server.config.limits_dry_run != 0;
}

Admission admit(Server& server, IpEntry& entry) {
    const uint32_t most = server.config.ip_connection_max_count;
    if (most && entry.connection_count >= most && !forgiven(server, server.stats.refused_ip_count)) {
        return Admission::kTooMany;
    }
    if (!bucket_take(entry.connects, server.client_limits.connects, now_ms(server)) &&
        !forgiven(server, server.stats.refused_ip_rate)) {
        return Admission::kTooFast;
    }
    return Admission::kYes;
}

// Who waits for a message's turn may now have it earlier.
void rerate(Extra& extra, const Rate& from, const Rate& to, uint64_t now_ms) {
    bucket_rerate(extra.messages, from, to, now_ms);
    if (extra.ready_ms == net::kTimerNever) return;
    Bucket tried = extra.messages;
    extra.ready_ms = bucket_take(tried, to, now_ms) ? now_ms : bucket_ready_ms(extra.messages, to);
}

}  // namespace

bool limits_open(Server& server) {
    ClientLimits& limits = server.client_limits;
    limits.server = &server;
    limits.sweep.fired = sweep_fired;
    limits_apply(server);
    return ip_table_open(limits.table);
}

void limits_apply(Server& server) {
    const wsd_config& config = server.config;
    ClientLimits& limits = server.client_limits;
    const Rate connects = limits.connects;
    const Rate messages = limits.messages;
    limits.connects = rate_of(config.ip_connect_per_min, 60000, config.ip_connect_burst_count);
    limits.messages = rate_of(config.message_per_s, 1000, config.message_burst_count);
    limits.by_address = config.ip_connection_max_count || config.ip_connect_per_min;
    ip_table_rerate(limits.table, connects, limits.connects, now_ms(server));
    uint32_t slot = 0;
    while (Conn* const conn = server.conns.next(&slot)) {
        if (conn->extra) rerate(*conn->extra, messages, limits.messages, now_ms(server));
    }
}

void limits_close(Server& server) {
    server.reactor.wheel.cancel(server.client_limits.sweep);
    ip_table_close(server.mem, server.client_limits.table);
}

Visitor limits_visitor(const Server& server, const Peer& client) {
    Visitor visitor;
    visitor.counted = !net::cidr_list_has(server.texts.trusted, client) && ip_key_of(client, &visitor.key);
    return visitor;
}

Admission limits_enter(Server& server, Visitor visitor) {
    if (!visitor.counted) return Admission::kYes;
    ClientLimits& limits = server.client_limits;
    const size_t before = limits.table.count;
    IpEntry* const entry = ip_table_add(server.mem, limits.table, visitor.key);
    if (!entry) {
        server.stats.refused_ip_table++;
        return Admission::kNoRoom;
    }
    const Admission admission = admit(server, *entry);  // who is new to the table is never refused
    if (admission != Admission::kYes) return admission;
    if (limits.table.count == before && entry->connection_count == 0) limits.idle_count--;
    entry->connection_count++;
    return admission;
}

http::Refusal limits_refusal(const Server& server, Admission admission) {
    if (admission == Admission::kNoRoom) return {503, "no room for one more client"};
    http::Refusal refusal{429, "too many connections of its client"};
    if (admission == Admission::kTooFast) {
        refusal.why = "too many new connections of its client";
        const uint32_t per_min = server.config.ip_connect_per_min;
        refusal.retry_after_s = (60 + per_min - 1) / per_min;  // until the bucket has one more
    }
    return refusal;
}

void limits_leave(Server& server, IpKey key) {
    ClientLimits& limits = server.client_limits;
    IpEntry* const entry = ip_table_find(limits.table, key);
    WSD_ASSERT(entry && entry->connection_count > 0);
    if (--entry->connection_count > 0) return;
    if (bucket_is_full(entry->connects, limits.connects, now_ms(server))) {
        return ip_table_remove(server.mem, limits.table, entry);
    }
    limits.idle_count++;
    arm_sweep(server);
}

bool limits_attach(Conn& conn, Visitor visitor) {
    if (!visitor.counted && !conn.server->client_limits.messages.tokens) return true;
    Extra* const extra = extra_get(conn);
    if (!extra) return false;
    extra->ip_key = visitor.key;
    extra->ip_counted = visitor.counted;
    extra->metered = conn.server->client_limits.messages.tokens != 0;
    return true;
}

Admission limits_recount(Conn& conn, const Peer& client) {
    Server& server = *conn.server;
    const Visitor visitor = limits_visitor(server, client);
    const Visitor before = conn.extra ? Visitor{conn.extra->ip_key, conn.extra->ip_counted} : Visitor{};
    if (visitor.counted == before.counted && (!visitor.counted || visitor.key == before.key)) return Admission::kYes;
    if (visitor.counted && !extra_get(conn)) return Admission::kNoRoom;
    const Admission admission = limits_enter(server, visitor);
    if (admission != Admission::kYes) return admission;
    if (before.counted) limits_leave(server, before.key);
    conn.extra->ip_key = visitor.key;
    conn.extra->ip_counted = visitor.counted;
    return Admission::kYes;
}

bool limits_take_message(Conn& conn) {
    Server& server = *conn.server;
    const Rate& rate = server.client_limits.messages;
    Extra& extra = *conn.extra;
    if (conn.phase != Phase::kOpen || !extra.metered) return true;
    if (bucket_take(extra.messages, rate, now_ms(server))) return true;
    if (forgiven(server, server.stats.messages_over_rate)) return true;
    if (server.config.message_over_rate == WSD_OVER_RATE_CLOSE) {
        conn_fail(conn, 1008, {WSD_CAUSE_POLICY, WSD_E_MESSAGE_RATE});
        return false;
    }
    extra.ready_ms = bucket_ready_ms(extra.messages, rate);
    conn_hold(conn);
    return false;
}

bool limits_meters(const Conn& conn) {
    return conn.extra && conn.extra->metered && conn.server->client_limits.messages.tokens;
}

uint64_t limits_slow_head_ms(const Conn& conn) {
    const wsd_config& config = conn.server->config;
    const Upgrade* const upgrade = conn.upgrade;
    if (!config.handshake_bytes_per_s || !upgrade || upgrade->slow || upgrade_waits(conn)) return net::kTimerNever;
    const uint64_t paid_ms = uint64_t(upgrade->text_len) * 1000 / config.handshake_bytes_per_s;
    return upgrade->begun_ms + (paid_ms > config.handshake_grace_ms ? paid_ms : config.handshake_grace_ms);
}

void limits_slow_head(Conn& conn) {
    conn.upgrade->slow = true;
    if (forgiven(*conn.server, conn.server->stats.handshakes_slow)) return;
    upgrade_refuse(conn, {408, "request too slow"});
}

}  // namespace wsd::server
