// Whose connection it is: the socket's own peer or, behind proxies that are trusted, the client they tell of, in a
// PROXY header before the first request or in a header of each request.
#pragma once

#include "http/request.h"
#include "net/cidr.h"
#include "server/conn.h"

namespace wsd::server {

// Finds the client in the Forwarded (RFC 7239 §4) or X-Forwarded-For headers of a request, all of that name taken as
// one list. Each proxy appends who came to it, so the list is believed from its right end as far as the proxies in
// `trusted` reach: the client is the last entry that none of them is, or the first where all are. What stands to its
// left anybody can have written.
//   client   kNone: there is no such header, or the proxy does not know or tell who came to it, and is the last one to
//            be known itself
//   returns  false if Forwarded is malformed, so that nobody knows where a client's words end and a proxy's begin
[[nodiscard]] bool read_forwarded(Bytes head, const http::Request& request, wsd_forwarded header,
                                  const net::CidrList& trusted, Peer* client);

// May the peer of a fresh connection tell of another client by a PROXY header?
enum class Announcing : uint8_t {
    kNo,      // none is expected
    kMay,     // one may come, or must, as the listener has it
    kRefuse,  // one must come, and nobody would believe it
};
Announcing client_announcing(const Server& server, const Listener& listener, int fd);

// While conn.proxy_due: uses a PROXY header, or finds that there is none. Returns where it stopped; with conn.proxy_due
// still set, more is needed, or the connection has ended.
uint8_t* client_feed(Conn& conn, uint8_t* p, uint8_t* end);

// Must a PROXY header still come?
bool client_required(const Conn& conn);

// Ends a connection that had to say whose it is, and did not.
void client_refuse(Conn& conn, const char* why);

// Learns the client of the complete request. False if it is to be refused: `refusal` says how.
[[nodiscard]] bool client_learn(Conn& conn, http::Refusal* refusal);

// Who the client is, as far as it is known. `socket_peer` is net::socket_peer() of the connection.
Peer client_of(const Conn& conn, const Peer& socket_peer);

}  // namespace wsd::server
