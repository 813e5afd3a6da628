// What the daemon remembers of an open connection, behind wsd_user(). A connection that is not logged has none until it
// needs one.
#pragma once

#include <memory>
#include <string>

#include "wsd.h"

namespace app {

// A message that found the queue full.
struct Held {
    wsd_opcode opcode;
    std::string data;
};

struct Client {
    uint64_t opened_ms = 0;  // loop time
    uint64_t messages_in = 0;
    uint64_t messages_out = 0;
    uint64_t bytes_in = 0;  // of payload
    uint64_t bytes_out = 0;
    std::unique_ptr<Held> held;    // most connections never have one
    std::unique_ptr<char[]> peer;  // as wsd_conn_info tells while there is a socket
};

// Null if there is none.
inline Client* client_of(const wsd_server* server, wsd_conn conn) {
    return static_cast<Client*>(wsd_user(server, conn));
}

// The one there is, or a new one. Null for a connection that is gone.
inline Client* client_need(wsd_server* server, wsd_conn conn) {
    if (Client* const there = client_of(server, conn)) return there;
    auto made = std::make_unique<Client>();
    return wsd_set_user(server, conn, made.get()) == WSD_OK ? made.release() : nullptr;
}

inline void count_received(Client* client, size_t len) {
    if (!client) return;
    client->messages_in++;
    client->bytes_in += len;
}

inline void count_sent(Client* client, size_t len) {
    if (!client) return;
    client->messages_out++;
    client->bytes_out += len;
}

inline void client_forget(wsd_server* server, wsd_conn conn) {
    delete client_of(server, conn);
    (void)wsd_set_user(server, conn, nullptr);  // gone either way
}

}  // namespace app
