// Listening sockets: from an address to accepted connections, through the limits that are there before a byte is read.
#pragma once

#include "server/server.h"

namespace wsd::server {

// As wsd_server_listen_with().
int listener_open(Server& server, const char* address, const wsd_listen_options& options);

// Closes listeners and forgets them; what waited in their backlogs is reset by the kernel.
enum class Closing : uint8_t { kAll, kPublic };  // kPublic: those for whoever watches the server stay
void listeners_close(Server& server, Closing which);

// Writes where a listener listens; false if there is none of that number.
bool listener_address(const Server& server, int number, char* text, size_t size);

// net::Timer::fired of Server::accept_retry.
void listeners_retry(net::Timer* timer);

}  // namespace wsd::server
