#include "server/refusal.h"

#include "base/assert.h"
#include "http/text_out.h"

namespace wsd::server {
namespace {

// As wsd.h lists them.
const char* code_of(const http::Refusal& refusal) {
    if (refusal.code) return refusal.code;
    switch (refusal.status) {
        case 403: return "origin_not_allowed";
        case 405: return "method_not_allowed";
        case 408: return "request_timeout";
        case 411: return "length_required";
        case 413: return "body_too_large";
        case 414: return "target_too_long";
        case 426: return "upgrade_required";
        case 429: return "too_many_connections";
        case 431: return "head_too_large";
        case 501: return "not_implemented";
        case 503: return "server_full";
        case 505: return "version_not_supported";
        default: return "bad_request";
    }
}

// Nothing in it needs an escape, as both texts are our own.
void put_json(http::TextOut* out, const http::Refusal& refusal) {
    http::put(out, R"({"error":{"code":")");
    http::put(out, code_of(refusal));
    http::put(out, R"(","message":")");
    http::put(out, refusal.why);
    http::put(out, R"("}})");
}

void put_plain(http::TextOut* out, const http::Refusal& refusal) {
    http::put(out, http::reason_phrase(refusal.status));
    http::put(out, "\n");
}

}  // namespace

void refusal_answer(const http::Refusal& refusal, bool json, RefusalAnswer* answer) {
    const auto put_body = json ? put_json : put_plain;
    http::TextOut measured;
    put_body(&measured, refusal);
    WSD_ASSERT(measured.len <= sizeof answer->body);
    http::TextOut body{reinterpret_cast<uint8_t*>(answer->body)};
    put_body(&body, refusal);

    http::Response& response = answer->response;
    response.status = refusal.status;
    response.fields = answer->fields;
    response.body = {body.p, body.len};
    response.close = true;
    const auto add = [&](const char* name, Bytes value) {
        answer->fields[response.field_count++] = {bytes_of(name), value};
    };
    add("Content-Type", bytes_of(json ? "application/json" : "text/plain"));
    if (refusal.status == 405) add("Allow", bytes_of("GET"));
    if (refusal.status == 426) {
        add("Upgrade", bytes_of("websocket"));
        add("Sec-WebSocket-Version", bytes_of("13"));  // §4.2.2
    }
    if (refusal.status != 503 && refusal.status != 429) return;
    http::TextOut seconds{reinterpret_cast<uint8_t*>(answer->retry_after)};
    http::put_decimal(&seconds, refusal.retry_after_s);
    add("Retry-After", {seconds.p, seconds.len});
}

}  // namespace wsd::server
