// What only some connections have, kept out of the slot that every connection pays for.
#pragma once

#include "server/conn.h"

namespace wsd::server {

struct Session;  // session.h

struct Extra {
    char* subprotocol = nullptr;      // owned, NUL-terminated; null: none
    List subscriptions;               // Subscription::of_conn
    uint32_t subscription_count = 0;  // in that list
    Session* session = nullptr;       // the one it is attached to
    ListNode of_session;              // in session->extras
    Conn* conn = nullptr;             // whose it is
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
