// The control API: HTTP requests under /api with the admin's key, JSON in and out.
#pragma once

#include "app/hub/hub.h"

namespace app::hub {

// Is this path the control API's?
bool is_control_path(std::string_view path);

// Answers a request, here or in a later turn where it waits for the disk. Returns the status, for the log; 0 where it
// is answered later. A wrong or missing key gets 401, and where there is no key, everything gets 404.
int control_request(Hub& hub, wsd_conn conn, const wsd_request* request);

}  // namespace app::hub
