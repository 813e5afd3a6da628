// What one client may take of the server: connections and new connections of an address, messages of a connection,
// and time for a request's head. It judges and counts; what follows from a refusal is its callers'. With
// wsd_config.limits_dry_run nothing is refused, and what would have been is counted all the same.
#pragma once

#include "http/head_scan.h"
#include "net/timer_wheel.h"
#include "server/conn.h"
#include "server/ip_table.h"

namespace wsd::server {

struct ClientLimits {
    Rate connects;
    Rate messages;
    bool by_address = false;  // a limit of connections or of new ones is set
    IpTable table;
    size_t idle_count = 0;  // addresses without a connection, kept until their bucket is full
    net::Timer sweep;       // armed while there are some
    Server* server = nullptr;
};

// False, with errno, if the system gives no random bytes.
[[nodiscard]] bool limits_open(Server& server);
void limits_close(Server& server);

// Takes over the limits of server.config. What has been taken before counts on, at the new rates.
void limits_apply(Server& server);

// Whose a new connection is.
struct Visitor {
    IpKey key = 0;
    bool counted = false;  // false: it has no address, or is a trusted proxy, whose clients are counted instead
};

Visitor limits_visitor(const Server& server, const Peer& client);

enum class Admission : uint8_t {
    kYes,
    kTooMany,  // connections of this address
    kTooFast,  // new ones
    kNoRoom,   // to remember one more address
};

// What to answer to a client that is not admitted.
http::Refusal limits_refusal(const Server& server, Admission admission);

// Counts a connection of an address in; what is not refused must be counted out by limits_leave().
[[nodiscard]] Admission limits_enter(Server& server, Visitor visitor);
void limits_leave(Server& server, IpKey key);

// Notes with the connection whose it is, and fills its message bucket. False when memory is refused: nothing is noted.
[[nodiscard]] bool limits_attach(Conn& conn, Visitor visitor);

// The client of a connection has become known, or is another one now: counts it in for that one and out for whom it was
// counted before. A refusal changes nothing.
[[nodiscard]] Admission limits_recount(Conn& conn, const Peer& client);

// A message begins on a connection that has an Extra. False: it may not be used now, as the connection has ended for
// it, or is held until the rate allows it.
[[nodiscard]] bool limits_take_message(Conn& conn);

// Are its messages counted? Then one read takes little: what it may not use yet would wait in memory.
bool limits_meters(const Conn& conn);

// When a request that is arriving will have been too slow, if no more of it comes by then.
uint64_t limits_slow_head_ms(const Conn& conn);

// That time has come: ends the request, or only counts it.
void limits_slow_head(Conn& conn);

}  // namespace wsd::server
