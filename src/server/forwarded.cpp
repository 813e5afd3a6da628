// The headers in which HTTP proxies tell of their clients, read for one answer: which entry is the client.
#include "base/text.h"
#include "http/grammar.h"
#include "server/client.h"

namespace wsd::server {
namespace {

// The port of a node: a number, or a name that hides it (RFC 7239 §6.2), which is as good as none.
bool read_port(Bytes text, Peer* peer) {
    uint32_t port = 0;
    if (text.len > 1 && text.p[0] == '_') return true;
    if (!parse_number(text, UINT16_MAX, &port)) return false;
    peer->port = uint16_t(port);
    return true;
}

// An address with or without a port; `bare_v6` where IPv6 may stand without brackets. kNone for "unknown", for hidden
// names, and for what is nothing at all: a proxy that writes it does not tell.
Peer read_node(Bytes text, bool bare_v6) {
    if (equal(text, bytes_of("unix:"))) return {.ip = {}, .port = 0, .kind = PeerKind::kUnix};
    Peer peer;
    Bytes host = text, port;
    const size_t colon = find_byte(text, ':');
    if (text.len && text.p[0] == '[') {
        const size_t close = find_byte(text, ']');
        if (close == text.len || colon > close) return {};  // in brackets stands IPv6
        host = take(drop(text, 1), close - 1);
        port = drop(text, close + 1);
    } else if (colon < text.len) {
        const Bytes behind = drop(text, colon + 1);
        const bool one_colon = find_byte(behind, ':') == behind.len;
        if (one_colon || !bare_v6) {
            host = take(text, colon);
            port = drop(text, colon);
        }
    }
    if (!parse_ip(host, &peer.ip)) return {};
    if (port.len && (port.p[0] != ':' || !read_port(drop(port, 1), &peer))) return {};
    peer.kind = PeerKind::kIp;
    return peer;
}

// Takes a quoted string (RFC 9110 §5.6.4) off `rest`, which begins with its quote. One with an escape in it is no node.
bool take_quoted(Bytes* rest, Bytes* value) {
    size_t n = 1;
    bool escaped = false;
    for (; n < rest->len && rest->p[n] != '"'; n++) {
        if (rest->p[n] != '\\') continue;
        escaped = true;
        n++;
    }
    if (n >= rest->len) return false;
    *value = escaped ? Bytes{} : Bytes{rest->p + 1, n - 1};
    *rest = drop(*rest, n + 1);
    return true;
}

// Takes the value of a pair off `rest`. False for one that is neither a token nor a whole quoted string.
bool take_value(Bytes* rest, Bytes* value) {
    if (rest->len && rest->p[0] == '"') return take_quoted(rest, value);
    *value = take(*rest, http::run_length(*rest, http::kTokenByte));
    *rest = drop(*rest, value->len);
    return value->len > 0;
}

// Reads one element of Forwarded: name=value pairs between semicolons. Blanks around those are in the wild, and leave
// no doubt. False for what is not of that grammar.
bool read_element(Bytes rest, Peer* node) {
    *node = {};
    bool seen = false;
    while (rest.len) {
        const Bytes name = take(rest, http::run_length(rest, http::kTokenByte));
        Bytes value;
        if (name.len) {
            if (name.len == rest.len || rest.p[name.len] != '=') return false;
            rest = drop(rest, name.len + 1);
            if (!take_value(&rest, &value)) return false;
        }
        if (equal_ignoring_case(name, "for")) {
            if (seen) return false;  // RFC 7239 §4: once in an element
            seen = true;
            *node = read_node(value, false);
        }
        rest = trim_blanks(rest);
        if (rest.len == 0) return true;
        if (rest.p[0] != ';') return false;
        rest = trim_blanks(drop(rest, 1));
    }
    return true;
}

// Entries come from left to right: whoever is not a trusted proxy begins the answer anew, and of the proxies behind one
// that does not tell, the first is the nearest that is known.
void consider(const Peer& node, const net::CidrList& trusted, Peer* client) {
    if (!net::cidr_list_has(trusted, node) || client->kind == PeerKind::kNone) *client = node;
}

}  // namespace

bool read_forwarded(Bytes head, const http::Request& request, wsd_forwarded which, const net::CidrList& trusted,
                    Peer* client) {
    *client = {};
    const bool standard = which == WSD_FORWARDED;
    size_t from = 0;
    while (const http::Header* const header =
               http::find_header(head, request, standard ? "Forwarded" : "X-Forwarded-For", &from)) {
        Bytes list = http::slice(head, header->value);
        Peer node;
        if (standard) {
            for (Bytes element; http::next_element(&list, &element); consider(node, trusted, client)) {
                if (!read_element(element, &node)) return false;
            }
        } else {
            // No quotes here: one that a client opens must not swallow what the proxy appends.
            for (Bytes item; next_item(&list, &item);) consider(read_node(item, true), trusted, client);
        }
    }
    return true;
}

}  // namespace wsd::server
