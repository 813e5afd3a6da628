#include "ws/pmd.h"

#include "base/assert.h"
#include "ws/extension.h"

namespace wsd::ws {
namespace {

constexpr char kName[] = "permessage-deflate";
constexpr char kServerNoTakeover[] = "server_no_context_takeover";
constexpr char kClientNoTakeover[] = "client_no_context_takeover";
constexpr char kServerBits[] = "server_max_window_bits";
constexpr char kClientBits[] = "client_max_window_bits";

// One offer, as read.
struct Offer {
    bool server_no_takeover = false;
    bool client_no_takeover = false;
    bool has_server_bits = false;
    bool has_client_bits = false;
    uint8_t server_bits = kWindowBitsMax;
    uint8_t client_bits = kWindowBitsMax;
};

// "A decimal integer value without leading zeroes between 8 to 15 inclusive" (RFC 7692 §7.1.2).
bool read_bits(Bytes text, uint8_t* bits) {
    if (text.len == 1 && (text.p[0] == '8' || text.p[0] == '9')) {
        *bits = uint8_t(text.p[0] - '0');
        return true;
    }
    if (text.len != 2 || text.p[0] != '1' || text.p[1] < '0' || text.p[1] > '5') return false;
    *bits = uint8_t(10 + text.p[1] - '0');
    return true;
}

// Sets a flag that must not have been set; false if it was.
bool set_once(bool* flag) {
    const bool first = !*flag;
    *flag = true;
    return first;
}

// False for what declines the offer: an unknown name, a second time, a value that must not be there or is none.
bool read_param(const ExtensionParam& param, Offer* offer) {
    if (equal(param.name, bytes_of(kServerNoTakeover))) {
        return !param.has_value && set_once(&offer->server_no_takeover);
    }
    if (equal(param.name, bytes_of(kClientNoTakeover))) {
        return !param.has_value && set_once(&offer->client_no_takeover);
    }
    if (equal(param.name, bytes_of(kServerBits))) {
        return set_once(&offer->has_server_bits) && read_bits(param.value, &offer->server_bits);
    }
    if (equal(param.name, bytes_of(kClientBits))) {  // without a value it only says that the client can be limited
        if (!set_once(&offer->has_client_bits)) return false;
        return !param.has_value || read_bits(param.value, &offer->client_bits);
    }
    return false;
}

bool read_offer(Bytes element, Offer* offer) {
    Bytes name;
    if (!read_extension_name(&element, &name) || !equal(name, bytes_of(kName))) return false;
    ExtensionParam param;
    for (;;) {
        switch (read_extension_param(&element, &param)) {
            case ExtensionStep::kEnd: return true;
            case ExtensionStep::kMalformed: return false;
            case ExtensionStep::kParam: break;
        }
        if (!read_param(param, offer)) return false;
    }
}

uint8_t smaller(uint8_t a, uint8_t b) { return a < b ? a : b; }

// Text that grows at its end.
struct Text {
    char* p;
    size_t len;

    void add(const char* text) {
        const size_t n = std::strlen(text);
        WSD_ASSERT(len + n <= kPmdAnswerMax);
        std::memcpy(p + len, text, n);
        len += n;
    }
    void add_param(const char* name) {
        add("; ");
        add(name);
    }
    void add_bits(const char* name, uint8_t bits) {
        add_param(name);
        const char digits[] = {char('0' + bits % 10), '\0'};
        add(bits < 10 ? "=" : "=1");
        add(digits);
    }
};

}  // namespace

bool choose_offer(Bytes head, const http::Request& request, const Pmd& ready, Pmd* agreed) {
    http::ListWalk walk;
    for (Bytes element; http::next_listed(head, request, "Sec-WebSocket-Extensions", &walk, &element);) {
        Offer offer;
        if (!read_offer(element, &offer)) continue;
        agreed->server_takeover = ready.server_takeover && !offer.server_no_takeover;
        // A hint that the client will not use it (RFC 7692 §7.1.1.2), which saves us its window.
        agreed->client_takeover = ready.client_takeover && !offer.client_no_takeover;
        agreed->server_bits = smaller(ready.server_bits, offer.server_bits);
        agreed->server_bits_offered = offer.has_server_bits;
        agreed->client_bits_offered = offer.has_client_bits;
        agreed->client_bits = offer.has_client_bits ? smaller(ready.client_bits, offer.client_bits) : kWindowBitsMax;
        return true;
    }
    return false;
}

size_t write_answer(const Pmd& agreed, char* out) {
    Text text{out, 0};
    text.add(kName);
    if (!agreed.server_takeover) text.add_param(kServerNoTakeover);
    if (!agreed.client_takeover) text.add_param(kClientNoTakeover);
    if (agreed.server_bits_offered || agreed.server_bits < kWindowBitsMax) {
        text.add_bits(kServerBits, agreed.server_bits);
    }
    if (agreed.client_bits_offered && agreed.client_bits < kWindowBitsMax) {
        text.add_bits(kClientBits, agreed.client_bits);
    }
    return text.len;
}

}  // namespace wsd::ws
