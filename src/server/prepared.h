// A message built once, to be sent to many.
#pragma once

#include "net/shared_block.h"
#include "ws/frame.h"
#include "wsd.h"

struct wsd_prepared {
    wsd::Mem* mem;
    wsd::net::SharedBlock* frame;  // header and payload, and nothing else; held
    wsd::ws::Opcode opcode;
};

namespace wsd::server {

// Null when memory is refused.
[[nodiscard]] wsd_prepared* prepared_new(Mem& mem, ws::Opcode opcode, Bytes payload);
void prepared_free(wsd_prepared* prepared);

}  // namespace wsd::server
