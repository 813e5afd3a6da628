#include "http/authority.h"

#include <arpa/inet.h>

#include "http/grammar.h"

namespace wsd::http {
namespace {

bool is_hex_digit(uint8_t c) { return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); }

// The length of the "[address]" that `text` begins with, or 0.
size_t ipv6_length(Bytes text) {
    const size_t close = find_byte(text, ']');
    char address[INET6_ADDRSTRLEN];
    if (close == text.len || close > sizeof(address)) return 0;
    std::memcpy(address, text.p + 1, close - 1);
    address[close - 1] = '\0';
    in6_addr parsed;
    return inet_pton(AF_INET6, address, &parsed) == 1 ? close + 1 : 0;
}

// The length of the registered name or IPv4 address that `text` begins with (RFC 3986 §3.2.2).
size_t name_length(Bytes text) {
    size_t n = 0;
    for (;;) {
        n += run_length(drop(text, n), kHostByte);
        const bool escaped =
            text.len - n >= 3 && text.p[n] == '%' && is_hex_digit(text.p[n + 1]) && is_hex_digit(text.p[n + 2]);
        if (!escaped) return n;
        n += 3;
    }
}

}  // namespace

bool parse_authority(Bytes text, uint16_t* port) {
    *port = 0;
    if (text.len == 0) return false;
    const size_t host_len = text.p[0] == '[' ? ipv6_length(text) : name_length(text);
    if (host_len == 0 || host_len == text.len) return host_len > 0;
    if (text.p[host_len] != ':') return false;
    const Bytes digits = drop(text, host_len + 1);
    if (digits.len == 0) return true;
    uint64_t number = 0;
    if (!parse_decimal(digits, &number) || number > UINT16_MAX) return false;
    *port = uint16_t(number);
    return true;
}

}  // namespace wsd::http
