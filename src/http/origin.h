// Which web pages may connect: the Origin header (RFC 6454 §6.1, §7) against a list of those that are allowed. A
// browser cannot be made to lie in it, and whoever is no browser can say anything: it protects people from pages, not
// servers from programs.
#pragma once

#include "base/bytes.h"

namespace wsd::http {

// The list is comma-separated:
//   https://example.com          that origin: scheme and host without case, the scheme's default port if none is given
//   https://*.example.com:8443   every name below that one, at any depth, and not itself
//   example.com, *.example.com   the same by http and https
//   null                         pages without an origin of their own: files, sandboxed frames

// Null, or a static English text of what is wrong with the list.
[[nodiscard]] const char* origin_list_fault(Bytes list);

// Is `origin`, a header's value, allowed by a list without fault? False for what is no origin.
bool origin_allowed(Bytes list, Bytes origin);

}  // namespace wsd::http
