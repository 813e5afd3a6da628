// A server as a whole: made from a configuration, turned, drained and freed. What happens on one connection is
// elsewhere.
#include "server/server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "http/origin.h"
#include "server/compression.h"
#include "server/listener.h"
#include "ws/handshake.h"

namespace wsd::server {
namespace {

constexpr uint32_t kBlocksTrimMs = 1000;

uint64_t monotonic(void*) { return clock_monotonic_ms(); }

bool end_of_turn(void* context);

uint32_t power_of_two(uint32_t n) {
    uint32_t power = 1;
    while (power < n) power *= 2;
    return power;
}

bool window_bits_ok(unsigned bits) { return bits >= ws::kWindowBitsMin && bits <= ws::kWindowBitsMax; }

// ---------------------------------------------------------------------------------------------------------- turning

// Posts that are made meanwhile wait for the next turn, or a post that posts again would keep the loop to itself.
bool run_posts(Server& server) {
    (void)server.posted.exchange(false);  // reading it, too, shows us every post made before it was set
    Post post;
    for (uint32_t i = 0; i < server.config.post_max_count; i++) {
        if (!server.posts.pop(&post)) return false;
        post.fn(&server, post.arg);
    }
    return true;
}

void blocks_trim_fired(net::Timer* timer) {
    net::block_pool_trim(WSD_CONTAINER_OF(timer, ServerTimer, timer)->server->blocks);
}

void free_watches(Server& server, List& watches) {
    while (ListNode* const node = list_pop_front(watches)) {
        mem_free(server.mem, Purpose::kServer, WSD_CONTAINER_OF(node, Watch, node), sizeof(Watch));
    }
}

void for_each_in_line(Server& server, void (*step)(Conn&)) {
    List now;  // who is put in line from here on waits for the next round
    list_splice(server.line, now);
    while (ListNode* const node = list_pop_front(now)) step(*WSD_CONTAINER_OF(node, Conn, work_node));
}

// Callbacks and input come before output, so that what they send goes out in this turn too, many sends in one write.
bool end_of_turn(void* context) {
    Server& server = *static_cast<Server*>(context);
    const bool more_posts = run_posts(server);
    for_each_in_line(server, conn_turn_callbacks);
    if (!list_empty(server.sessions.ended)) sessions_tell_ended(server);
    for_each_in_line(server, conn_turn_output);
    free_watches(server, server.watches_gone);
    if (server.blocks.resting && budget_is_tight(server)) net::block_pool_clear(server.blocks);
    if (server.blocks.resting && !net::TimerWheel::armed(server.blocks_trim.timer)) {
        server.reactor.wheel.arm(server.blocks_trim.timer, now_ms(server) + kBlocksTrimMs);
    }
    if (budget_owes(server)) budget_turn(server);
    server.stats.turns++;
    return more_posts || !list_empty(server.line) || !list_empty(server.sessions.ended);
}

// ----------------------------------------------------------------------------------------------------------- making

// Everything that can fail; what was taken before a failure is given back by server_free().
int open_all(Server& server) {
    const wsd_config& config = server.config;
    const char* const kernels = config.kernels ? config.kernels : getenv("WSD_KERNELS");
    server.kernels = ws::kernels_find(kernels && *kernels ? kernels : nullptr);
    if (!server.kernels) return WSD_E_INVALID;
    if (!config_texts_copy(server.mem, config, &server.texts)) return WSD_E_NOMEM;
    void* const buffer = mem_alloc(server.mem, Purpose::kServer, kReceiveHeadroom + config.receive_buffer_bytes);
    server.receive_buffer = static_cast<uint8_t*>(buffer);
    server.cork.p = static_cast<uint8_t*>(mem_alloc(server.mem, Purpose::kServer, kCorkBytes));
    if (!compression_open(server)) return WSD_E_NOMEM;
    HashKey key;
    if (!random_bytes(&key, sizeof key)) return WSD_E_SYSTEM;
    topics_init(server.topics, server.mem, key);
    sessions_init(server.sessions, server.mem, key);
    if (!buffer || !server.cork.p || !server.posts.open(server.mem, config.post_max_count)) return WSD_E_NOMEM;

    server.reactor.clock = config.clock ? config.clock : monotonic;
    server.reactor.clock_context = config.clock_context;
    server.reactor.end_of_turn = end_of_turn;
    server.reactor.turn_context = &server;
    if (!net::reactor_open(server.reactor) || !limits_open(server)) return WSD_E_SYSTEM;
    return budget_open(server) ? WSD_OK : WSD_E_NOMEM;
}

}  // namespace

Server* server_new(const wsd_config& config, const wsd_callbacks& callbacks, int* result) {
    *result = WSD_E_NOMEM;
    Mem mem;
    mem_init(mem, config.allocate, config.allocate_context);
    void* const room = mem_alloc(mem, Purpose::kServer, sizeof(Server));
    if (!room) return nullptr;
    Server* const server = new (room) Server;
    server->mem = mem;
    server->config = config;
    server->config.post_max_count = power_of_two(config.post_max_count);
    server->callbacks = callbacks;
    server_derive(*server);
    server->accept_retry.server = server->blocks_trim.server = server;
    server->blocks_trim.timer.fired = blocks_trim_fired;
    server->accept_retry.timer.fired = listeners_retry;
    drain_open(*server);
    *result = open_all(*server);
    if (*result == WSD_OK) return server;
    const int reason = errno;
    server_free(server);
    errno = reason;
    return nullptr;
}

void server_derive(Server& server) {
    const wsd_config& config = server.config;
    server.rules.max_bytes = config.frame_max_bytes;
    server.deflate_rules = server.rules;
    server.deflate_rules.rsv_allowed = ws::kRsv1;
    server.cork_bytes = config.send_high_bytes < kCorkBytes ? config.send_high_bytes : kCorkBytes;
    server.limits = {config.message_max_bytes, config.fragment_max_count};
    server.reactor.busy_poll_us = config.busy_poll_us;
}

void server_free(Server* server) {
    uint32_t slot = 0;
    while (Conn* const conn = server->conns.next(&slot)) conn_kill(*conn, {WSD_CAUSE_ABORTED});
    server->in_turn = true;  // on_close may call everything but what would free the server again
    while (!list_empty(server->line)) for_each_in_line(*server, conn_turn_output);
    sessions_close(*server);
    listeners_close(*server, Closing::kAll);
    slot = 0;
    while (UserTimer* const timer = server->timers.next(&slot)) {
        server->reactor.wheel.cancel(timer->timer);
        server->timers.free(timer);
    }
    free_watches(*server, server->watches);
    free_watches(*server, server->watches_gone);
    drain_stop(*server);
    budget_close(*server);
    server->reactor.wheel.cancel(server->blocks_trim.timer);
    limits_close(*server);
    net::block_pool_clear(server->blocks);
    net::reactor_close(server->reactor);

    Mem& owned = server->mem;
    compression_close(*server);
    server->posts.close(owned);
    mem_free(owned, Purpose::kServer, server->cork.p, kCorkBytes);
    mem_free(owned, Purpose::kServer, server->receive_buffer, kReceiveHeadroom + server->config.receive_buffer_bytes);
    config_texts_free(owned, server->texts);
    server->conns.release();
    server->timers.release();
    Mem mem = owned;
    server->~Server();
    mem_free(mem, Purpose::kServer, server, sizeof(Server));
    WSD_ASSERT(mem_used(mem) == 0);
}

const char* config_invalid(const wsd_config& c, const char** why) {
    const struct {
        const char* name;
        bool good;
    } kRules[] = {
        {"message_max_bytes", c.message_max_bytes > 0 && c.message_max_bytes <= SIZE_MAX / 4},
        {"frame_max_bytes", c.frame_max_bytes > 0 && c.frame_max_bytes <= SIZE_MAX / 4},
        {"fragment_max_count", c.fragment_max_count > 0},
        {"head_max_bytes", c.head_max_bytes >= 256 && c.head_max_bytes <= 65535},
        {"head_max_count", c.head_max_count > 0},
        {"receive_buffer_bytes", c.receive_buffer_bytes >= 4096 && c.receive_buffer_bytes <= 16u << 20},
        {"send_high_bytes", c.send_high_bytes > 0},
        {"send_low_bytes", c.send_low_bytes <= c.send_high_bytes},
        {"post_max_count", c.post_max_count > 0 && c.post_max_count <= 1u << 20},
        {"backlog", c.backlog > 0},
        {"defer_accept_s", c.defer_accept_s <= 3600},
        {"tcp_user_timeout_ms", c.tcp_user_timeout_ms <= INT32_MAX},
        {"subprotocols", !c.subprotocols || ws::subprotocols_are_tokens(bytes_of(c.subprotocols))},
        {"ip_connect_per_min", c.ip_connect_per_min <= kRateMax},
        {"ip_connect_burst_count", c.ip_connect_burst_count <= kRateMax},
        {"message_per_s", c.message_per_s <= kRateMax},
        {"message_burst_count", c.message_burst_count <= kRateMax},
        {"message_over_rate", c.message_over_rate == WSD_OVER_RATE_PAUSE || c.message_over_rate == WSD_OVER_RATE_CLOSE},
        {"memory_soft_bytes", !c.memory_hard_bytes || c.memory_soft_bytes <= c.memory_hard_bytes},
        {"deflate_level", c.deflate_level == 1 || c.deflate_level == 2},
        {"deflate_server_window_bits", window_bits_ok(c.deflate_server_window_bits)},
        {"deflate_client_window_bits", window_bits_ok(c.deflate_client_window_bits)},
        {"session_data_max_bytes", c.session_data_max_bytes <= 1u << 30},
        {"forwarded_header", c.forwarded_header == WSD_X_FORWARDED_FOR || c.forwarded_header == WSD_FORWARDED},
        {"origins_required", !c.origins_required || c.origins},
        {"busy_poll_us", c.busy_poll_us <= 1000000},
    };
    for (const auto& rule : kRules) {
        *why = "the value is out of range";
        if (!rule.good) return rule.name;
    }
    net::CidrList judged;
    if (c.trusted_proxies && (*why = net::parse_cidr_list(bytes_of(c.trusted_proxies), &judged))) {
        return "trusted_proxies";
    }
    *why = "this CPU runs none of that name, out of avx512, avx2, ssse3, neon and scalar";
    if (c.kernels && !ws::kernels_find(c.kernels)) return "kernels";
    if (c.origins && (*why = http::origin_list_fault(bytes_of(c.origins)))) return "origins";
    *why = nullptr;
    return nullptr;
}

bool server_turn(Server& server, int timeout_ms) {
    server.in_turn = true;
    if (budget_owes(server)) server.reactor.more = true;
    const bool ok = net::reactor_turn(server.reactor, timeout_ms);
    server.in_turn = false;
    return ok;
}

bool server_should_leave(const Server& server) {
    return server.stopped.load() || (server.draining && server.conns.live_count() == server.admin_count);
}

void server_descriptor_freed(Server& server) {
    if (server.accepting_paused) server.reactor.wheel.arm(server.accept_retry.timer, now_ms(server));
}

void server_log(Server& server, wsd_log_level level, wsd_conn conn, const char* text, int error) {
    if (server.callbacks.on_log) server.callbacks.on_log(&server, level, conn, text, error);
}

}  // namespace wsd::server
