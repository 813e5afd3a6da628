// The receiving half of a connection's life, in byte order: accept, read, feed, deliver. It decides nothing about
// protocol rules, which are the codecs', nor about sending and ending, which have files of their own.
#include "server/conn.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "server/compression.h"
#include "server/extra.h"
#include "server/server.h"
#include "server/upgrade.h"

namespace wsd::server {
namespace {

// From here on the rest of a frame is received where it will stay, instead of through the shared buffer.
constexpr size_t kInPlaceBytes = 16 * 1024;

// A message's block grows with what has come, never with what was declared: at most to twice that and this much.
constexpr size_t kAssemblyStep = 16 * 1024;

// ---------------------------------------------------------------------------------------------------- delivering

void conn_deliver(Conn& conn, ws::Opcode opcode, Bytes data) {
    Server& server = *conn.server;
    conn.since_ms = now_ms(server);
    server.stats.messages_in++;
    if (server.callbacks.on_message) {
        server.callbacks.on_message(&server, id_of(conn.handle), wsd_opcode(opcode), data.p, data.len);
    }
}

// The last byte of an assembled message has come. It is taken off the connection first: the callback may end it.
void finish_message(Conn& conn) {
    Server& server = *conn.server;
    Assembly* const done = conn.in;
    conn.in = nullptr;
    conn.large_before = done->len > server.config.receive_buffer_bytes && !done->message.compressed;
    if (!takes_pieces(conn)) conn_deliver_assembled(conn, *done);
    assembly_free(server, done);
}

// ------------------------------------------------------------------------------------------------------- feeding

// Unmasked payload goes where the message goes.
void use_piece(Conn& conn, Assembly& in, const uint8_t* p, size_t n) {
    if (in.message.compressed) return (void)conn_inflate(conn, in, {p, n});  // if it fails, the connection has ended
    if (takes_pieces(conn))
        return conn_deliver_piece(conn, in.message.opcode, {p, n}, ws::message_complete(in.message));
    if (n == 0) return;
    if (!assembly_reserve(*conn.server, in, n, n + in.message.frame_remaining)) return conn_out_of_memory(conn);
    uint8_t* const to = in.block->data() + in.len;
    if (to != p) std::memcpy(to, p, n);
    in.len += n;
}

// Takes payload of the frame that is open from [p, end), which may be the assembly's own room; returns where it ended.
uint8_t* take_piece(Conn& conn, uint8_t* p, uint8_t* end) {
    Assembly& in = *conn.in;
    const size_t avail = size_t(end - p);
    const size_t n = avail < in.message.frame_remaining ? avail : size_t(in.message.frame_remaining);
    ws::Violation violation;
    if (conn.phase != Phase::kOpen) {  // closing: only the end of the frame matters
        in.message.frame_remaining -= n;
        inflating_free(*conn.server, in.inflating);
        in.inflating = nullptr;
    } else if (ws::message_take(in.message, *conn.server->kernels, p, n, &violation) == ws::Parse::kViolation) {
        conn_violation(conn, violation);
    } else {
        use_piece(conn, in, p, n);
    }
    // Whatever ended the connection took the message with it.
    if (conn.in && ws::message_complete(conn.in->message)) finish_message(conn);
    return p + n;
}

// The common case: a message in one frame that lies whole in the buffer, delivered from there.
uint8_t* whole_message(Conn& conn, const ws::FrameHeader& header, uint8_t* payload, uint8_t* end) {
    Server& server = *conn.server;
    const size_t len = size_t(header.payload_bytes);
    if (header.rsv) {
        conn_inflate_whole(conn, header, payload);
        return payload + len;
    }
    ws::Violation violation;
    if (ws::message_whole(header, server.limits, *server.kernels, payload, &violation) == ws::Parse::kViolation) {
        conn_violation(conn, violation);
        return end;
    }
    server.unmasked = payload;
    conn_deliver(conn, header.opcode, {payload, len});
    server.unmasked = nullptr;
    return payload + len;
}

Assembly* assembly_new(Server& server, const ws::Message& message) {
    void* const room = mem_alloc(server.mem, Purpose::kReceive, sizeof(Assembly));
    if (!room) return nullptr;
    Assembly* const in = new (room) Assembly{};
    in->message = message;
    return in;
}

// Any other data frame: a fragment, one that is still arriving, or one whose pieces go to the application. Rarer frames
// are kept out of the loop over them, whose registers and stack frame they would grow.
__attribute__((noinline)) uint8_t* data_frame(Conn& conn, const ws::FrameHeader& header, uint8_t* payload,
                                              uint8_t* end) {
    Server& server = *conn.server;
    ws::Violation violation;
    ws::Message fresh{};
    ws::Message& message = conn.in ? conn.in->message : fresh;
    if (ws::message_frame(message, header, server.limits, &violation) == ws::Parse::kViolation) {
        conn_violation(conn, violation);
        return end;
    }
    if (!conn.in) {
        conn.in = assembly_new(server, fresh);
        const bool inflates = fresh.compressed && conn.phase == Phase::kOpen;
        if (!conn.in || (inflates && !conn_inflate_begin(conn, *conn.in))) {
            conn_out_of_memory(conn);
            return end;
        }
        conn_rearm(conn);  // the read timeout applies now
    }
    return take_piece(conn, payload, end);
}

__attribute__((noinline)) void control_frame(Conn& conn, const ws::FrameHeader& header, uint8_t* p) {
    Server& server = *conn.server;
    const size_t len = size_t(header.payload_bytes);
    server.kernels->unmask(p, len, header.mask);
    const Bytes payload{p, len};
    if (header.opcode == ws::Opcode::kPing) {
        server.stats.pings_in++;
        if (conn.phase != Phase::kOpen) return;  // nothing may follow our close frame (§5.5.1)
        if (conn_send_control(conn, ws::Opcode::kPong, payload) == WSD_OK) server.stats.pongs_out++;
    } else if (header.opcode == ws::Opcode::kPong) {
        conn_pong_received(conn, payload);
    } else {
        ws::ClosePayload close;
        ws::Violation violation;
        if (ws::read_close(payload, *server.kernels, &close, &violation) == ws::Parse::kViolation) {
            conn_violation(conn, violation);
        } else {
            conn_close_received(conn, close);
        }
    }
}

// Uses one frame, or one piece of a frame; returns `p` if there is too little of it.
uint8_t* feed_frame(Conn& conn, uint8_t* p, uint8_t* end) {
    if (conn.in && conn.in->message.frame_remaining) return take_piece(conn, p, end);
    ws::FrameHeader header;
    const Bytes in{p, size_t(end - p)};
    if (!ws::read_short_header(in, conn.server->rules, &header)) {
        if (conn_inflated_enough(conn)) return p;
        ws::Violation violation;
        const ws::FrameRules& rules = conn.deflate_bits ? conn.server->deflate_rules : conn.server->rules;
        switch (ws::read_frame_header(in, rules, &header, &violation)) {
            case ws::Parse::kNeedMore: return p;
            case ws::Parse::kViolation: conn_violation(conn, violation); return end;
            case ws::Parse::kDone: break;
        }
    }
    uint8_t* const payload = p + header.size;
    const bool whole = header.payload_bytes <= size_t(end - payload);
    if (!ws::is_control(header.opcode)) {
        if (conn.extra && !conn.in && !limits_take_message(conn)) return conn.phase == Phase::kOpen ? p : end;
        const bool alone = header.fin && header.opcode != ws::Opcode::kContinuation && !conn.in;
        return whole && alone && !takes_pieces(conn) ? whole_message(conn, header, payload, end)
                                                     : data_frame(conn, header, payload, end);
    }
    if (!whole) return p;  // it is short: all of it or nothing
    control_frame(conn, header, payload);
    return payload + header.payload_bytes;
}

// Keeps [p, end), which cannot be used yet.
void keep(Conn& conn, const uint8_t* p, const uint8_t* end) {
    const size_t len = size_t(end - p);
    uint8_t* to = conn.carry;
    if (len > kCarryInSlot) {
        to = static_cast<uint8_t*>(mem_alloc(conn.server->mem, Purpose::kReceive, len));
        if (!to) return conn_out_of_memory(conn);
        conn.carry_block = to;
    }
    std::memcpy(to, p, len);
    conn.carry_len = uint32_t(len);
}

// ------------------------------------------------------------------------------------------------------- reading

struct Room {
    uint8_t* p;  // null: memory was refused
    size_t len;
    bool in_place;
};

// Where the next read goes: the loop's buffer or, amid a large frame, the message's own block.
Room receive_room(Conn& conn) {
    Server& server = *conn.server;
    const size_t buffer_bytes = server.config.receive_buffer_bytes;
    const bool large = conn.in && conn.in->message.frame_remaining >= kInPlaceBytes && !conn.in->message.compressed &&
                       !takes_pieces(conn);
    if (!large) {
        // After a message larger than the buffer the next is likely to be one, too: what is not read here is received
        // in its place instead of being copied there.
        // And what a metered connection may not use yet is carried meanwhile, so it is little.
        const bool less = (conn.large_before || (conn.extra && limits_meters(conn))) && buffer_bytes > kInPlaceBytes;
        conn.large_before = false;
        return {server.receive_buffer + kReceiveHeadroom, less ? kInPlaceBytes : buffer_bytes, false};
    }

    Assembly& in = *conn.in;
    size_t step = in.len > kAssemblyStep ? in.len : kAssemblyStep;
    if (step > in.message.frame_remaining) step = size_t(in.message.frame_remaining);
    if (!assembly_reserve(server, in, step, in.message.frame_remaining)) return {nullptr, 0, true};
    size_t len = in.block->capacity - in.len;
    if (len > in.message.frame_remaining) len = size_t(in.message.frame_remaining);
    if (len > buffer_bytes) len = buffer_bytes;  // a piece that is still in the cache when it is unmasked
    return {in.block->data() + in.len, len, true};
}

// Takes the carried bytes, whose block, if they have one, is then the caller's to free with their number.
uint8_t* take_carry(Conn& conn, uint32_t* len) {
    *len = conn.carry_len;
    conn.carry_len = 0;
    return *len > kCarryInSlot ? conn.carry_block : conn.carry;
}

void free_carry(Conn& conn, uint8_t* carry, uint32_t len) {
    if (len > kCarryInSlot) mem_free(conn.server->mem, Purpose::kReceive, carry, len);
}

// Puts the carried bytes right in front of what was received at `p`; returns where they start.
uint8_t* join_carry(Conn& conn, uint8_t* p) {
    uint32_t len = 0;
    uint8_t* const carry = take_carry(conn, &len);
    WSD_ASSERT(len <= kReceiveHeadroom);
    std::memcpy(p - len, carry, len);
    free_carry(conn, carry, len);
    return p - len;
}

}  // namespace

void conn_out_of_memory(Conn& conn) { conn_fail(conn, 1011, {WSD_CAUSE_NOMEM, WSD_E_NOMEM}); }

bool takes_pieces(const Conn& conn) { return conn.server->callbacks.on_chunk || conn.phase != Phase::kOpen; }

void conn_deliver_piece(Conn& conn, ws::Opcode opcode, Bytes data, bool final) {
    Server& server = *conn.server;
    conn.since_ms = now_ms(server);
    if (final) server.stats.messages_in++;
    if (data.len || final) {
        server.callbacks.on_chunk(&server, id_of(conn.handle), wsd_opcode(opcode), data.p, data.len, final);
    }
}

void conn_deliver_assembled(Conn& conn, const Assembly& in) {
    conn.server->delivering = in.block;
    conn_deliver(conn, in.message.opcode, in.block ? Bytes{in.block->data(), in.len} : in.decoded);
    conn.server->delivering = nullptr;
}

bool assembly_reserve(Server& server, Assembly& in, size_t need, uint64_t left) {
    // What rests in the pool is held anyway, so it may be as large as the peer declares.
    if (!in.block && left >= kInPlaceBytes) in.block = net::block_take(server.blocks, size_t(left));
    const size_t capacity = in.block ? in.block->capacity : 0;
    if (capacity - in.len >= need) return true;
    size_t wanted = in.len + (need > in.len ? need : in.len);
    if (in.message.fin && wanted - in.len > left) wanted = in.len + size_t(left);  // the message ends there
    net::SharedBlock* const block = in.block ? net::block_resize(in.block, wanted)
                                             : net::block_new(server.mem, Purpose::kReceive, wanted, &server.blocks);
    if (!block) return false;
    in.block = block;
    return true;
}

void assembly_free(Server& server, Assembly* in) {
    if (!in) return;
    net::block_release(in->block);
    inflating_free(server, in->inflating);
    mem_free(server.mem, Purpose::kReceive, in, sizeof(Assembly));
}

void conn_drop_input(Conn& conn) {
    assembly_free(*conn.server, conn.in);
    conn.in = nullptr;
    uint32_t len = 0;
    uint8_t* const carry = take_carry(conn, &len);
    free_carry(conn, carry, len);
}

bool conn_wants_input(const Conn& conn) {
    switch (conn.phase) {
        // Answers have no mark, so a client that asks and does not read is not asked for more.
        case Phase::kHttp: return !upgrade_waits(conn) && !conn.out;
        // With an upgrade left over, on_open is still due.
        case Phase::kOpen: return !conn.paused && !conn.held && !conn.upgrade;
        case Phase::kClosing: return true;
        case Phase::kLingering:
        case Phase::kDead: return false;
    }
    return false;
}

void conn_feed(Conn& conn, uint8_t* p, uint8_t* end) {
    while (p != end && conn_wants_input(conn)) {
        uint8_t* const next = conn.phase == Phase::kHttp ? upgrade_feed(conn, p, end) : feed_frame(conn, p, end);
        if (next == p) break;
        p = next;
    }
    if (p != end && conn.phase < Phase::kLingering) keep(conn, p, end);
}

void conn_feed_carry(Conn& conn) {
    if (conn.carry_len == 0 || !conn_wants_input(conn)) return;
    conn.server->inflated_mark = conn.server->stats.inflated_bytes;
    uint32_t len = 0;
    uint8_t* carry = take_carry(conn, &len);
    uint8_t in_slot[kCarryInSlot];
    if (len <= kCarryInSlot) carry = static_cast<uint8_t*>(std::memcpy(in_slot, carry, len));  // feeding may carry anew
    Server& server = *conn.server;
    server.cork.owner = &conn;
    conn_feed(conn, carry, carry + len);
    conn_flush(conn);
    server.cork.owner = nullptr;
    free_carry(conn, carry, len);
}

void conn_read(Conn& conn) {
    Server& server = *conn.server;
    if (conn.carry_len > kReceiveHeadroom) {  // kept while paused, and still to be used first
        conn_feed_carry(conn);
        if (conn.carry_len > kReceiveHeadroom) return;
    }
    const bool discard = conn.phase == Phase::kLingering;
    if (!discard && !conn_wants_input(conn)) return;
    if (budget_is_tight(server) && !budget_lets_read(conn)) return;

    const Room room = receive_room(conn);
    if (!room.p) return conn_out_of_memory(conn);
    size_t n = 0;
    const net::Io io = net::receive(conn.source.fd, room.p, room.len, &n);
    if (io != net::Io::kOk) {
        conn.readable = false;
        if (io != net::Io::kAgain) conn_end_of_stream(conn, io == net::Io::kError);
        return;
    }
    // A short read has emptied the socket, and what comes next is a new edge; but an end that was announced together
    // with these bytes was their edge, and has to be read now.
    if (n < room.len && !conn.end_told) conn.readable = false;
    conn.last_rx_ms = now_ms(server);
    server.stats.bytes_in += n;

    if (!discard) {
        server.cork.owner = &conn;
        server.inflated_mark = server.stats.inflated_bytes;
        if (room.in_place) {
            (void)take_piece(conn, room.p, room.p + n);  // all of it: no more was received than the frame has
        } else {
            conn_feed(conn, conn.carry_len ? join_carry(conn, room.p) : room.p, room.p + n);
        }
        conn_flush(conn);
        server.cork.owner = nullptr;
    }
    // It filled the buffer: others first, then it goes on.
    if (conn.readable && (conn_wants_input(conn) || conn.phase == Phase::kLingering)) conn_owe(conn, kWorkRead);
}

void conn_ready(net::Source* source, uint32_t events) {
    Conn& conn = *WSD_CONTAINER_OF(source, Conn, source);
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        conn.end_told = conn.readable = true;
        budget_release(conn);
    }
    if (events & EPOLLIN) conn.readable = true;
    if (events & EPOLLOUT) conn.writable = true;
    if (conn.readable) conn_read(conn);
    if (conn.out && conn.writable) conn_flush(conn);
    // Nobody reads from a connection that is paused or waits for a decision, so a reset would go unseen.
    if ((events & (EPOLLHUP | EPOLLERR)) && conn.phase < Phase::kLingering && !conn_wants_input(conn)) {
        conn_end_of_stream(conn, true);
    }
}

void conn_accept(Server& server, int fd, const Listener& listener, const Visitor& visitor, bool proxy_due) {
    Conn* const conn = server.conns.make();
    if (conn) conn->server = &server;
    if (!conn || !limits_attach(*conn, visitor)) {
        if (conn) server.conns.free(conn);
        if (visitor.counted) limits_leave(server, visitor.key);
        server.stats.refused_memory++;
        server_log(server, WSD_LOG_WARN, 0, "connection dropped: out of memory", WSD_E_NOMEM);
        close(fd);
        return;
    }
    server.stats.connections_total++;
    conn->source = {conn_ready, fd};
    conn->deadline.fired = conn_deadline_fired;
    conn->listener = listener.number & (kListenerMax - 1);
    conn->proxy_due = proxy_due;
    conn->admin = listener.admin;
    server.admin_count += conn->admin;
    conn->since_ms = conn->last_rx_ms = now_ms(server);
    conn_rearm(*conn);
    if (!net::reactor_add(server.reactor, conn->source)) {
        server_log(server, WSD_LOG_ERROR, id_of(conn->handle), "epoll has no room", WSD_E_SYSTEM);
        conn_kill(*conn, {WSD_CAUSE_ABORTED, WSD_E_SYSTEM});
    }
}

void conn_turn_callbacks(Conn& conn) {
    Server& server = *conn.server;
    const Work work = conn.work;
    conn.work &= Work(~(kWorkRead | kWorkDrain | kWorkDecide));
    if (work & kWorkDecide) upgrade_settle(conn);
    // It may have filled up again since this was owed; then the next fall tells.
    if ((work & kWorkDrain) && conn_drained(conn) && conn.phase == Phase::kOpen) {
        conn.high = false;
        if (server.callbacks.on_drain) server.callbacks.on_drain(&server, id_of(conn.handle));
    }
    if (work & (kWorkRead | kWorkDecide)) {
        conn_feed_carry(conn);
        if (conn.readable) conn_read(conn);
    }
    if (conn.work) conn_owe(conn, 0);
}

void conn_turn_output(Conn& conn) {
    if (conn.work & kWorkEnd) return conn_free(conn);
    if (conn.work & kWorkFlush) conn_flush(conn);
    if (conn.work) conn_owe(conn, 0);
}

}  // namespace wsd::server
