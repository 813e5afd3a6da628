// A message built once, to be sent to many; and deflated at most once for each size of window.
#pragma once

#include "net/shared_block.h"
#include "server/conn.h"
#include "ws/pmd.h"

struct wsd_prepared {
    wsd::Mem* mem;
    wsd::net::SharedBlock* block;  // begins with the frame; held
    size_t size;                   // of the frame: header and payload
    size_t header_size;
    wsd::ws::Opcode opcode;

    static constexpr size_t kWindows = wsd::ws::kWindowBitsMax - wsd::ws::kWindowBitsMin + 1;
    wsd::net::SharedBlock* deflated[kWindows];  // a whole frame, by window bits; held; null: none
    bool tried[kWindows];                       // it was deflated: where there is no frame, it gets no smaller
};

namespace wsd::server {

// Null when memory is refused.
[[nodiscard]] wsd_prepared* prepared_new(Server& server, ws::Opcode opcode, Bytes payload);
void prepared_free(wsd_prepared* prepared);

Bytes prepared_payload(const wsd_prepared& prepared);

// Makes `frame`, which names a prepared message, that message's plain frame.
void prepared_choose(Outgoing& frame);

// The frame with the payload deflated for a window of that size, made when it is first asked for; null if it would not
// be smaller, or memory is refused, which the next to ask may find otherwise.
net::SharedBlock* prepared_deflated(Server& server, wsd_prepared& prepared, uint8_t window_bits);

}  // namespace wsd::server
