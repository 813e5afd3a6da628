#include "server/prepared.h"

#include <new>

#include "server/compression.h"

namespace wsd::server {

wsd_prepared* prepared_new(Mem& mem, ws::Opcode opcode, Bytes payload) {
    void* const room = mem_alloc(mem, Purpose::kSend, sizeof(wsd_prepared));
    if (!room) return nullptr;
    const size_t header_size = ws::frame_header_size(payload.len);
    net::SharedBlock* const frame = net::block_new(mem, Purpose::kSend, header_size + payload.len);
    if (!frame) {
        mem_free(mem, Purpose::kSend, room, sizeof(wsd_prepared));
        return nullptr;
    }
    (void)ws::write_frame_header(frame->data(), opcode, true, 0, payload.len);
    if (payload.len) std::memcpy(frame->data() + header_size, payload.p, payload.len);
    return new (room) wsd_prepared{&mem, frame, header_size, opcode, {}, {}};
}

void prepared_free(wsd_prepared* prepared) {
    net::block_release(prepared->frame);
    for (net::SharedBlock* const block : prepared->deflated) net::block_release(block);
    mem_free(*prepared->mem, Purpose::kSend, prepared, sizeof(wsd_prepared));
}

Bytes prepared_payload(const wsd_prepared& prepared) {
    return drop({prepared.frame->data(), prepared.frame->capacity}, prepared.header_size);
}

void prepared_choose(Outgoing& frame) {
    net::SharedBlock* const block = frame.prepared->frame;
    frame.payload = {block->data(), block->capacity};
    frame.framed = true;
    frame.block = block;
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
