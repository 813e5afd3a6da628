// Ranges of addresses, as an operator lists them: "10.0.0.0/8, 2001:db8::/32, 192.0.2.7, unix:". Parsing says what is
// wrong; matching is a comparison of bits.
#pragma once

#include "base/ip.h"

namespace wsd::net {

struct Cidr {
    Ip ip;
    uint8_t bits = 0;  // 0-128; what IPv4's text calls /8 is 104 here, as its addresses are mapped
};

// `items` is the owner's to free.
struct CidrList {
    Cidr* items = nullptr;
    size_t count = 0;
    bool unix_peers = false;  // "unix:" is listed
};

// Reads one range; an address alone is a range of one. IPv4 is also what is mapped: ::ffff:10.0.0.0/104 is 10.0.0.0/8,
// and ::/0 is every address there is. Null, or a static English text of what is wrong; a range that has bits behind its
// prefix is, as nobody can tell which of the two was meant.
[[nodiscard]] const char* parse_cidr(Bytes text, Cidr* cidr);

// Reads a comma-separated list of ranges and "unix:"; empty items are passed over. `list->items` has room for all, or
// is null: then they are only judged and counted. Null, or as parse_cidr().
[[nodiscard]] const char* parse_cidr_list(Bytes text, CidrList* list);

bool cidr_has(const Cidr& cidr, const Ip& ip);

// Is the peer in one of the ranges? One that is not known never is.
bool cidr_list_has(const CidrList& list, const Peer& peer);

}  // namespace wsd::net
