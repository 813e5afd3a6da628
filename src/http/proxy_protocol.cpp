#include "http/proxy_protocol.h"

#include "base/text.h"

namespace wsd::http {
namespace {

// --------------------------------------------------------------------------------------------------------- version 1
//
//     PROXY TCP4 192.0.2.1 198.51.100.1 5000 443\r\n

constexpr uint8_t kLineSignature[] = {'P', 'R', 'O', 'X', 'Y', ' '};
constexpr size_t kCrLf = 2;

// Takes the first word off `line`, with the space behind it. Empty if there is none, or not exactly one space.
Bytes take_word(Bytes* line) {
    const size_t n = find_byte(*line, ' ');
    const Bytes word = take(*line, n);
    *line = drop(*line, n < line->len ? n + 1 : n);
    return word;
}

bool read_address(Bytes word, bool v4, Peer* peer) {
    // Mapped addresses are TCP6's to write; what else has no colon is IPv4's.
    const bool has_colon = find_byte(word, ':') < word.len;
    if (has_colon == v4 || !parse_ip(word, &peer->ip)) return false;
    peer->kind = PeerKind::kIp;
    return true;
}

bool read_port(Bytes word, Peer* peer) {
    uint32_t port = 0;
    if (!parse_number(word, UINT16_MAX, &port)) return false;
    peer->port = uint16_t(port);
    return true;
}

// What stands between the signature and the CRLF.
bool read_line(Bytes line, ProxyHeader* header) {
    const Bytes family = take_word(&line);
    if (equal(family, bytes_of("UNKNOWN"))) return true;  // whatever follows it is to be ignored
    const bool v4 = equal(family, bytes_of("TCP4"));
    if (!v4 && !equal(family, bytes_of("TCP6"))) return false;
    if (!read_address(take_word(&line), v4, &header->source)) return false;
    if (!read_address(take_word(&line), v4, &header->destination)) return false;
    if (!read_port(take_word(&line), &header->source)) return false;
    return read_port(line, &header->destination);  // all that is left, so that nothing may follow it
}

ProxyRead read_version_1(Bytes in, ProxyHeader* header) {
    size_t n = sizeof kLineSignature;
    while (n < in.len && n < kProxyLineMax - kCrLf && in.p[n] >= ' ' && in.p[n] <= '~') n++;
    if (n == in.len) return ProxyRead::kNeedMore;
    if (in.p[n] != '\r') return ProxyRead::kMalformed;
    if (n + 1 == in.len) return ProxyRead::kNeedMore;
    if (in.p[n + 1] != '\n') return ProxyRead::kMalformed;
    header->size = n + kCrLf;
    return read_line(drop(take(in, n), sizeof kLineSignature), header) ? ProxyRead::kDone : ProxyRead::kMalformed;
}

// --------------------------------------------------------------------------------------------------------- version 2
//
//     signature (12) | version, command (1) | family, transport (1) | length (2) | addresses, TLVs (length)

constexpr uint8_t kBinarySignature[] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
constexpr size_t kCommandAt = sizeof kBinarySignature;
constexpr size_t kFamilyAt = kCommandAt + 1;
constexpr size_t kLengthAt = kFamilyAt + 1;
constexpr size_t kAddressesAt = kLengthAt + 2;

constexpr uint8_t kLocal = 0x20;  // version 2 in the high half
constexpr uint8_t kProxy = 0x21;

constexpr size_t kNoFamily = SIZE_MAX;

// The bytes of both addresses and ports, by the high half of the family byte; its low half is 1 for a stream, and 2 for
// datagrams, in which a client of HTTP/3 comes to the proxy.
size_t addresses_size(uint8_t family) {
    switch (family) {
        case 0x00: return 0;
        case 0x11:
        case 0x12: return 2 * 4 + 2 * 2;
        case 0x21:
        case 0x22: return 2 * 16 + 2 * 2;
        case 0x31:
        case 0x32: return size_t(2) * 108;
        default: return kNoFamily;
    }
}

Peer peer_at(const uint8_t* address, const uint8_t* port, bool v4) {
    Peer peer;
    if (v4) {
        peer.ip = ip_of_v4(address);
    } else {
        std::memcpy(peer.ip.bytes, address, sizeof peer.ip.bytes);
    }
    peer.port = load_be16(port);
    peer.kind = PeerKind::kIp;
    return peer;
}

void read_addresses(uint8_t family, const uint8_t* p, ProxyHeader* header) {
    if (family >> 4 == 3) {
        header->source.kind = header->destination.kind = PeerKind::kUnix;
    } else if (family) {
        const bool v4 = family >> 4 == 1;
        const size_t width = v4 ? 4 : 16;
        const uint8_t* const ports = p + 2 * width;
        header->source = peer_at(p, ports, v4);
        header->destination = peer_at(p + width, ports + 2, v4);
    }
}

ProxyRead read_version_2(Bytes in, ProxyHeader* header) {
    if (in.len <= kCommandAt) return ProxyRead::kNeedMore;
    const uint8_t command = in.p[kCommandAt];
    if (command != kLocal && command != kProxy) return ProxyRead::kMalformed;
    if (in.len <= kFamilyAt) return ProxyRead::kNeedMore;
    // A proxy that speaks for itself has nobody's address to tell, whatever family it names.
    const uint8_t family = command == kLocal ? 0 : in.p[kFamilyAt];
    if (addresses_size(family) == kNoFamily) return ProxyRead::kMalformed;
    if (in.len < kAddressesAt) return ProxyRead::kNeedMore;
    const size_t len = load_be16(in.p + kLengthAt);
    if (len < addresses_size(family) || kAddressesAt + len > kProxyHeaderMax) return ProxyRead::kMalformed;
    if (in.len < kAddressesAt + len) return ProxyRead::kNeedMore;
    header->size = kAddressesAt + len;
    read_addresses(family, in.p + kAddressesAt, header);
    return ProxyRead::kDone;
}

// How the input compares with a signature: the whole of it, its beginning, or something else.
ProxyRead compare(Bytes in, const uint8_t* signature, size_t size) {
    const size_t n = in.len < size ? in.len : size;
    if (n && std::memcmp(in.p, signature, n) != 0) return ProxyRead::kAbsent;
    return n == size ? ProxyRead::kDone : ProxyRead::kNeedMore;
}

}  // namespace

ProxyRead read_proxy_header(Bytes in, ProxyHeader* header) {
    *header = {};
    const ProxyRead line = compare(in, kLineSignature, sizeof kLineSignature);
    if (line == ProxyRead::kDone) return read_version_1(in, header);
    const ProxyRead binary = compare(in, kBinarySignature, sizeof kBinarySignature);
    if (binary == ProxyRead::kDone) return read_version_2(in, header);
    return line == ProxyRead::kNeedMore || binary == ProxyRead::kNeedMore ? ProxyRead::kNeedMore : ProxyRead::kAbsent;
}

}  // namespace wsd::http
