// The C functions of wsd.h about requests and their answers: checks, then calls.
#include "server/server.h"
#include "server/upgrade.h"

using namespace wsd;
using namespace wsd::server;

namespace {

wsd_str text_of(const wsd_request* request, http::Slice part) {
    return {reinterpret_cast<const char*>(request->text) + part.at, part.len};
}

// A connection with a request that could still be decided; else why not.
int find_undecided(wsd_server* server, wsd_conn id, Conn** conn) {
    if (!server) return WSD_E_INVALID;
    see_time(*server);
    *conn = server->conns.find(id);
    if (!*conn || (*conn)->phase > Phase::kOpen) return WSD_E_CLOSED;
    return (*conn)->phase == Phase::kHttp ? WSD_OK : WSD_E_INVALID;
}

}  // namespace

extern "C" wsd_str wsd_request_method(const wsd_request* request) { return text_of(request, request->request.method); }

extern "C" wsd_str wsd_request_target(const wsd_request* request) { return text_of(request, request->request.target); }

extern "C" wsd_str wsd_request_path(const wsd_request* request) { return text_of(request, request->request.path); }

extern "C" wsd_str wsd_request_query(const wsd_request* request) { return text_of(request, request->request.query); }

extern "C" wsd_str wsd_request_body(const wsd_request* request) {
    return {reinterpret_cast<const char*>(request->text) + request->head_len, request->text_len - request->head_len};
}

extern "C" int wsd_request_is_upgrade(const wsd_request* request) { return request->is_upgrade; }

extern "C" wsd_str wsd_request_header(const wsd_request* request, const char* name) {
    size_t from = 0;
    const http::Header* const header =
        name ? http::find_header(head_of(*request), request->request, name, &from) : nullptr;
    return header ? text_of(request, header->value) : wsd_str{nullptr, 0};
}

extern "C" int wsd_request_header_at(const wsd_request* request, size_t index, wsd_str* name, wsd_str* value) {
    if (!name || !value || index >= request->request.header_count) return WSD_E_INVALID;
    *name = text_of(request, request->request.headers[index].name);
    *value = text_of(request, request->request.headers[index].value);
    return WSD_OK;
}

extern "C" int wsd_request_offers(const wsd_request* request, const char* subprotocol) {
    return subprotocol && ws::offers_subprotocol(head_of(*request), request->request, bytes_of(subprotocol));
}

extern "C" int wsd_accept(wsd_server* server, wsd_conn id, const char* subprotocol, const wsd_header* headers,
                          size_t header_count) {
    Conn* conn = nullptr;
    const int found = find_undecided(server, id, &conn);
    if (found != WSD_OK) return found;
    if (!headers && header_count) return WSD_E_INVALID;
    return upgrade_accept(*conn, subprotocol, headers, header_count);
}

// NOLINTNEXTLINE(readability-function-size): an answer has these parts
extern "C" int wsd_respond(wsd_server* server, wsd_conn id, int status, const wsd_header* headers, size_t header_count,
                           const void* body, size_t body_len) {
    Conn* conn = nullptr;
    const int found = find_undecided(server, id, &conn);
    if (found != WSD_OK) return found;
    if ((!headers && header_count) || (!body && body_len)) return WSD_E_INVALID;
    return upgrade_respond(*conn, status, headers, header_count, {static_cast<const uint8_t*>(body), body_len});
}
