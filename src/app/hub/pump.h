// A connection's way through the history of its session. One cursor says where it stands, and pump() (room.h) is all
// that moves it: through what is in memory, through pieces that are read from disk, up to the end, where the
// connection is live. So nothing that is said meanwhile overtakes what was said before, and nothing is sent twice.
#pragma once

#include <span>

#include "app/hub/hub.h"

namespace app::hub {

// Sets the cursor of one who enters: behind `since` where it resumes, else at the oldest record there is.
void place_cursor(Connection& connection, std::optional<uint64_t> since);

// Sends what has just been committed to everyone it is for who is up to date. Each message is built for the wire once;
// those who lag get theirs by pump() when they have room.
void fan_out(Hub& hub, Session& session, std::span<const Staged> committed);

}  // namespace app::hub
