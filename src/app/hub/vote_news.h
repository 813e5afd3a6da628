// What comes of votes, published to everyone from the server itself.
#pragma once

#include "app/hub/hub.h"

namespace app::hub {

// That all agree on a comparison, or do not any more; nothing where nothing has changed.
void publish_consensus(Hub& hub, Session& session, const std::string& comparison_id, Consensus consensus);

// How many comparisons there are, and how many are agreed on.
void publish_progress(Hub& hub, Session& session);

// Looks at all votes anew after the list of members has changed, and publishes what has come of that.
void settle_votes(Hub& hub, Session& session);

}  // namespace app::hub
