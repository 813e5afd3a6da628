#include "http/origin.h"

#include "base/text.h"
#include "http/authority.h"
#include "http/grammar.h"

namespace wsd::http {
namespace {

// scheme://host:port, in parts.
struct Origin {
    Bytes scheme;        // empty in a pattern that leaves it open: http or https
    Bytes host;          // an IPv6 address with its brackets
    uint16_t port = 0;   // 0: none given, and the scheme has no default
    bool below = false;  // a pattern's "*.": host is what names must end in
};

// Finds "://"; text.len if there is none.
size_t find_scheme_end(Bytes text) {
    const size_t colon = find_byte(text, ':');
    return text.len - colon >= 3 && equal(take(drop(text, colon), 3), bytes_of("://")) ? colon : text.len;
}

// ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), RFC 3986 §3.1.
bool is_scheme(Bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = to_lower(text.p[i]);
        const bool letter = c >= 'a' && c <= 'z';
        const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && !(other && i > 0)) return false;
    }
    return text.len > 0;
}

bool is_http(Bytes scheme) { return equal_ignoring_case(scheme, "http"); }
bool is_https(Bytes scheme) { return equal_ignoring_case(scheme, "https"); }

uint16_t default_port(Bytes scheme) { return is_https(scheme) ? 443 : is_http(scheme) ? 80 : 0; }

// The part of an authority in front of its port.
Bytes host_of(Bytes authority) {
    if (authority.p[0] == '[') return take(authority, find_byte(authority, ']') + 1);
    return take(authority, find_byte(authority, ':'));
}

// Null, or what is wrong.
const char* parse_host_and_port(Bytes authority, Origin* origin) {
    uint16_t port = 0;
    if (!parse_authority(authority, &port)) return "an origin has no host, or more than host and port";
    origin->host = host_of(authority);
    const bool given = origin->host.len < authority.len;
    if (given && port == 0) return "an origin's port is not 1-65535";
    if (find_byte(origin->host, '*') < origin->host.len) return "an origin has a * that is not its whole first label";
    origin->port = given ? port : default_port(origin->scheme);
    return nullptr;
}

const char* parse_origin(Bytes text, Origin* origin) {
    const size_t scheme_len = find_scheme_end(text);
    *origin = {};
    origin->scheme = take(text, scheme_len);
    if (scheme_len == text.len || !is_scheme(origin->scheme)) return "an origin's scheme is malformed";
    return parse_host_and_port(drop(text, scheme_len + 3), origin);
}

const char* parse_pattern(Bytes text, Origin* pattern) {
    *pattern = {};
    const size_t scheme_len = find_scheme_end(text);
    Bytes authority = text;
    if (scheme_len < text.len) {
        pattern->scheme = take(text, scheme_len);
        if (!is_scheme(pattern->scheme)) return "an origin's scheme is malformed";
        authority = drop(text, scheme_len + 3);
    }
    pattern->below = authority.len > 2 && authority.p[0] == '*' && authority.p[1] == '.';
    return parse_host_and_port(pattern->below ? drop(authority, 2) : authority, pattern);
}

bool host_matches(const Origin& pattern, Bytes host) {
    if (!pattern.below) return equal_ignoring_case(pattern.host, host);
    // At least one byte of a label, then a dot, then the name: a name that only ends alike is somebody else's.
    if (host.len < pattern.host.len + 2) return false;
    const size_t label_len = host.len - pattern.host.len - 1;
    return host.p[label_len] == '.' && equal_ignoring_case(pattern.host, drop(host, label_len + 1));
}

bool matches(const Origin& pattern, const Origin& origin) {
    uint16_t port = pattern.port;
    if (pattern.scheme.len) {
        if (!equal_ignoring_case(pattern.scheme, origin.scheme)) return false;
    } else {
        if (!is_http(origin.scheme) && !is_https(origin.scheme)) return false;
        if (port == 0) port = default_port(origin.scheme);
    }
    return port == origin.port && host_matches(pattern, origin.host);
}

const Bytes kNull = {reinterpret_cast<const uint8_t*>("null"), 4};  // case-sensitive, RFC 6454 §6.1

}  // namespace

const char* origin_list_fault(Bytes list) {
    for (Bytes item; next_item(&list, &item);) {
        Origin pattern;
        if (equal(item, kNull)) continue;
        if (const char* const why = parse_pattern(item, &pattern)) return why;
    }
    return nullptr;
}

bool origin_allowed(Bytes list, Bytes origin) {
    Origin asked;
    const bool null = equal(origin, kNull);
    if (!null && parse_origin(origin, &asked)) return false;
    for (Bytes item; next_item(&list, &item);) {
        Origin pattern;
        if (null || equal(item, kNull)) {
            if (equal(item, origin)) return true;
        } else if (!parse_pattern(item, &pattern) && matches(pattern, asked)) {
            return true;
        }
    }
    return false;
}

}  // namespace wsd::http
