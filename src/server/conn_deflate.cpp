// Messages on their way out, deflated (RFC 7692 §7.2.1) where that makes them smaller. What a client has been sent is
// what its window holds: so a context only ever moves with frames that are certain to go out.
#include "server/compression.h"
#include "server/prepared.h"
#include "server/server.h"

namespace wsd::server {
namespace {

using deflate::End;

// In front of what is deflated, for a header whose size depends on what comes of it.
constexpr size_t kHeaderRoom = ws::kFrameHeaderMax - 4;

// Where a frame is deflated to.
struct Target {
    uint8_t* p;
    size_t room;              // behind kHeaderRoom
    net::SharedBlock* block;  // that holds it; null: the server's own buffer
};

// Room for `len` bytes; `lasting` in a block that is kept. `p` is null when memory is refused.
Target target_of(Server& server, size_t len, bool lasting) {
    if (!lasting && kHeaderRoom + len <= kPackedBytes) return {server.compression->packed, len, nullptr};
    const size_t size = kHeaderRoom + len;
    net::SharedBlock* block = lasting ? nullptr : net::block_take(server.blocks, size);
    if (!block) block = net::block_new(server.mem, Purpose::kSend, size, lasting ? nullptr : &server.blocks);
    return {block ? block->data() : nullptr, len, block};
}

// Writes the header right in front of the `len` deflated bytes, and gives the whole frame.
Bytes finish_frame(Server& server, const Target& target, const Outgoing& frame, size_t len) {
    const bool first = frame.opcode != ws::Opcode::kContinuation;
    const uint8_t rsv = first ? ws::kRsv1 : 0;
    uint8_t header[ws::kFrameHeaderMax];
    const size_t size = ws::write_frame_header(header, frame.opcode, frame.fin, rsv, len);
    uint8_t* const p = target.p + kHeaderRoom - size;
    std::memcpy(p, header, size);
    server.stats.deflated_count++;
    server.stats.deflate_input_bytes += frame.payload.len;
    server.stats.deflated_bytes += len;
    return {p, size + len};
}

bool sends_takeover(const Conn& conn) { return conn.takeover && conn.takeover->sends; }

// The connection's context, made when it is first needed; null when memory is refused.
deflate::Context* context_of(Conn& conn) {
    Takeover& takeover = *conn.takeover;
    if (takeover.sent) return takeover.sent;
    const deflate::Params params = deflate_params(*conn.server, server_bits(conn));
    void* const room = mem_alloc(conn.server->mem, Purpose::kDeflate, deflate::context_size(params));
    if (room) takeover.sent = deflate::context_init(room, params);
    return takeover.sent;
}

void deflate_payload(Conn& conn, Outgoing& frame, net::SharedBlock** held) {
    Server& server = *conn.server;
    deflate::Context* const context = sends_takeover(conn) ? context_of(conn) : nullptr;
    if (sends_takeover(conn) && !context) return;
    const bool alone = frame.fin && frame.opcode != ws::Opcode::kContinuation;
    if (alone && frame.payload.len < 2) return;  // cannot get smaller
    // A message that would not get smaller goes out as it is; of one in fragments the first has decided for all.
    const size_t room = alone ? frame.payload.len - 1 : deflate::deflate_bound(frame.payload.len);
    const Target target = target_of(server, room, false);
    if (!target.p) return;
    deflate::Encoder& encoder = server.compression->encoder;
    const End end = frame.fin ? End::kMessage : End::kFragment;
    uint8_t* const to = target.p + kHeaderRoom;
    const size_t len = context ? deflate::deflate_with(encoder, *context, frame.payload, end, to, target.room)
                               : deflate::deflate_alone(encoder, deflate_params(server, server_bits(conn)),
                                                        frame.payload, end, to, target.room);
    if (len == 0) return net::block_release(target.block);
    frame.payload = finish_frame(server, target, frame, len);
    frame.framed = true;
    *held = target.block;
    // The block has room for the message as it was. A queue that refers to it would hold more than it counts, so a
    // frame that needs little of it is copied, as far as the kernel refuses it.
    if (target.block && frame.payload.len > target.block->capacity / 2) frame.block = target.block;
}

void deflate_prepared(Conn& conn, Outgoing& frame) {
    net::SharedBlock* const block = prepared_deflated(*conn.server, *frame.prepared, server_bits(conn));
    if (!block) return;
    // It refers to nothing, but the client remembers it.
    if (sends_takeover(conn)) {
        deflate::Context* const context = context_of(conn);
        if (!context) return;
        deflate::context_add(*context, prepared_payload(*frame.prepared));
    }
    frame.payload = {block->data(), block->capacity};
    frame.block = block;
}

}  // namespace

bool conn_deflate(Conn& conn, Outgoing& frame, bool keyed, net::SharedBlock** held) {
    const uint32_t threshold = conn.server->config.deflate_threshold_bytes;
    // What may never go out must not be in the context, even if it refers to nothing.
    if (keyed && sends_takeover(conn)) return true;
    if (frame.prepared) {
        if (prepared_payload(*frame.prepared).len >= threshold) deflate_prepared(conn, frame);
        return true;
    }
    if (frame.opcode == ws::Opcode::kContinuation) {
        if (conn.deflating) deflate_payload(conn, frame, held);
        return frame.framed || !conn.deflating;
    }
    // Of a message in fragments nobody knows how long it will be.
    if (!frame.fin || frame.payload.len >= threshold) deflate_payload(conn, frame, held);
    conn.deflating = frame.framed;
    return true;
}

void conn_deflate_undo(Conn& conn) {
    if (!sends_takeover(conn) || !conn.takeover->sent) return;
    (void)deflate::context_init(conn.takeover->sent, deflate_params(*conn.server, server_bits(conn)));
}

bool deflate_frame(Server& server, ws::Opcode opcode, Bytes payload, uint8_t window_bits, net::SharedBlock** out) {
    const Target target = target_of(server, payload.len - 1, true);
    if (!target.p) return false;
    const size_t len = deflate::deflate_alone(server.compression->encoder, deflate_params(server, window_bits), payload,
                                              End::kMessage, target.p + kHeaderRoom, target.room);
    *out = nullptr;
    if (len) {
        const Bytes frame = finish_frame(server, target, {opcode, true, payload}, len);
        std::memmove(target.p, frame.p, frame.len);
        *out = net::block_resize(target.block, frame.len);
    }
    if (!*out) net::block_release(target.block);
    return *out || !len;
}

}  // namespace wsd::server
