// The hub as the daemon runs it: made from its options, and the callbacks that lead into it.
#pragma once

#include <memory>
#include <string>

#include "app/hub/hub.h"
#include "app/options.h"
#include "wsd.h"

namespace app::hub {

// Opens what the options name: secrets, key, store and sessions. Null sets `*error` to one line. Before the loop runs.
std::unique_ptr<Hub> open_hub(wsd_server* server, const Options& options, Log* log, std::string* error);

// Takes over, at a reload, what may change in a running hub: secrets, key, rates. Empty, or why nothing has changed.
std::string reload_hub(Hub& hub, const Options& options);

// Sets on_open, on_message, on_drain and on_close. They need a Daemon with a hub behind wsd_context().
void hub_callbacks(wsd_callbacks* callbacks);

// Decides a request of /hub or /api. Returns the status, for the log; 0 where it is answered later. Is not called for
// other paths.
bool is_hub_path(std::string_view path);
int hub_request(Hub& hub, wsd_conn conn, const wsd_request* request);

// Before the server is freed: all that was acknowledged is on disk.
void close_hub(Hub& hub);

}  // namespace app::hub
