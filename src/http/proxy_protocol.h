// The header of the PROXY protocol, versions 1 and 2, in which a proxy tells a server whose connection it passes on
// before the first byte of it. All or nothing, so that a torn header needs no state. Whether a header was to be
// expected from this peer, and is believed, is for others to judge; TLVs are passed over unread.
#pragma once

#include "base/ip.h"

namespace wsd::http {

constexpr size_t kProxyLineMax = 107;     // of version 1, its CRLF included
constexpr size_t kProxyHeaderMax = 1024;  // of version 2, addresses and TLVs included; the protocol would allow 65551

struct ProxyHeader {
    size_t size = 0;   // bytes taken; the connection's own begin behind them
    Peer source;       // the client; kNone where the proxy speaks for itself (LOCAL) or does not know (UNKNOWN, UNSPEC)
    Peer destination;  // what the client connected to; kNone likewise
};

enum class ProxyRead : uint8_t {
    kDone,
    kNeedMore,   // all that is there may be the beginning of a header
    kAbsent,     // the input begins with something else
    kMalformed,  // it begins as a header does and is none, or one that is longer than its bound
};

// Reads the header that `in` begins with; `*header` is set by kDone. The answer is given with the first byte that
// settles it, and does not change with what follows. Once all of a signature has come, kAbsent is not answered any
// more.
[[nodiscard]] ProxyRead read_proxy_header(Bytes in, ProxyHeader* header);

}  // namespace wsd::http
