#include "ws/client_handshake.h"

#include "http/header.h"
#include "http/text_out.h"
#include "ws/extension.h"
#include "ws/handshake.h"

namespace wsd::ws {
namespace {

// Measures when `out` is null.
size_t put_request(const ClientRequest& request, uint8_t* out) {
    http::TextOut text{out};
    put(&text, "GET ");
    put(&text, request.target);
    put(&text, " HTTP/1.1\r\nHost: ");
    put(&text, request.host);
    put(&text, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    put(&text, request.key);
    if (request.subprotocols) {
        put(&text, "\r\nSec-WebSocket-Protocol: ");
        put(&text, request.subprotocols);
    }
    if (request.extensions) {
        put(&text, "\r\nSec-WebSocket-Extensions: ");
        put(&text, request.extensions);
    }
    put(&text, "\r\n\r\n");
    return text.len;
}

// What a 101 has to say to open the connection (§4.1, the client's checks 2 to 4).
struct Opening {
    bool upgrade = false;
    bool connection = false;
    bool accept = false;
};

// Is it one extension, the one that was offered?
bool extension_ok(Bytes value, const char* offered) {
    Bytes name;
    return offered && extension_is_clean(value) && read_extension_name(&value, &name) && equal(name, bytes_of(offered));
}

// Takes one header of the answer; false when it alone makes the answer a wrong one.
bool note_header(Bytes name, Bytes value, Bytes accept, Opening* opening) {
    if (equal_ignoring_case(name, "upgrade")) {
        opening->upgrade = true;
        return equal_ignoring_case(value, "websocket");
    }
    if (equal_ignoring_case(name, "connection")) opening->connection |= http::list_has(value, "upgrade");
    if (equal_ignoring_case(name, "sec-websocket-accept")) {
        const bool repeated = opening->accept;  // §11.3.3
        opening->accept = true;
        return !repeated && equal(value, accept);
    }
    return true;
}

}  // namespace

size_t write_client_request(const ClientRequest& request, uint8_t* out, size_t size) {
    const size_t needed = put_request(request, nullptr);
    return needed <= size ? put_request(request, out) : 0;
}

bool check_client_response(Bytes head, const char* key, const char* offered) {
    const Bytes switching = bytes_of("HTTP/1.1 101 ");
    const Bytes line = http::line_at(head, 0);
    if (line.len < switching.len || !equal(take(line, switching.len), switching)) return false;
    uint8_t accept[kAcceptSize];
    accept_value(bytes_of(key), reinterpret_cast<char*>(accept));
    Opening opening;
    size_t at = line.len + 2;
    for (;;) {
        http::Header header;
        const http::HeaderLine read = http::read_header_line(head, &at, &header);
        if (read == http::HeaderLine::kEnd) return opening.upgrade && opening.connection && opening.accept;
        if (read == http::HeaderLine::kMalformed) return false;
        const Bytes name = http::slice(head, header.name), value = http::slice(head, header.value);
        if (equal_ignoring_case(name, "sec-websocket-extensions") && !extension_ok(value, offered)) return false;
        if (!note_header(name, value, {accept, kAcceptSize}, &opening)) return false;
    }
}

}  // namespace wsd::ws
