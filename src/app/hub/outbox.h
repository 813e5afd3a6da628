// The one place where something is sent to a connection, and where it shows that its queue is full.
#pragma once

#include "app/hub/hub.h"

namespace app::hub {

// True if it was queued. False: not, and that is noted. Where the queue is full, on_drain follows and leads to
// drained(); where memory is short, the connection is ended, as what it was owed cannot be left out.
bool send_now(Hub& hub, Connection& connection, std::string_view text);

// The same with a message that was built for many; with `prepared` null `text` is sent.
bool send_built(Hub& hub, Connection& connection, wsd_prepared* prepared, std::string_view text);

// A message built to be sent to many; null without memory for that.
wsd_prepared* build(Hub& hub, std::string_view text);

// Whoever has that much to be answered gets to ask nothing more until it is. After all that adds to it or takes from
// it.
constexpr size_t kUnansweredMax = 256;
void settle_reading(Hub& hub, Connection& connection);

// A message of a session that is not stored. It borrows from both; whoever has more to say in it adds that.
Outgoing message_of(const Session& session, std::string_view type, std::string_view data);

std::string ack_envelope(const Session& session, std::string_view id, uint64_t seq);

}  // namespace app::hub
