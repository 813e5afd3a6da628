#include "server/config_texts.h"

#include "base/bytes.h"

namespace wsd::server {
namespace {

// Null where there is nothing to copy, too.
char* copy_text(Mem& mem, const char* text) {
    if (!text) return nullptr;
    const size_t size = std::strlen(text) + 1;
    char* const copy = static_cast<char*>(mem_alloc(mem, Purpose::kServer, size));
    return copy ? static_cast<char*>(std::memcpy(copy, text, size)) : nullptr;
}

void free_text(Mem& mem, char* text) {
    if (text) mem_free(mem, Purpose::kServer, text, std::strlen(text) + 1);
}

// The list has been judged: it is counted first, then read. False when memory is refused.
bool copy_trusted(Mem& mem, const char* text, net::CidrList* list) {
    if (!text) return true;
    const Bytes bytes = bytes_of(text);
    if (net::parse_cidr_list(bytes, list) || list->count == 0) return true;
    list->items = static_cast<net::Cidr*>(mem_alloc(mem, Purpose::kServer, list->count * sizeof(net::Cidr)));
    if (!list->items) {
        list->count = 0;
        return false;
    }
    return !net::parse_cidr_list(bytes, list);
}

}  // namespace

bool config_texts_copy(Mem& mem, const wsd_config& config, ConfigTexts* texts) {
    texts->subprotocols = copy_text(mem, config.subprotocols);
    texts->origins = copy_text(mem, config.origins);
    const bool copied = copy_trusted(mem, config.trusted_proxies, &texts->trusted);
    return copied && (texts->subprotocols || !config.subprotocols) && (texts->origins || !config.origins);
}

void config_texts_free(Mem& mem, ConfigTexts& texts) {
    free_text(mem, texts.subprotocols);
    free_text(mem, texts.origins);
    mem_free(mem, Purpose::kServer, texts.trusted.items, texts.trusted.count * sizeof(net::Cidr));
    texts = {};
}

}  // namespace wsd::server
