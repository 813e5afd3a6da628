#include "ws/handshake.h"

#include "base/assert.h"
#include "base/base64.h"
#include "base/sha1.h"
#include "http/grammar.h"
#include "ws/extension.h"

namespace wsd::ws {
namespace {

using http::refuse;
using http::Step;

constexpr char kGuid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // §1.3
constexpr size_t kGuidSize = sizeof(kGuid) - 1;
constexpr size_t kNonceSize = 16;
constexpr char kProtocolHeader[] = "Sec-WebSocket-Protocol";

static_assert(base64_encoded_size(kNonceSize) == kKeySize);
static_assert(base64_encoded_size(sizeof(Sha1Digest)) == kAcceptSize);

// How many headers are called `name`, up to two, as a third adds nothing; `*value` is the first one's.
size_t count_headers(Bytes head, const http::Request& request, const char* name, Bytes* value) {
    size_t from = 0;
    const http::Header* const header = http::find_header(head, request, name, &from);
    if (!header) return 0;
    *value = http::slice(head, header->value);
    return http::find_header(head, request, name, &from) ? 2 : 1;
}

// A version that we do not speak is answered with the one we do (§4.2.2 item 4, §4.4). One that is missing, doubled
// (§11.3.5) or no version at all (§4.3) comes from a client that no such answer helps.
Step check_version(Bytes head, const http::Request& request, http::Refusal* refusal) {
    Bytes text;
    if (count_headers(head, request, "Sec-WebSocket-Version", &text) != 1) {
        return refuse(refusal, 400, "not exactly one Sec-WebSocket-Version");
    }
    uint64_t version = 0;
    const bool zero_in_front = text.len > 1 && text.p[0] == '0';
    if (!http::parse_decimal(text, &version) || version > 255 || zero_in_front) {
        return refuse(refusal, 400, "malformed Sec-WebSocket-Version");
    }
    return version == 13 ? Step::kDone : refuse(refusal, 426, "Sec-WebSocket-Version other than 13");
}

bool key_is_good(Bytes key) {
    uint8_t nonce[kKeySize / 4 * 3];
    size_t nonce_len = 0;
    return key.len == kKeySize && base64_decode(key, nonce, &nonce_len) && nonce_len == kNonceSize;
}

Step check_subprotocols(Bytes head, const http::Request& request, http::Refusal* refusal) {
    Bytes offered[kSubprotocolsMax];
    size_t count = 0;
    http::ListWalk walk;
    for (Bytes name; http::next_listed(head, request, kProtocolHeader, &walk, &name);) {
        if (!http::is_token(name)) return refuse(refusal, 400, "subprotocol is not a token");
        if (count == kSubprotocolsMax) return refuse(refusal, 400, "too many subprotocols");
        for (size_t i = 0; i < count; i++) {
            if (equal(offered[i], name)) return refuse(refusal, 400, "subprotocol offered twice");
        }
        offered[count++] = name;
    }
    Bytes value;
    const bool named_none = count == 0 && count_headers(head, request, kProtocolHeader, &value) > 0;
    return named_none ? refuse(refusal, 400, "Sec-WebSocket-Protocol without a name") : Step::kDone;
}

// What is no list of extensions must fail the connection, whether or not any would be taken (§9.1).
Step check_extensions(Bytes head, const http::Request& request, http::Refusal* refusal) {
    http::ListWalk walk;
    for (Bytes element; http::next_listed(head, request, "Sec-WebSocket-Extensions", &walk, &element);) {
        if (!extension_is_clean(element)) return refuse(refusal, 400, "malformed Sec-WebSocket-Extensions");
    }
    return Step::kDone;
}

}  // namespace

Step check_upgrade(Bytes head, const http::Request& request, const UpgradeRules& rules, char* accept,
                   http::Refusal* refusal) {
    if (!equal(http::slice(head, request.method), bytes_of("GET"))) return refuse(refusal, 405, "upgrade needs GET");
    if (request.minor == 0 && !rules.allow_http10) return refuse(refusal, 426, "upgrade over HTTP/1.0");
    if (!request.upgrade_websocket) return refuse(refusal, 400, "Upgrade without websocket");
    if (!request.connection_upgrade) return refuse(refusal, 400, "Connection without upgrade");
    // A GET has no use for one, and its bytes would be taken for frames.
    if (request.content_length > 0) return refuse(refusal, 400, "upgrade with a body");
    if (check_version(head, request, refusal) != Step::kDone) return Step::kRefused;
    Bytes key;
    if (count_headers(head, request, "Sec-WebSocket-Key", &key) != 1 || !key_is_good(key)) {
        return refuse(refusal, 400, "Sec-WebSocket-Key is not one of 16 bytes in base64");
    }
    if (check_subprotocols(head, request, refusal) != Step::kDone) return Step::kRefused;
    if (check_extensions(head, request, refusal) != Step::kDone) return Step::kRefused;
    accept_value(key, accept);
    return Step::kDone;
}

void accept_value(Bytes key, char* accept) {
    WSD_ASSERT(key.len == kKeySize);
    uint8_t text[kKeySize + kGuidSize];
    std::memcpy(text, key.p, kKeySize);
    std::memcpy(text + kKeySize, kGuid, kGuidSize);
    const Sha1Digest digest = sha1({text, sizeof(text)});
    base64_encode({digest.data(), digest.size()}, accept);
}

Bytes choose_subprotocol(Bytes head, const http::Request& request, Bytes supported) {
    http::ListWalk walk;
    for (Bytes offered; http::next_listed(head, request, kProtocolHeader, &walk, &offered);) {
        Bytes list = supported;
        for (Bytes name; http::next_element(&list, &name);) {
            if (equal(name, offered)) return offered;
        }
    }
    return {};
}

bool offers_subprotocol(Bytes head, const http::Request& request, Bytes name) {
    http::ListWalk walk;
    for (Bytes offered; http::next_listed(head, request, kProtocolHeader, &walk, &offered);) {
        if (equal(offered, name)) return true;
    }
    return false;
}

bool subprotocols_are_tokens(Bytes list) {
    Bytes element;
    while (http::next_element(&list, &element)) {
        if (!http::is_token(element)) return false;
    }
    return true;
}

}  // namespace wsd::ws
