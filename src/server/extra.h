// What only some connections have, so that the slot of the others stays small.
#pragma once

#include "net/timer_wheel.h"
#include "server/conn.h"
#include "server/ip_table.h"

namespace wsd::server {

struct Extra {
    char* subprotocol = nullptr;  // owned, NUL-terminated; null: none
    IpKey ip_key = 0;             // of the peer, if it is counted
    bool ip_counted = false;      // in the table, until extra_free()
    Bucket messages;
    uint64_t ready_ms = net::kTimerNever;  // held back for the message rate until then; never: it is not
};

// The connection's, made if need be; null when memory is refused.
[[nodiscard]] Extra* extra_of(Conn& conn);

bool extra_set_subprotocol(Conn& conn, Bytes name);
void extra_drop_subprotocol(Conn& conn);

// All of it, and what stands elsewhere for it. Null is allowed.
void extra_free(Conn& conn);

}  // namespace wsd::server
