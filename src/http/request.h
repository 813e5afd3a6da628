// The head of an HTTP/1.x request (RFC 9112 §3-§6), parsed whole into slices of the input once scan_head has found its
// end. Strict where RFC 9112 leaves a choice: whatever two readers could understand differently is refused. It judges
// the message only: what the target names, and who may have it, is not known here, and bodies are not read here.
#pragma once

#include "base/bytes.h"
#include "http/head_scan.h"
#include "http/header.h"

namespace wsd::http {

enum class Framing : uint8_t { kNone, kLength };  // of the body: absent, or content_length bytes

// Plain data; every Slice is relative to the head that was parsed.
struct Request {
    Slice method;
    Slice target;       // as sent: origin form "/a?b", absolute form, "*" or authority form (RFC 9112 §3.2)
    Slice path;         // of origin or absolute form, undecoded and never empty; "*" or authority as sent
    Slice query;        // after the first '?', undecoded; empty when there is none
    Slice authority;    // who is asked: of absolute or authority form, which count more than Host; else Host's value
    uint8_t minor = 1;  // HTTP/1.minor, 0 or 1
    bool keep_alive = true;           // RFC 9112 §9.3: version and Connection options
    bool expect_continue = false;     // RFC 9110 §10.1.1; never in HTTP/1.0
    bool upgrade_websocket = false;   // Upgrade lists "websocket", without a version: §11.2 registers none
    bool connection_upgrade = false;  // Connection lists "upgrade"
    Framing framing = Framing::kNone;
    uint16_t header_count = 0;
    Header* headers = nullptr;  // the caller's array, of at least as many as HeadScan::headers counted
    uint64_t content_length = 0;
};

// Parses a head that scan_head found, filling `request` (whose `headers` the caller has set) with slices of it.
//   kDone     a request that HTTP allows; whether it is a good WebSocket upgrade is not judged here
//   kRefused  400 for a malformed line, method, target, name or value; no Host in 1.1, several or a bad one in any
//             version (RFC 9112 §3.2); several or bad Content-Length, or one with Transfer-Encoding; and for
//             Transfer-Encoding in 1.0 or without one "chunked" at its end (RFC 9112 §6.1, §6.3). 411 for chunked,
//             501 for chunked upon other codings, 505 for a major version other than 1
// kNeedMore is not answered. A Host that is there and empty is allowed (RFC 9112 §3.2).
[[nodiscard]] Step parse_head(Bytes head, Request* request, Refusal* refusal);

// The first header of that name, ignoring case, or null. `from` is where to start, and is where to go on:
// `for (size_t i = 0; const Header* h = find_header(head, r, "x", &i);)`.
const Header* find_header(Bytes head, const Request& request, const char* name, size_t* from);

// Where a walk over a list stands; all zero at its start.
struct ListWalk {
    size_t from = 0;
    Bytes rest;
};

// The next element of the list that all headers called `name` make together (RFC 9110 §5.3); false at its end.
bool next_listed(Bytes head, const Request& request, const char* name, ListWalk* walk, Bytes* element);

// Does any header called `name` list `token`, ignoring case?
bool header_lists(Bytes head, const Request& request, const char* name, const char* token);

}  // namespace wsd::http
