#include "http/request.h"

#include "base/assert.h"
#include "http/authority.h"
#include "http/grammar.h"

namespace wsd::http {
namespace {

// What several headers say together, kept until all have been read.
struct Tally {
    bool host = false;
    uint16_t codings = 0;  // elements of Transfer-Encoding
    uint16_t chunked = 0;  // those of them that are "chunked"
    bool last_is_chunked = false;
    bool transfer_encoding = false;
    bool close = false;  // Connection options
    bool keep_alive = false;
};

bool begins_ignoring_case(Bytes text, const char* prefix) {
    const size_t n = std::strlen(prefix);
    return text.len >= n && equal_ignoring_case(take(text, n), prefix);
}

void set_path_and_query(Bytes head, Bytes text, Request* request) {
    const Bytes path = take(text, find_byte(text, '?'));
    request->path = slice_of(head, path);
    if (path.len < text.len) request->query = slice_of(head, drop(text, path.len + 1));
}

Step parse_absolute_form(Bytes head, Bytes target, Request* request, Refusal* refusal) {
    size_t scheme_len = 0;
    if (begins_ignoring_case(target, "http://")) scheme_len = 7;
    if (begins_ignoring_case(target, "https://")) scheme_len = 8;
    if (scheme_len == 0) return refuse(refusal, 400, "target has no form that HTTP knows");
    const Bytes rest = drop(target, scheme_len);
    const Bytes before_query = take(rest, find_byte(rest, '?'));
    const Bytes authority = take(before_query, find_byte(before_query, '/'));
    uint16_t port = 0;
    if (!parse_authority(authority, &port)) return refuse(refusal, 400, "target names no host");
    request->authority = slice_of(head, authority);
    set_path_and_query(head, drop(rest, authority.len), request);
    // No path is the path "/" (RFC 9110 §4.2.3), and the slash in front of the authority is as good as any.
    if (request->path.len == 0) request->path = slice_of(head, {rest.p - 1, 1});
    return Step::kDone;
}

Step parse_target(Bytes head, Bytes method, Bytes target, Request* request, Refusal* refusal) {
    request->target = request->path = slice_of(head, target);
    if (equal(method, bytes_of("CONNECT"))) {
        uint16_t port = 0;  // RFC 9110 §9.3.6: there is no default port here
        if (!parse_authority(target, &port) || port == 0) {
            return refuse(refusal, 400, "CONNECT without host and port");
        }
        request->authority = request->target;
        return Step::kDone;
    }
    if (equal(target, bytes_of("*"))) {
        return equal(method, bytes_of("OPTIONS")) ? Step::kDone : refuse(refusal, 400, "target * is for OPTIONS");
    }
    if (target.p[0] != '/') return parse_absolute_form(head, target, request, refusal);
    set_path_and_query(head, target, request);
    return Step::kDone;
}

Step parse_version(Bytes version, Request* request, Refusal* refusal) {
    const Bytes name = bytes_of("HTTP/");
    const auto is_digit = [](uint8_t c) { return c >= '0' && c <= '9'; };
    if (version.len != 8 || !equal(take(version, name.len), name) || !is_digit(version.p[5]) || version.p[6] != '.' ||
        !is_digit(version.p[7])) {
        return refuse(refusal, 400, "no HTTP version");
    }
    if (version.p[5] != '1') return refuse(refusal, 505, "not HTTP/1");
    // Whoever speaks a later minor version understands the answers of 1.1 (RFC 9110 §2.5).
    request->minor = version.p[7] == '0' ? 0 : 1;
    return Step::kDone;
}

Step parse_request_line(Bytes head, Bytes line, Request* request, Refusal* refusal) {
    // Exactly one SP between the three parts (RFC 9112 §3): more, or other white space, is a reader's guess.
    const Bytes method = take(line, run_length(line, kTokenByte));
    if (method.len == 0 || method.len == line.len || line.p[method.len] != ' ') {
        return refuse(refusal, 400, "method is not a token");
    }
    request->method = slice_of(head, method);
    const Bytes rest = drop(line, method.len + 1);
    const Bytes target = take(rest, run_length(rest, kTargetByte));
    if (target.len == 0 || target.len == rest.len || rest.p[target.len] != ' ') {
        return refuse(refusal, 400, "malformed target, or no version");
    }
    // The version comes first: the forms of a target are those of HTTP/1 only.
    const Step step = parse_version(drop(rest, target.len + 1), request, refusal);
    return step == Step::kDone ? parse_target(head, method, target, request, refusal) : step;
}

Step note_host(Bytes value, Slice at, Request* request, Tally* tally, Refusal* refusal) {
    if (tally->host) return refuse(refusal, 400, "more than one Host");
    tally->host = true;
    uint16_t port = 0;
    if (value.len > 0 && !parse_authority(value, &port)) return refuse(refusal, 400, "malformed Host");
    if (request->authority.len == 0) request->authority = at;
    return Step::kDone;
}

Step note_content_length(Bytes value, Request* request, Refusal* refusal) {
    // A repeated one is refused even where it agrees: what stands between us and the peer may have taken either.
    if (request->framing == Framing::kLength) return refuse(refusal, 400, "more than one Content-Length");
    if (!parse_decimal(value, &request->content_length)) return refuse(refusal, 400, "malformed Content-Length");
    request->framing = Framing::kLength;
    return Step::kDone;
}

void note_transfer_encoding(Bytes value, Tally* tally) {
    tally->transfer_encoding = true;
    for (Bytes coding; next_element(&value, &coding);) {
        tally->codings++;
        tally->last_is_chunked = equal_ignoring_case(coding, "chunked");
        if (tally->last_is_chunked) tally->chunked++;
    }
}

void note_connection(Bytes value, Request* request, Tally* tally) {
    for (Bytes option; next_element(&value, &option);) {
        if (equal_ignoring_case(option, "upgrade")) request->connection_upgrade = true;
        if (equal_ignoring_case(option, "close")) tally->close = true;
        if (equal_ignoring_case(option, "keep-alive")) tally->keep_alive = true;
    }
}

Step note_header(Bytes head, const Header& header, Request* request, Tally* tally, Refusal* refusal) {
    const Bytes name = slice(head, header.name), value = slice(head, header.value);
    // Most headers mean nothing here, and their length alone tells.
    switch (name.len) {
        case 4:
            if (equal_ignoring_case(name, "host")) return note_host(value, header.value, request, tally, refusal);
            break;
        case 6:
            if (equal_ignoring_case(name, "expect")) request->expect_continue |= list_has(value, "100-continue");
            break;
        case 7:
            if (equal_ignoring_case(name, "upgrade")) request->upgrade_websocket |= list_has(value, "websocket");
            break;
        case 10:
            if (equal_ignoring_case(name, "connection")) note_connection(value, request, tally);
            break;
        case 14:
            if (equal_ignoring_case(name, "content-length")) return note_content_length(value, request, refusal);
            break;
        case 17:
            if (equal_ignoring_case(name, "transfer-encoding")) note_transfer_encoding(value, tally);
            break;
        default: break;
    }
    return Step::kDone;
}

// The rules that only the whole head can break.
Step judge(const Tally& tally, Request* request, Refusal* refusal) {
    if (!tally.host && request->minor > 0) return refuse(refusal, 400, "no Host");
    request->keep_alive = !tally.close && (request->minor > 0 || tally.keep_alive);
    if (request->minor == 0) request->expect_continue = false;  // RFC 9110 §10.1.1
    if (!tally.transfer_encoding) return Step::kDone;
    if (request->framing == Framing::kLength) return refuse(refusal, 400, "Content-Length and Transfer-Encoding");
    if (request->minor == 0) return refuse(refusal, 400, "Transfer-Encoding in HTTP/1.0");
    if (!tally.last_is_chunked || tally.chunked > 1) return refuse(refusal, 400, "body without a certain end");
    if (tally.codings > 1) return refuse(refusal, 501, "transfer coding not understood");
    return refuse(refusal, 411, "chunked body");
}

}  // namespace

Step parse_head(Bytes head, Request* request, Refusal* refusal) {
    WSD_ASSERT(head.len <= kHeadMaxBytes);
    Header* const headers = request->headers;
    *request = {};
    request->headers = headers;
    const Bytes line = line_at(head, 0);
    Step step = parse_request_line(head, line, request, refusal);
    Tally tally;
    size_t at = line.len + 2;
    while (step == Step::kDone) {
        Header header;
        const HeaderLine read = read_header_line(head, &at, &header);
        if (read == HeaderLine::kEnd) return judge(tally, request, refusal);
        if (read == HeaderLine::kMalformed) return refuse(refusal, 400, "malformed header line");
        headers[request->header_count++] = header;
        step = note_header(head, header, request, &tally, refusal);
    }
    return step;
}

const Header* find_header(Bytes head, const Request& request, const char* name, size_t* from) {
    const size_t name_len = std::strlen(name);
    while (*from < request.header_count) {
        const Header& header = request.headers[(*from)++];
        // The length first: names that begin alike, as Sec-WebSocket-... do, are seldom of one length.
        if (header.name.len == name_len && equal_ignoring_case(slice(head, header.name), name)) return &header;
    }
    return nullptr;
}

bool next_listed(Bytes head, const Request& request, const char* name, ListWalk* walk, Bytes* element) {
    while (!next_element(&walk->rest, element)) {
        const Header* const header = find_header(head, request, name, &walk->from);
        if (!header) return false;
        walk->rest = slice(head, header->value);
    }
    return true;
}

bool header_lists(Bytes head, const Request& request, const char* name, const char* token) {
    size_t from = 0;
    while (const Header* const header = find_header(head, request, name, &from)) {
        if (list_has(slice(head, header->value), token)) return true;
    }
    return false;
}

}  // namespace wsd::http
