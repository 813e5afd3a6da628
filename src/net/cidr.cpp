#include "net/cidr.h"

#include "base/text.h"

namespace wsd::net {
namespace {

// The bits of byte `i` that a prefix of `bits` bits covers.
uint8_t mask_of(size_t i, unsigned bits) {
    if (bits >= (i + 1) * 8) return 0xff;
    if (bits <= i * 8) return 0;
    return uint8_t(0xff00u >> (bits - i * 8));
}

bool ends_with_prefix(const Cidr& cidr) {
    for (size_t i = 0; i < sizeof cidr.ip.bytes; i++) {
        if (cidr.ip.bytes[i] & ~mask_of(i, cidr.bits)) return false;
    }
    return true;
}

}  // namespace

const char* parse_cidr(Bytes text, Cidr* cidr) {
    const Bytes address = take(text, find_byte(text, '/'));
    if (!parse_ip(address, &cidr->ip)) return "an item is no IPv4 or IPv6 address, with or without a prefix length";
    const bool v4 = find_byte(address, ':') == address.len;
    uint32_t bits = v4 ? kIpBits - kMappedBits : kIpBits;
    if (address.len < text.len && !parse_number(drop(text, address.len + 1), bits, &bits)) {
        return v4 ? "a prefix length is not 0-32" : "a prefix length is not 0-128";
    }
    cidr->bits = uint8_t(v4 ? bits + kMappedBits : bits);
    return ends_with_prefix(*cidr) ? nullptr : "an address has bits set behind its prefix";
}

const char* parse_cidr_list(Bytes text, CidrList* list) {
    list->count = 0;
    list->unix_peers = false;
    for (Bytes item; next_item(&text, &item);) {
        if (equal(item, bytes_of("unix:"))) {
            list->unix_peers = true;
            continue;
        }
        Cidr cidr;
        if (const char* const why = parse_cidr(item, &cidr)) return why;
        if (list->items) list->items[list->count] = cidr;
        list->count++;
    }
    return nullptr;
}

bool cidr_has(const Cidr& cidr, const Ip& ip) {
    for (size_t i = 0; i < sizeof ip.bytes; i++) {
        if ((cidr.ip.bytes[i] ^ ip.bytes[i]) & mask_of(i, cidr.bits)) return false;
    }
    return true;
}

bool cidr_list_has(const CidrList& list, const Peer& peer) {
    if (peer.kind != PeerKind::kIp) return peer.kind == PeerKind::kUnix && list.unix_peers;
    for (size_t i = 0; i < list.count; i++) {
        if (cidr_has(list.items[i], peer.ip)) return true;
    }
    return false;
}

}  // namespace wsd::net
