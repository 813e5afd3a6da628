// What is known of client addresses: an open hash table under a secret key, so that nobody can choose addresses that
// collide. Its size follows what it holds, both ways, up to a bound. It decides nothing.
#pragma once

#include "base/ip.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "server/token_bucket.h"

namespace wsd::server {

// An IPv4 address, or the /64 of an IPv6 one: a site owns a /64 at least, and could come from any address in it.
using IpKey = uint64_t;

struct IpEntry {
    IpKey key;
    Bucket connects;
    uint32_t connection_count;  // of this address, now
    bool taken;                 // false: an empty slot
};

constexpr size_t kIpSlotsMin = 64;
constexpr size_t kIpSlotsMax = size_t(1) << 18;
constexpr size_t kIpEntriesMax = kIpSlotsMax / 4 * 3;  // more than the default for connections in all; 6 MiB

struct IpTable {
    IpEntry* slots = nullptr;  // owned; null while it is empty
    size_t slot_count = 0;     // a power of two, or 0
    size_t count = 0;          // of them taken, at most three quarters
    size_t swept = 0;          // where the next sweep goes on
    HashKey secret;
};

// False for a peer that has no key: of a unix socket, or not known.
[[nodiscard]] bool ip_key_of(const Peer& peer, IpKey* key);

// Draws the secret; false, with errno, if the system gives no random bytes.
[[nodiscard]] bool ip_table_open(IpTable& table);
void ip_table_close(Mem& mem, IpTable& table);

// Null if it is not there. Entries move when others come and go: a pointer is good until then.
IpEntry* ip_table_find(const IpTable& table, IpKey key);

// The entry of `key`, made if need be; null at the bound, or when memory is refused.
[[nodiscard]] IpEntry* ip_table_add(Mem& mem, IpTable& table, IpKey key);

void ip_table_remove(Mem& mem, IpTable& table, IpEntry* entry);

// The rate of new connections has changed.
void ip_table_rerate(IpTable& table, const Rate& from, const Rate& to, uint64_t now_ms);

// Looks at some slots further on, and removes those without a connection whose bucket is full: they say no more than
// no entry would. Returns how many it removed.
size_t ip_table_sweep(Mem& mem, IpTable& table, const Rate& connects, uint64_t now_ms);

}  // namespace wsd::server
