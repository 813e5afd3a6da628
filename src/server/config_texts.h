// What a configuration points to, as the server's own copy.
#pragma once

#include "base/mem.h"
#include "net/cidr.h"
#include "wsd.h"

namespace wsd::server {

struct ConfigTexts {
    char* subprotocols = nullptr;  // owned; null: none
    char* origins = nullptr;       // owned; null: any
    net::CidrList trusted;         // config.trusted_proxies, whose text is not kept; its items are owned
};

// Of a configuration that has been judged. False when memory is refused: what was taken is in `*texts`, to be freed.
[[nodiscard]] bool config_texts_copy(Mem& mem, const wsd_config& config, ConfigTexts* texts);

void config_texts_free(Mem& mem, ConfigTexts& texts);

}  // namespace wsd::server
