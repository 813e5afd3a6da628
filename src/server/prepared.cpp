#include "server/prepared.h"

#include <new>

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
    return new (room) wsd_prepared{&mem, frame, opcode};
}

void prepared_free(wsd_prepared* prepared) {
    net::block_release(prepared->frame);
    mem_free(*prepared->mem, Purpose::kSend, prepared, sizeof(wsd_prepared));
}

}  // namespace wsd::server
