#include "server/budget.h"

#include <bit>

#include "server/extra.h"
#include "server/server.h"

namespace wsd::server {
namespace {

// A queue's blocks take a little more than the bytes in them.
constexpr size_t kQueueSlack = 8192;

// After a refusal by the hard mark so much of it is made free again: an eighth.
constexpr unsigned kFreedShift = 3;

// The same below the soft mark, before reading goes on. It pays for the walk over all connections, too: so much memory
// has to go and come again between two of them, and connections were counted in it.
constexpr unsigned kReleaseShift = 3;

// Memory that stays between the two keeps nobody waiting for longer: so much time passes between two walks.
constexpr uint32_t kReleaseMs = 1000;

// Holes in the heap are given back when they are this share of the hard mark and the process would go over it.
constexpr unsigned kHolesShift = 6;

bool ranked(const Server& server) { return server.budget.hard_bytes != SIZE_MAX; }

// No more than this comes free if every queue goes: queues that share a block count its bytes with each of them.
size_t most_freed(const Server& server) {
    const size_t* const used = server.mem.used_bytes;
    const size_t owned = used[size_t(Purpose::kSend)] + used[size_t(Purpose::kReceive)];  // an echo sends what it got
    return server.stats.queued_bytes < owned ? size_t(server.stats.queued_bytes) : owned;
}

void drop_longest(Server& server) {
    Budget& budget = server.budget;
    const int rank = 63 - std::countl_zero(budget.ranks_used);
    net::OutQueue* const queue = WSD_CONTAINER_OF(budget.ranks[rank].head.next, net::OutQueue, node);
    Conn& conn = *static_cast<Conn*>(queue->owner);
    server.stats.budget_closed++;
    conn_kill(conn, {WSD_CAUSE_SLOW, WSD_E_MEMORY_BUDGET});  // without effect on one that was ending anyway
    conn_drop_output(conn);                                  // now: the end of the turn may be megabytes away
}

// Drops queues until no more than `most` bytes are held.
void drop_to(Server& server, size_t most) {
    while (server.mem.held_bytes > most && server.budget.ranks_used) drop_longest(server);
}

// What dropped queues leave in the heap is not free yet, but as holes between blocks that stay.
void close_holes(Server& server) {
    Mem& mem = server.mem;
    const size_t hard = server.budget.hard_bytes;
    const size_t holes = mem.heap_peak_bytes - mem.heap_bytes;
    if (holes > hard >> kHolesShift && mem.held_bytes + holes > hard) mem_trim(mem);
}

void set_marks(Server& server) {
    const size_t soft = server.config.memory_soft_bytes;
    const size_t hard = server.config.memory_hard_bytes;
    Budget& budget = server.budget;
    budget.soft_bytes = server.blocks.held_most_bytes = soft ? soft : SIZE_MAX;
    budget.begun_bytes = !soft ? SIZE_MAX : hard ? soft + (hard - soft) / 2 : soft + soft / 4;
    budget.hard_bytes = server.mem.max_bytes = hard ? hard : SIZE_MAX;
}

bool well_below(const Server& server) {
    const size_t soft = server.budget.soft_bytes;
    return server.mem.held_bytes < soft - (soft >> kReleaseShift);
}

void release_all(Server& server) {
    server.budget.holding = false;
    server.reactor.wheel.cancel(server.budget.little_below);
    uint32_t slot = 0;
    while (Conn* const conn = server.conns.next(&slot)) budget_release(*conn);
}

void little_below_fired(net::Timer* timer) {
    Server& server = *WSD_CONTAINER_OF(timer, Budget, little_below)->server;
    if (server.budget.holding && !budget_is_tight(server)) release_all(server);
}

// The hard mark has come or gone, and with it the lists of queues.
void rank_all(Server& server) {
    uint32_t slot = 0;
    while (Conn* const conn = server.conns.next(&slot)) {
        if (!conn->out) continue;
        if (ranked(server)) budget_rank(*conn);
        if (!ranked(server) && list_linked(conn->out->node)) list_unlink(conn->out->node);
    }
    if (!ranked(server)) server.budget.ranks_used = 0;
}

}  // namespace

bool budget_open(Server& server) {
    set_marks(server);
    server.budget.server = &server;
    server.budget.little_below.fired = little_below_fired;
    server.budget.own_bytes = server.mem.held_bytes;
    return budget_allows(server, server.config);
}

bool budget_allows(const Server& server, const wsd_config& config) {
    const size_t own = server.budget.own_bytes;
    return (!config.memory_soft_bytes || own < config.memory_soft_bytes) &&
           (!config.memory_hard_bytes || own < config.memory_hard_bytes);
}

void budget_apply(Server& server) {
    Budget& budget = server.budget;
    const bool were_ranked = ranked(server);
    set_marks(server);
    if (ranked(server) != were_ranked) rank_all(server);
    if (server.mem.held_bytes > budget.hard_bytes) budget.refused_seen = server.mem.refused_count - 1;  // as if refused
}

bool budget_lets_read(Conn& conn) {
    Server& server = *conn.server;
    if (conn.phase != Phase::kOpen) return true;
    // What has an end in sight frees memory there, and what is held for a peer that is gone would be held for ever.
    if ((conn.in || conn.end_told) && server.mem.held_bytes < server.budget.begun_bytes) return true;
    if (conn.end_told) {
        conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
        return false;
    }
    if (!server.budget.holding) server.stats.budget_holds++;
    server.budget.holding = true;
    conn_hold(conn);
    return false;
}

void budget_release(Conn& conn) {
    if (conn.held && !(conn.extra && conn.extra->ready_ms != net::kTimerNever)) conn_release(conn);
}

bool budget_make_room(Conn& conn, size_t bytes) {
    Server& server = *conn.server;
    if (!ranked(server)) return true;
    const size_t need = bytes < SIZE_MAX - kQueueSlack ? bytes + kQueueSlack : bytes;
    const size_t hard = server.budget.hard_bytes;
    // What would not fit without any queue is refused, and nobody goes for it.
    const size_t held = server.mem.held_bytes, freed = most_freed(server);
    const size_t least = held > freed ? held - freed : 0;
    if (least < hard && need < hard - least) drop_to(server, hard - need);
    close_holes(server);
    return conn.phase != Phase::kDead;
}

void budget_rank(Conn& conn) {
    Server& server = *conn.server;
    if (!ranked(server)) return;
    Budget& budget = server.budget;
    net::OutQueue& queue = *conn.out;
    const unsigned rank = queue.bytes ? unsigned(std::bit_width(queue.bytes)) - 1 : 0;
    const bool linked = list_linked(queue.node);
    if (linked && queue.bytes && queue.rank == rank) return;
    if (linked) {
        list_unlink(queue.node);
        if (list_empty(budget.ranks[queue.rank])) budget.ranks_used &= ~(uint64_t(1) << queue.rank);
    }
    if (queue.bytes == 0) return;
    queue.rank = uint8_t(rank);
    queue.owner = &conn;
    list_push_back(budget.ranks[rank], queue.node);
    budget.ranks_used |= uint64_t(1) << rank;
}

bool budget_owes(const Server& server) {
    const Budget& budget = server.budget;
    if (server.mem.refused_count != budget.refused_seen) return true;
    if (!budget.holding || budget_is_tight(server)) return false;
    return well_below(server) || !net::TimerWheel::armed(budget.little_below);
}

void budget_turn(Server& server) {
    Budget& budget = server.budget;
    if (server.mem.refused_count != budget.refused_seen) {
        drop_to(server, budget.hard_bytes - (budget.hard_bytes >> kFreedShift));
        budget.refused_seen = server.mem.refused_count;
    }
    if (!budget.holding || budget_is_tight(server)) return;
    if (well_below(server)) return release_all(server);
    if (net::TimerWheel::armed(budget.little_below)) return;
    server.reactor.wheel.arm(budget.little_below, now_ms(server) + kReleaseMs);
}

void budget_close(Server& server) { server.reactor.wheel.cancel(server.budget.little_below); }

}  // namespace wsd::server
