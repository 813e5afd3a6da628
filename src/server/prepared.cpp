#include "server/prepared.h"

#include <new>

#include "server/compression.h"
#include "server/server.h"

namespace wsd::server {

namespace {

// A message may be kept for long, so of what rests it takes only a block that it fills at least by half.
net::SharedBlock* block_for(Server& server, size_t size) {
    net::SharedBlock* const resting = net::block_take(server.blocks, size, 2 * size);
    return resting ? resting : net::block_new(server.mem, Purpose::kSend, size, &server.blocks);
}

}  // namespace

wsd_prepared* prepared_new(Server& server, ws::Opcode opcode, Bytes payload) {
    Mem& mem = server.mem;
    void* const room = mem_alloc(mem, Purpose::kSend, sizeof(wsd_prepared));
    if (!room) return nullptr;
    const size_t header_size = ws::frame_header_size(payload.len);
    const size_t size = header_size + payload.len;
    net::SharedBlock* const block = block_for(server, size);
    if (!block) {
        mem_free(mem, Purpose::kSend, room, sizeof(wsd_prepared));
        return nullptr;
    }
    (void)ws::write_frame_header(block->data(), opcode, true, 0, payload.len);
    if (payload.len) std::memcpy(block->data() + header_size, payload.p, payload.len);
    return new (room) wsd_prepared{&mem, block, size, header_size, opcode, {}, {}};
}

void prepared_free(wsd_prepared* prepared) {
    net::block_release(prepared->block);
    for (net::SharedBlock* const block : prepared->deflated) net::block_release(block);
    mem_free(*prepared->mem, Purpose::kSend, prepared, sizeof(wsd_prepared));
}

Bytes prepared_payload(const wsd_prepared& prepared) {
    return drop({prepared.block->data(), prepared.size}, prepared.header_size);
}

void prepared_choose(Outgoing& frame) {
    const wsd_prepared& prepared = *frame.prepared;
    frame.payload = {prepared.block->data(), prepared.size};
    frame.framed = true;
    frame.block = prepared.block;
}

net::SharedBlock* prepared_deflated(Server& server, wsd_prepared& prepared, uint8_t window_bits) {
    const Bytes payload = prepared_payload(prepared);
    if (payload.len < 2) return nullptr;
    // No reference spans more than the message, so one form serves every window that is as large.
    uint8_t bits = ws::kWindowBitsMin;
    while (bits < window_bits && payload.len > size_t(1) << bits) bits++;
    const size_t window = bits - ws::kWindowBitsMin;
    net::SharedBlock*& deflated = prepared.deflated[window];
    if (!prepared.tried[window]) {
        prepared.tried[window] = deflate_frame(server, prepared.opcode, payload, bits, &deflated);
    }
    return deflated;
}

}  // namespace wsd::server
