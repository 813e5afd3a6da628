// The hub as the daemon runs it: made from its options, and the callbacks that lead into it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/hub/hub.h"
#include "app/options.h"
#include "wsd.h"

namespace app::hub {

constexpr std::string_view kHubPath = "/hub";

// Opens what the options name: secrets, key, store and sessions. Null sets `*error` to one line. Before the loop runs.
std::unique_ptr<Hub> open_hub(wsd_server* server, const Options& options, Log* log, std::string* error);

// What is read from files that may be replaced while the hub runs.
struct Keys {
    std::vector<std::string> secrets;
    std::string admin_key;
};

// Reads those files, as far as the options name them. False sets `*error` to one line.
[[nodiscard]] bool read_keys(const Options& options, Keys* keys, std::string* error);

// Takes over, at a reload, what may change in a running hub: secrets, key, rates.
void reload_hub(Hub& hub, const Options& options, Keys keys);

// Sets on_message and on_drain. They need a Daemon behind wsd_context().
void hub_callbacks(wsd_callbacks* callbacks);

// What on_open and on_close owe the hub.
void hub_opened(Hub& hub, wsd_conn conn);
void hub_closed(Hub& hub, wsd_conn conn, const wsd_close_info& info);

// Decides an upgrade of kHubPath. Returns the status, for the log.
int enter_request(Hub& hub, wsd_conn conn, const wsd_request* request);

// Before the hub and then the server are freed: all that was acknowledged is on disk.
void close_hub(Hub& hub);

}  // namespace app::hub
