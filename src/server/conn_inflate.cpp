// Compressed messages on their way in (RFC 7692 §7.2.2): inflated piece by piece as they come, judged as text as they
// appear, and never further than the limit for messages allows.
#include "server/compression.h"
#include "server/server.h"

namespace wsd::server {
namespace {

// Where a message is inflated and by what: its connection's own or, when it comes in one piece, the server's.
struct Stream {
    deflate::Inflater& decoder;
    Inflow& inflow;
};

bool receives_takeover(const Conn& conn) { return conn.takeover && conn.takeover->receives; }

Stream stream_of(Conn& conn, Assembly& in) {
    Compression& shared = *conn.server->compression;
    deflate::Inflater& decoder = in.inflating ? in.inflating->decoder : shared.decoder;
    if (receives_takeover(conn)) return {decoder, conn.takeover->received};
    return {decoder, in.inflating ? in.inflating->inflow : shared.inflow};
}

bool violation(Conn& conn, ws::Fault fault, const char* why) {
    conn_violation(conn, {fault, why});
    return false;
}

bool can_grow(const Inflow& inflow) { return inflow.capacity < inflow.full_capacity; }

// Memory for twice as much. False when it is refused.
bool grow(Server& server, Inflow& inflow) {
    constexpr size_t kFirst = 2048;
    size_t capacity = inflow.capacity ? 2 * inflow.capacity : kFirst;
    if (capacity > inflow.full_capacity) capacity = inflow.full_capacity;
    void* const moved = mem_resize(server.mem, Purpose::kDeflate, inflow.out.p, inflow.capacity, capacity);
    if (!moved) return false;
    inflow.out.p = static_cast<uint8_t*>(moved);
    inflow.capacity = capacity;
    return true;
}

// Forgets what no distance can reach any more. All of it has been used.
void slide(Inflow& inflow) {
    deflate::Output& out = inflow.out;
    const size_t kept = out.end < out.reach ? out.end : out.reach;
    std::memmove(out.p, out.p + out.end - kept, kept);
    out.end = inflow.used = kept;
}

// Makes a piece part of the message so far; how many more there will be nobody knows.
bool append(Conn& conn, Assembly& in, Bytes piece) {
    Server& server = *conn.server;
    if (!in.block) in.block = net::block_take(server.blocks, piece.len);
    if (!assembly_reserve(server, in, piece.len, UINT64_MAX)) {
        conn_out_of_memory(conn);
        return false;
    }
    std::memcpy(in.block->data() + in.len, piece.p, piece.len);
    in.len += piece.len;
    return true;
}

// Judges what has been inflated since the last time and hands it on; `last`: the message ends with it.
bool use(Conn& conn, Assembly& in, Inflow& inflow, bool last) {
    const Bytes piece{inflow.out.p + inflow.used, inflow.out.end - inflow.used};
    inflow.used = inflow.out.end;
    in.inflated_bytes += piece.len;
    conn.server->stats.inflated_bytes += piece.len;
    ws::Violation fault;
    if (ws::message_text(in.message, *conn.server->kernels, piece, last, &fault) == ws::Parse::kViolation) {
        conn_violation(conn, fault);
        return false;
    }
    if (takes_pieces(conn)) {
        conn_deliver_piece(conn, in.message.opcode, piece, last);
        return conn.in && conn.phase == Phase::kOpen;  // the callback may have ended it
    }
    if (last && in.len == 0) {
        in.decoded = piece;
        return true;
    }
    return piece.len == 0 || append(conn, in, piece);
}

// The window is full: it grows, or what it holds is used.
bool make_room(Conn& conn, Assembly& in, Inflow& inflow) {
    if (can_grow(inflow)) {
        if (grow(*conn.server, inflow)) return true;
        conn_out_of_memory(conn);
        return false;
    }
    if (!use(conn, in, inflow, false)) return false;
    slide(inflow);
    return true;
}

bool inflate_all(Conn& conn, Assembly& in, const Stream& stream, Bytes data) {
    Inflow& inflow = stream.inflow;
    for (;;) {
        const uint64_t so_far = in.inflated_bytes + inflow.out.end - inflow.used;
        const uint64_t most = conn.server->limits.max_bytes;
        const uint64_t allowed = so_far < most ? most - so_far : 0;  // the limit may have come down meanwhile
        const size_t room = inflow.capacity - inflow.out.end;
        const bool limited = allowed <= room;
        inflow.out.room = inflow.out.end + (limited ? size_t(allowed) : room);
        switch (deflate::inflate(stream.decoder, &data, inflow.out)) {
            case deflate::Inflate::kNeedInput: return true;
            case deflate::Inflate::kMalformed: return violation(conn, ws::Fault::kDeflate, "malformed DEFLATE");
            case deflate::Inflate::kNeedRoom: break;
        }
        if (limited) return violation(conn, ws::Fault::kMessageTooLarge, "message too large");
        if (!make_room(conn, in, inflow)) return false;
    }
}

// The message is all there but for the bytes that it is sent without.
bool inflate_end(Conn& conn, Assembly& in, const Stream& stream) {
    if (deflate::inflate_tail(stream.decoder)) return true;
    if (!inflate_all(conn, in, stream, {ws::kMessageTail, sizeof ws::kMessageTail})) return false;
    if (deflate::inflate_at_boundary(stream.decoder)) return true;
    return violation(conn, ws::Fault::kDeflate, "message ends inside a DEFLATE block");
}

// A message begins: its stream stands between two blocks, and has room for all of most messages.
void begin(const Conn& conn, const Stream& stream) {
    Inflow& inflow = stream.inflow;
    deflate::inflater_reset(stream.decoder);
    if (!receives_takeover(conn)) {
        inflow.out.end = inflow.used = 0;
        inflow.out.reach = 1u << client_bits(conn);
    } else if (!can_grow(inflow) && inflow.capacity - inflow.out.end < inflow.out.reach / 2) {
        slide(inflow);
    }
}

}  // namespace

bool conn_inflate_begin(Conn& conn, Assembly& in) {
    Server& server = *conn.server;
    void* const room = mem_alloc(server.mem, Purpose::kDeflate, sizeof(Inflating));
    if (!room) return false;
    in.inflating = new (room) Inflating;
    inflow_init(in.inflating->inflow, client_bits(conn));  // unused where the connection has one
    begin(conn, stream_of(conn, in));
    return true;
}

bool conn_inflated_enough(Conn& conn) {
    // A read is bounded by its bytes on the wire, of which a few may be work for a thousand times as many.
    constexpr uint64_t kEnough = 1u << 20;
    const Server& server = *conn.server;
    if (server.stats.inflated_bytes - server.inflated_mark < kEnough) return false;
    conn_owe(conn, kWorkRead);
    return true;
}

bool conn_inflate(Conn& conn, Assembly& in, Bytes payload) {
    const Stream stream = stream_of(conn, in);
    const bool last = ws::message_complete(in.message);
    conn.server->stats.inflate_input_bytes += payload.len;
    if (!inflate_all(conn, in, stream, payload)) return false;
    if (!last) return use(conn, in, stream.inflow, false);
    if (!inflate_end(conn, in, stream)) return false;
    if (!use(conn, in, stream.inflow, true)) return false;
    conn.server->stats.inflated_count++;
    return true;
}

void conn_inflate_whole(Conn& conn, const ws::FrameHeader& header, uint8_t* payload) {
    Server& server = *conn.server;
    Assembly whole{};
    ws::Violation fault;
    if (ws::message_frame(whole.message, header, server.limits, &fault) == ws::Parse::kViolation) {
        return conn_violation(conn, fault);
    }
    const size_t len = size_t(header.payload_bytes);
    (void)ws::message_take(whole.message, *server.kernels, payload, len, &fault);  // no text that it could judge yet
    begin(conn, stream_of(conn, whole));
    if (conn_inflate(conn, whole, {payload, len})) conn_deliver_assembled(conn, whole);
    net::block_release(whole.block);
}

}  // namespace wsd::server
