// What happens to a visitor before and after the application proper: requests are let in, answered with a page, or
// sent away, and each of these and each end leaves its line in the access log. No line has a query, a header's value or
// a payload in it.
#pragma once

#include <string>
#include <string_view>

#include "wsd.h"

namespace app {

// Sets on_request, on_refused, on_open and on_close; the last frees the Client, as an application's own would. They
// need a Daemon behind wsd_context().
void visit_callbacks(wsd_callbacks* callbacks);

struct Daemon;

// Has the answers of the hub's control API logged, whenever they come.
void log_calls(Daemon& daemon);

// A path as the log shows it: without what would make a line too long.
std::string shown_path(std::string_view path);

// A subprotocol as the log shows it. Browsers can send a token in no header but this, as "bearer.TOKEN".
std::string shown_subprotocol(std::string_view subprotocol);

}  // namespace app
