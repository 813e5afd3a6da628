#include "server/compression.h"

#include "server/server.h"

namespace wsd::server {
namespace {

// The room behind a window: a message that fits it is delivered from there.
constexpr size_t kSharedRoom = 256 * 1024;
constexpr size_t kOwnRoomMin = 4096;

size_t window_of(uint8_t bits) { return size_t(1) << bits; }

size_t inflow_capacity(uint8_t bits) {
    const size_t window = window_of(bits);
    return window + (window > kOwnRoomMin ? window : kOwnRoomMin);
}

void inflow_free(Server& server, Inflow& inflow) {
    mem_free(server.mem, Purpose::kDeflate, inflow.out.p, inflow.capacity);
}

// What one connection with these parameters may come to hold.
size_t takeover_size(const Server& server, const ws::Pmd& pmd) {
    size_t size = 0;
    if (pmd.server_takeover) size += deflate::context_size(deflate_params(server, pmd.server_bits));
    if (pmd.client_takeover) size += inflow_capacity(pmd.client_bits);
    return size ? size + sizeof(Takeover) : 0;
}

}  // namespace

deflate::Params deflate_params(const Server& server, uint8_t window_bits) {
    return {server.config.deflate_level > 1 ? deflate::Level::kBalanced : deflate::Level::kFast, window_bits};
}

void inflow_init(Inflow& inflow, uint8_t window_bits) {
    inflow.out.reach = uint32_t(window_of(window_bits));
    inflow.full_capacity = inflow_capacity(window_bits);
}

bool compression_open(Server& server) {
    if (!server.config.deflate) return true;
    void* const room = mem_alloc(server.mem, Purpose::kDeflate, sizeof(Compression));
    if (!room) return false;
    server.compression = new (room) Compression;
    Compression& compression = *server.compression;
    deflate::encoder_init(compression.encoder);
    compression.packed = static_cast<uint8_t*>(mem_alloc(server.mem, Purpose::kDeflate, kPackedBytes));
    Inflow& inflow = compression.inflow;
    inflow.full_capacity = window_of(ws::kWindowBitsMax) + kSharedRoom;
    inflow.out.p = static_cast<uint8_t*>(mem_alloc(server.mem, Purpose::kDeflate, inflow.full_capacity));
    if (inflow.out.p) inflow.capacity = inflow.full_capacity;
    return compression.packed && inflow.out.p;
}

void compression_close(Server& server) {
    Compression* const compression = server.compression;
    if (!compression) return;
    inflow_free(server, compression->inflow);
    mem_free(server.mem, Purpose::kDeflate, compression->packed, kPackedBytes);
    mem_free(server.mem, Purpose::kDeflate, compression, sizeof(Compression));
    server.compression = nullptr;
}

ws::Pmd compression_offer(const Server& server) {
    const wsd_config& config = server.config;
    ws::Pmd ready;
    ready.server_bits = config.deflate_server_window_bits;
    ready.client_bits = config.deflate_client_window_bits;
    ready.server_takeover = config.deflate_server_takeover;
    ready.client_takeover = config.deflate_client_takeover;
    // The client may leave its window as large as it likes.
    ws::Pmd largest = ready;
    largest.client_bits = ws::kWindowBitsMax;
    const size_t held = server.compression->reserved_bytes;
    if (held + takeover_size(server, largest) > config.deflate_memory_max_bytes) {
        ready.server_takeover = ready.client_takeover = false;
    }
    return ready;
}

bool compression_begin(Conn& conn, const ws::Pmd& agreed) {
    Server& server = *conn.server;
    if (agreed.server_takeover || agreed.client_takeover) {
        void* const room = mem_alloc(server.mem, Purpose::kDeflate, sizeof(Takeover));
        if (!room) return false;
        conn.takeover = new (room) Takeover;
        conn.takeover->sends = agreed.server_takeover;
        conn.takeover->receives = agreed.client_takeover;
        inflow_init(conn.takeover->received, agreed.client_bits);
        conn.takeover->reserved_bytes = takeover_size(server, agreed);
        server.compression->reserved_bytes += conn.takeover->reserved_bytes;
    }
    conn.deflate_bits = uint8_t(agreed.server_bits << 4 | agreed.client_bits);
    return true;
}

void compression_end(Conn& conn) {
    Takeover* const takeover = conn.takeover;
    const deflate::Params params = deflate_params(*conn.server, server_bits(conn));
    conn.deflate_bits = 0;
    if (!takeover) return;
    Server& server = *conn.server;
    server.compression->reserved_bytes -= takeover->reserved_bytes;
    if (takeover->sent) mem_free(server.mem, Purpose::kDeflate, takeover->sent, deflate::context_size(params));
    inflow_free(server, takeover->received);
    mem_free(server.mem, Purpose::kDeflate, takeover, sizeof(Takeover));
    conn.takeover = nullptr;
}

void inflating_free(Server& server, Inflating* inflating) {
    if (!inflating) return;
    inflow_free(server, inflating->inflow);
    mem_free(server.mem, Purpose::kDeflate, inflating, sizeof(Inflating));
}

}  // namespace wsd::server
