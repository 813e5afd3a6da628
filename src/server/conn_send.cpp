// The sending half of a connection: from a send to one write, through the cork while the connection's own input is
// being used, and through its queue otherwise.
#include "server/compression.h"
#include "server/prepared.h"
#include "server/server.h"

namespace wsd::server {
namespace {

// Waiting pongs go by this key, so that a peer that pings and does not read is owed one pong, not thousands: only the
// latest ping needs an answer (§5.5.3).
constexpr net::UnitKey kPongKey = UINT64_MAX;

// What is no longer than this is copied into a queue, even where it could be referred to: a reference costs memory of
// its own, and a part of each write.
constexpr size_t kCopyBytes = 256;

bool corked(const Conn& conn) { return conn.server->cork.owner == &conn; }

// ------------------------------------------------------------------------------------------------------ the queue

// Counts what `change` did to the queue, in the server's total too.
template <class Change>
bool change_queue(Conn& conn, Change change) {
    Server& server = *conn.server;
    const size_t before = conn.out->bytes;
    const bool ok = change(*conn.out);
    server.stats.queued_bytes += conn.out->bytes - before;
    budget_rank(conn);
    return ok;
}

bool queue_make(Conn& conn) {
    if (conn.out) return true;
    void* const room = mem_alloc(conn.server->mem, Purpose::kSend, sizeof(net::OutQueue));
    if (!room) return false;
    conn.out = new (room) net::OutQueue;
    conn.out->stalled_since_ms = now_ms(*conn.server);
    conn_rearm(conn);
    return true;
}

// Gives the queue's memory back once nothing is owed.
void queue_settle(Conn& conn) {
    if (conn.out && conn.out->bytes == 0) {
        mem_free(conn.server->mem, Purpose::kSend, conn.out, sizeof(net::OutQueue));
        conn.out = nullptr;
    }
}

// What one unit is made of: `head`, then `body`, which may lie in a block that can be referred to.
struct Unit {
    Bytes head;
    Bytes body;
    net::SharedBlock* block;
    net::UnitKey key;
};

// False when memory is refused, or when the connection was ended to make room.
bool queue_unit(Conn& conn, const Unit& unit) {
    Mem& mem = conn.server->mem;
    const bool refers = unit.block && unit.body.len > kCopyBytes;
    if (!budget_make_room(conn, unit.head.len + (refers ? 0 : unit.body.len)) || !queue_make(conn)) return false;
    const bool replaces = unit.key && net::out_queue_waits(*conn.out, unit.key);
    const bool ok = change_queue(conn, [&](net::OutQueue& out) {
        const bool queued = refers ? net::out_queue_share(mem, out, unit.head, unit.block, unit.body, unit.key)
                                   : net::out_queue_copy(mem, out, unit.head, unit.body, 1, unit.key);
        if (!queued) return false;
        if (replaces) net::out_queue_replace(mem, out, unit.key);
        return true;
    });
    if (ok && replaces && unit.key != kPongKey) conn.server->stats.sends_replaced++;
    queue_settle(conn);
    return ok;
}

// ------------------------------------------------------------------------------------------------------- the cork

// `n` bytes have gone to the kernel; 0: it took nothing.
void count_sent(Conn& conn, size_t n) {
    if (n == 0) return;
    conn.server->stats.bytes_out += n;
    conn.server->stats.writes++;
    if (conn.out) conn.out->stalled_since_ms = now_ms(*conn.server);
}

// The kernel's buffer is full. Most connections never come here, so that only from now on the loop tells of room: an
// edge of that kind comes with each new connection, and would cost it a wake-up.
void kernel_full(Conn& conn) {
    conn.writable = false;
    if (conn.tells_room) return;
    conn.tells_room = true;
    (void)net::reactor_add_writing(conn.server->reactor, conn.source);  // it was added, so that nothing can be refused
}

void lost(Conn& conn) { conn_kill(conn, {WSD_CAUSE_VANISHED, WSD_E_VANISHED}); }

// Half a frame is out and its rest has no place: what follows could not be read.
void torn(Conn& conn) { conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM}); }

// Queues what the kernel refused of `units` units that the cork held. Not inlined: most flushes never come here.
__attribute__((noinline)) void queue_rest(Conn& conn, Bytes rest, uint32_t units) {
    kernel_full(conn);
    if (!budget_make_room(conn, rest.len)) return;
    const bool kept = queue_make(conn) && change_queue(conn, [&](net::OutQueue& out) {
                          return net::out_queue_copy(conn.server->mem, out, rest, {}, units, 0);
                      });
    if (!kept) torn(conn);
}

// Empties the cork: to the kernel, and what it refuses to the queue.
void flush_cork(Conn& conn) {
    Cork& cork = conn.server->cork;
    const Bytes data{cork.p, cork.len};
    size_t n = 0;
    const net::Io io = conn.writable ? net::send_bytes(conn.source.fd, data, &n) : net::Io::kAgain;
    if (io != net::Io::kOk && io != net::Io::kAgain) return lost(conn);
    count_sent(conn, n);
    const uint32_t units = cork.units;
    cork.len = cork.units = 0;
    if (n < data.len) queue_rest(conn, drop(data, n), net::units_left(units, data.len, n));
}

// One write of what is corked, `head` and `body`, from where they lie. Only what the kernel refuses is copied, or
// referred to where `block` holds it.
int write_through(Conn& conn, const Unit& unit) {
    Cork& cork = conn.server->cork;
    const size_t corked_bytes = corked(conn) ? cork.len : 0;
    iovec parts[3];
    size_t count = 0;
    for (const Bytes part : {Bytes{cork.p, corked_bytes}, unit.head, unit.body}) {
        if (part.len) parts[count++] = {const_cast<uint8_t*>(part.p), part.len};
    }
    size_t n = 0;
    const net::Io io = net::send_parts(conn.source.fd, parts, count, &n);
    if (io != net::Io::kOk && io != net::Io::kAgain) {
        lost(conn);
        return WSD_E_CLOSED;
    }
    count_sent(conn, n);
    const size_t total = corked_bytes + unit.head.len + unit.body.len;
    if (n == total) {
        if (corked_bytes) cork.len = cork.units = 0;
        return WSD_OK;
    }
    kernel_full(conn);
    if (corked_bytes) {
        const size_t taken = n < corked_bytes ? n : corked_bytes;
        std::memmove(cork.p, cork.p + taken, corked_bytes - taken);
        cork.len -= taken;
        n -= taken;
        if (cork.len) flush_cork(conn);  // not writable: to the queue
        if (conn.phase == Phase::kDead) return WSD_E_CLOSED;
        cork.units = 0;
    }
    Unit rest = unit;
    const size_t head_taken = n < unit.head.len ? n : unit.head.len;
    rest.head = drop(unit.head, head_taken);
    rest.body = drop(unit.body, n - head_taken);
    if (queue_unit(conn, rest)) return WSD_OK;
    if (n == 0 && conn.phase != Phase::kDead) return WSD_E_NOMEM;
    torn(conn);
    return WSD_E_CLOSED;
}

// Puts one unit after everything that has been accepted so far.
int put(Conn& conn, Unit unit) {
    Cork& cork = conn.server->cork;
    const size_t total = unit.head.len + unit.body.len;
    const bool small = unit.body.len < kWriteThroughBytes;
    // A keyed unit must be found while it waits, so it goes to the queue even when the cork could take it.
    if (corked(conn) && !conn.out && (unit.key || (small && cork.len + total > conn.server->cork_bytes))) {
        conn_flush(conn);
        if (conn.phase == Phase::kDead) return WSD_E_CLOSED;
    }
    if (!conn.out && !unit.key) {
        // What lies in a block of ours is not copied either way, so it may wait for what else the turn brings.
        if (!small && (corked(conn) || !unit.block)) return write_through(conn, unit);
        if (corked(conn)) {
            if (unit.head.len) std::memcpy(cork.p + cork.len, unit.head.p, unit.head.len);
            if (unit.body.len) std::memcpy(cork.p + cork.len + unit.head.len, unit.body.p, unit.body.len);
            cork.len += total;
            cork.units++;
            return WSD_OK;
        }
    }
    if (!queue_unit(conn, unit)) return conn.phase == Phase::kDead ? WSD_E_CLOSED : WSD_E_NOMEM;
    conn_owe(conn, kWorkFlush);
    return WSD_OK;
}

// -------------------------------------------------------------------------------------------------- the high mark

// Has the queue reached a high mark, or would it with one more unit of that many `bytes`?
bool at_mark(const Conn& conn, size_t bytes = 0) {
    const wsd_config& config = conn.server->config;
    return conn_buffered(conn) + bytes >= config.send_high_bytes ||
           (config.send_high_count && conn.out && conn.out->units + (bytes > 0) >= config.send_high_count);
}

// Is the queue full, even after the kernel has been offered what it may take?
bool full(Conn& conn) {
    if (!at_mark(conn)) return false;
    if (conn.writable) conn_flush(conn);
    if (conn.phase != Phase::kOpen || !at_mark(conn)) return false;
    conn.high = true;
    return true;
}

int refuse(Conn& conn, wsd_full policy) {
    Server& server = *conn.server;
    if (policy == WSD_FULL_DROP) {
        server.stats.sends_dropped++;
        return WSD_OK;
    }
    if (policy == WSD_FULL_CLOSE) {
        conn_kill(conn, {WSD_CAUSE_SLOW, WSD_E_AGAIN});
        return WSD_E_CLOSED;
    }
    server.stats.sends_refused++;
    return WSD_E_AGAIN;
}

// The block that holds the payload, if it lies in the message that is being delivered: an echo need not copy.
net::SharedBlock* block_of(const Server& server, Bytes payload) {
    net::SharedBlock* const block = server.delivering;
    if (!block || payload.p < block->data() || payload.p >= block->data() + block->capacity) return nullptr;
    return block;
}

// May a whole message go out just as it is?
bool takes_plain(const Conn& conn) { return conn.phase == Phase::kOpen && !conn.fragmenting && !conn.deflate_bits; }

// The common send: a small frame, built behind what is corked already. False if it has to go another way. The cork is
// no larger than the high mark, so what fits it cannot find the queue full.
bool put_in_cork(Conn& conn, ws::Opcode opcode, Bytes payload) {
    static_assert(kWriteThroughBytes <= ws::kShortMax);
    Server& server = *conn.server;
    Cork& cork = server.cork;
    if (cork.owner != &conn || conn.out || payload.len >= kWriteThroughBytes) return false;
    // An HTTP answer may have filled the cork beyond that mark, so it is added up, not subtracted.
    if (cork.len + ws::kFrameHeaderMax + payload.len >= server.cork_bytes) return false;
    uint8_t* const p = cork.p + cork.len;
    const size_t size = ws::write_short_header(p, opcode, payload.len);
    cork.len += size + payload.len;
    cork.units++;
    if (payload.len) std::memcpy(p + size, payload.p, payload.len);
    return true;
}

// The common publish: a short frame, copied behind others of this turn. False if it has to go another way: the long one
// finds out what to do when the queue is nearly full, and puts who is not in line for the end of the turn there. What
// queue_unit() asks besides is known here; asking would cost a quarter of a delivery's instructions.
bool put_in_queue(Conn& conn, Bytes frame) {
    const bool follows = conn.out && frame.len <= kCopyBytes && (conn.work & kWorkFlush);
    if (!follows || at_mark(conn, frame.len) || !budget_make_room(conn, frame.len)) return false;
    return change_queue(
        conn, [&](net::OutQueue& out) { return net::out_queue_copy(conn.server->mem, out, {}, frame, 1, 0); });
}

int put_frame(Conn& conn, const Outgoing& frame, net::UnitKey key) {
    if (frame.framed) return put(conn, {{}, frame.payload, frame.block, key});
    uint8_t header[ws::kFrameHeaderMax];
    const size_t size = ws::write_frame_header(header, frame.opcode, frame.fin, 0, frame.payload.len);
    const bool large = frame.payload.len >= kWriteThroughBytes && !key;
    uint8_t* const unmasked = conn.server->unmasked;
    if (large && frame.payload.p == unmasked) {
        // An echo's header fits where the one that came stood, which had a mask besides: the kernel takes 16 KiB in
        // one piece 6 % sooner than in two.
        std::memcpy(unmasked - size, header, size);
        return put(conn, {{}, {unmasked - size, size + frame.payload.len}, nullptr, 0});
    }
    return put(conn, {{header, size}, frame.payload, large ? block_of(*conn.server, frame.payload) : nullptr, key});
}

// A data frame has been accepted.
void note_sent(Conn& conn, bool fin) {
    conn.fragmenting = !fin;
    conn.since_ms = now_ms(*conn.server);
    conn.server->stats.messages_out += fin;
}

// The other ways, and what to do when the queue is full.
int put_or_refuse(Conn& conn, const Outgoing& frame, const SendOptions& options) {
    const net::UnitKey key = options.full == WSD_FULL_REPLACE ? options.key : 0;
    const bool replaces = key && conn.out && net::out_queue_waits(*conn.out, key);
    if (!replaces && full(conn)) return refuse(conn, options.full);
    if (conn.phase != Phase::kOpen) return WSD_E_CLOSED;  // lost while making room

    Outgoing final = frame;
    net::SharedBlock* held = nullptr;
    if (frame.prepared) prepared_choose(final);
    const bool deflate = conn.deflate_bits && !options.plain;
    if (deflate && !conn_deflate(conn, final, key != 0, &held)) return WSD_E_NOMEM;
    const int result = put_frame(conn, final, key);
    net::block_release(held);
    if (result != WSD_OK) {
        if (deflate && final.framed) conn_deflate_undo(conn);
        return result;
    }
    note_sent(conn, frame.fin);
    (void)full(conn);  // so that a sender that only watches wsd_buffered() gets its on_drain, too
    return conn.phase == Phase::kDead ? WSD_E_CLOSED : WSD_OK;
}

}  // namespace

size_t conn_buffered(const Conn& conn) {
    return (conn.out ? conn.out->bytes : 0) + (corked(conn) ? conn.server->cork.len : 0);
}

bool conn_drained(const Conn& conn) {
    return conn_buffered(conn) <= conn.server->config.send_low_bytes && !at_mark(conn);
}

int conn_send(Conn& conn, const Outgoing& frame, const SendOptions& options) {
    if (conn.phase != Phase::kOpen) return conn.phase == Phase::kHttp ? WSD_E_INVALID : WSD_E_CLOSED;
    // Between the fragments of a message only control frames may go (§5.4).
    const bool continues = frame.opcode == ws::Opcode::kContinuation;
    if (continues != conn.fragmenting) return WSD_E_INVALID;
    return put_or_refuse(conn, frame, options);
}

namespace {

// Not inlined: the common send would pay for a guarded stack frame that only this needs.
__attribute__((noinline)) int send_the_long_way(Conn& conn, ws::Opcode opcode, Bytes payload) {
    return conn_send(conn, {opcode, true, payload}, {});
}

}  // namespace

int conn_send_message(Conn& conn, ws::Opcode opcode, Bytes payload) {
    if (!takes_plain(conn) || !put_in_cork(conn, opcode, payload)) return send_the_long_way(conn, opcode, payload);
    note_sent(conn, true);
    return WSD_OK;
}

int conn_send_prepared(Conn& conn, wsd_prepared& prepared, const SendOptions& options) {
    if (!takes_plain(conn) || options.full == WSD_FULL_REPLACE ||
        !put_in_queue(conn, {prepared.block->data(), prepared.size})) {
        return conn_send(conn, {.opcode = prepared.opcode, .fin = true, .payload = {}, .prepared = &prepared}, options);
    }
    note_sent(conn, true);
    return WSD_OK;
}

int conn_send_control(Conn& conn, ws::Opcode opcode, Bytes payload) {
    if (conn.phase != Phase::kOpen) return WSD_E_CLOSED;
    const bool waits = conn.out && opcode == ws::Opcode::kPong;
    return put_frame(conn, {opcode, true, payload}, waits ? kPongKey : 0);
}

int conn_send_raw(Conn& conn, Bytes data) { return put(conn, {{}, data, nullptr, 0}); }

void conn_flush(Conn& conn) {
    conn.work &= Work(~kWorkFlush);
    if (conn.phase == Phase::kDead) return;
    if (corked(conn) && conn.server->cork.len) {
        flush_cork(conn);
        if (conn.phase == Phase::kDead) return;
    }
    const bool owed = conn.out;
    if (owed && conn.writable) {
        size_t n = 0;
        net::Io io = net::Io::kOk;
        (void)change_queue(conn, [&](net::OutQueue& out) {
            io = net::out_queue_write(conn.server->mem, out, conn.source.fd, &n);
            return true;
        });
        count_sent(conn, n);
        queue_settle(conn);
        if (io == net::Io::kAgain) kernel_full(conn);
        if (io != net::Io::kOk && io != net::Io::kAgain) return lost(conn);
    }
    if (conn.high && conn.phase == Phase::kOpen && conn_drained(conn)) conn_owe(conn, kWorkDrain);
    if (!conn.out && (owed || conn.phase == Phase::kLingering)) conn_all_sent(conn);
}

void conn_drop_output(Conn& conn) {
    if (!conn.out) return;
    (void)change_queue(conn, [&](net::OutQueue& out) {
        net::out_queue_clear(conn.server->mem, out);
        return true;
    });
    queue_settle(conn);
}

}  // namespace wsd::server
