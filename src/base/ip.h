// Addresses of hosts as bytes, and who is at the other end of a connection: what the codecs that read addresses and the
// sockets that have them agree on. No socket and no resolver is here.
#pragma once

#include "base/bytes.h"

namespace wsd {

// IPv6 in network order; IPv4 mapped into it, ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so that there is one way to compare.
struct Ip {
    uint8_t bytes[16] = {};
};

constexpr unsigned kIpBits = 128;
constexpr unsigned kMappedBits = 96;  // of the prefix that IPv4 is mapped behind

enum class PeerKind : uint8_t {
    kNone,  // not known
    kIp,
    kUnix,  // a unix socket, which has no address worth telling
};

struct Peer {
    Ip ip;
    uint16_t port = 0;  // 0: not known
    PeerKind kind = PeerKind::kNone;
};

inline bool equal(const Ip& a, const Ip& b) { return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0; }

bool is_v4(const Ip& ip);

// Of the four bytes at `p`, in network order.
Ip ip_of_v4(const uint8_t* p);

// Reads "192.0.2.1" or "2001:db8::1", neither brackets nor zone; false for anything else.
[[nodiscard]] bool parse_ip(Bytes text, Ip* ip);

}  // namespace wsd
