// What only some connections have, kept out of the slot that every connection pays for.
#pragma once

#include "base/ip.h"
#include "net/timer_wheel.h"
#include "server/conn.h"
#include "server/ip_table.h"

namespace wsd::server {

struct Session;  // session.h

struct Extra {
    char* subprotocol = nullptr;      // owned, NUL-terminated; null: none
    List subscriptions;               // Subscription::of_conn
    uint32_t subscription_count = 0;  // in that list
    Session* session = nullptr;       // the one it is attached to
    ListNode of_session;              // in session->extras
    Conn* conn = nullptr;             // whose it is
    Peer announced;                   // the client, from a PROXY header; kNone without one
    Peer forwarded;                   // and from the headers of the latest request; counts more
    IpKey ip_key = 0;                 // of the client, if it is counted
    bool ip_counted = false;          // in the table, until extra_end()
    bool metered = false;             // its messages count against message_per_s, as they did when it came
    Bucket messages;
    uint64_t ready_ms = net::kTimerNever;  // held back for the message rate until then; never: it is not
};

// The connection's, made where there is none. Null when memory is refused.
[[nodiscard]] Extra* extra_get(Conn& conn);

// Gives it back if it holds nothing any more.
void extra_settle(Conn& conn);

[[nodiscard]] bool extra_set_subprotocol(Conn& conn, Bytes name);
void extra_drop_subprotocol(Conn& conn);

// The connection is over: everything in it goes.
void extra_end(Conn& conn);

inline const char* subprotocol_of(const Conn& conn) { return conn.extra ? conn.extra->subprotocol : nullptr; }

}  // namespace wsd::server
