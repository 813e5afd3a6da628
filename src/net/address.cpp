#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstdlib>

namespace wsd::net {
namespace {

// Appends to a fixed buffer what fits, always NUL-terminated.
struct Text {
    char* p;
    size_t room;

    void add(const char* s) {
        while (*s && room > 1) {
            *p++ = *s++;
            room--;
        }
        if (room) *p = '\0';
    }

    void add_number(unsigned n) {
        char digits[12];
        size_t at = sizeof digits - 1;
        digits[at] = '\0';
        do {
            digits[--at] = char('0' + n % 10);
            n /= 10;
        } while (n);
        add(digits + at);
    }
};

// Decimal digits only, no sign and no white space, at most `max`.
bool parse_number(const char* text, unsigned max, unsigned* out) {
    unsigned n = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        n = n * 10 + unsigned(*text - '0');
        if (n > max) return false;
    }
    *out = n;
    return true;
}

bool parse_unix(const char* path, Address* address) {
    sockaddr_un un = {};
    const size_t len = std::strlen(path);
    if (len == 0 || len >= sizeof un.sun_path) return false;
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, path, len);
    std::memcpy(&address->storage, &un, sizeof un);
    address->len = socklen_t(offsetof(sockaddr_un, sun_path) + len + 1);
    return true;
}

void set_v4(Address* address, in_addr host, unsigned port) {
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = htons(uint16_t(port));
    in.sin_addr = host;
    std::memcpy(&address->storage, &in, sizeof in);
    address->len = sizeof in;
}

void set_v6(Address* address, const in6_addr& host, unsigned port) {
    sockaddr_in6 in = {};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(uint16_t(port));
    in.sin6_addr = host;
    std::memcpy(&address->storage, &in, sizeof in);
    address->len = sizeof in;
}

}  // namespace

bool parse_address(const char* text, Address* address) {
    *address = {};
    if (std::strncmp(text, "unix:", 5) == 0) return parse_unix(text + 5, address);
    unsigned number = 0;
    if (std::strncmp(text, "fd:", 3) == 0) {
        if (!parse_number(text + 3, 1u << 20, &number)) return false;
        address->inherited_fd = int(number);
        return true;
    }

    const char* const colon = std::strrchr(text, ':');
    if (!colon || !parse_number(colon + 1, 65535, &number)) return false;
    char host[INET6_ADDRSTRLEN + 2];
    const size_t host_len = size_t(colon - text);
    if (host_len >= sizeof host) return false;
    std::memcpy(host, text, host_len);
    host[host_len] = '\0';

    if (host_len == 0 || std::strcmp(host, "*") == 0) {
        set_v6(address, in6addr_any, number);
        address->dual_stack = true;
        return true;
    }
    if (host[0] == '[' && host[host_len - 1] == ']') {
        host[host_len - 1] = '\0';
        in6_addr v6;
        if (inet_pton(AF_INET6, host + 1, &v6) != 1) return false;
        set_v6(address, v6, number);
        return true;
    }
    in_addr v4;
    if (inet_pton(AF_INET, std::strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4) != 1) return false;
    set_v4(address, v4, number);
    return true;
}

Peer peer_of(const sockaddr_storage& storage) {
    Peer peer;
    if (storage.ss_family == AF_INET) {
        sockaddr_in in;
        std::memcpy(&in, &storage, sizeof in);
        peer.ip = ip_of_v4(reinterpret_cast<const uint8_t*>(&in.sin_addr));
        peer.port = ntohs(in.sin_port);
        peer.kind = PeerKind::kIp;
    } else if (storage.ss_family == AF_INET6) {
        sockaddr_in6 in;
        std::memcpy(&in, &storage, sizeof in);
        std::memcpy(peer.ip.bytes, &in.sin6_addr, sizeof peer.ip.bytes);
        peer.port = ntohs(in.sin6_port);
        peer.kind = PeerKind::kIp;
    } else if (storage.ss_family == AF_UNIX) {
        peer.kind = PeerKind::kUnix;
    }
    return peer;
}

void format_peer(const Peer& peer, char* text, size_t size) {
    if (size == 0) return;
    Text out{text, size};
    *text = '\0';
    if (peer.kind == PeerKind::kUnix) out.add("unix:");
    if (peer.kind != PeerKind::kIp) return;
    char host[INET6_ADDRSTRLEN];
    // A dual-stack socket shows IPv4 peers as ::ffff:1.2.3.4; logs and limits want the address itself.
    if (is_v4(peer.ip)) {
        out.add(inet_ntop(AF_INET, peer.ip.bytes + kMappedBits / 8, host, sizeof host));
    } else {
        out.add("[");
        out.add(inet_ntop(AF_INET6, peer.ip.bytes, host, sizeof host));
        out.add("]");
    }
    out.add(":");
    out.add_number(peer.port);
}

void format_address(const sockaddr_storage& storage, socklen_t len, char* text, size_t size) {
    if (storage.ss_family != AF_UNIX) return format_peer(peer_of(storage), text, size);
    if (size == 0) return;
    sockaddr_un un = {};
    std::memcpy(&un, &storage, len < sizeof un ? len : sizeof un - 1);
    Text out{text, size};
    out.add("unix:");
    out.add(un.sun_path);
}

}  // namespace wsd::net
