// host[:port], as a Host header, an absolute target and CONNECT name it (RFC 9110 §7.2, RFC 3986 §3.2). User
// information is refused (RFC 9110 §4.2.4), and so are address literals other than IPv6, which nobody has ever defined.
#pragma once

#include "base/bytes.h"

namespace wsd::http {

// Is `text` a host that is not empty, alone or with a port of at most 65535? `*port` is that number, and 0 where none
// is given ("host" or "host:").
[[nodiscard]] bool parse_authority(Bytes text, uint16_t* port);

}  // namespace wsd::http
