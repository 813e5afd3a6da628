// What waits for the end of a turn of the loop, so that much that happens in one turn costs once, and so that nobody is
// called from within what he called.
#pragma once

#include "app/hub/hub.h"

namespace app::hub {

// Has the session's presence changes told, and what it has staged handed to its history, or it freed if it has ended.
void at_turn_end(Hub& hub, Session& session);

// Calls `call` then.
void call_later(Hub& hub, std::function<void()> call);

// The parts of it, in this order.
void tell_presence(Hub& hub, Session& session);  // presence.cpp
void flush(Hub& hub, Session& session);          // room.cpp

}  // namespace app::hub
