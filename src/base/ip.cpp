#include "base/ip.h"

#include <arpa/inet.h>

namespace wsd {
namespace {

constexpr uint8_t kMapped[kMappedBits / 8] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool is_v4(const Ip& ip) { return std::memcmp(ip.bytes, kMapped, sizeof kMapped) == 0; }

Ip ip_of_v4(const uint8_t* p) {
    Ip ip;
    std::memcpy(ip.bytes, kMapped, sizeof kMapped);
    std::memcpy(ip.bytes + sizeof kMapped, p, 4);
    return ip;
}

bool parse_ip(Bytes text, Ip* ip) {
    char copy[INET6_ADDRSTRLEN];
    // A NUL inside would end the copy early and hide what stands behind it.
    if (text.len == 0 || text.len >= sizeof copy || std::memchr(text.p, '\0', text.len)) return false;
    std::memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    uint8_t v4[4];
    if (inet_pton(AF_INET, copy, v4) == 1) {
        *ip = ip_of_v4(v4);
        return true;
    }
    return inet_pton(AF_INET6, copy, ip->bytes) == 1;
}

}  // namespace wsd
