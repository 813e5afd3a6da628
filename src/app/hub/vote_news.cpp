#include "app/hub/vote_news.h"

#include "app/hub/definition.h"
#include "app/hub/room.h"

namespace app::hub {
namespace {

void publish_from_system(Hub& hub, Session& session, std::string_view type, const std::string& data) {
    Draft draft;
    draft.type = type;
    draft.from = kSystemUser;
    draft.data = data;
    (void)publish(hub, session, draft);
}

}  // namespace

void publish_consensus(Hub& hub, Session& session, const std::string& comparison_id, Consensus consensus) {
    if (consensus == Consensus::kUnchanged) return;
    const char* const type = consensus == Consensus::kReached ? "consensus_reached" : "consensus_lost";
    publish_from_system(hub, session, type, session.votes.consensus_data(comparison_id));
}

void publish_progress(Hub& hub, Session& session) {
    publish_from_system(hub, session, "session_progress", session.votes.progress_data());
}

void settle_votes(Hub& hub, Session& session) {
    // Votes as they were are only remembered where something is staged that could fail.
    Votes votes = session.votes;
    const std::vector<Votes::Change> changes = votes.members_changed(session.members);
    if (changes.empty()) return;
    votes_will_change(session);
    session.votes = std::move(votes);
    for (const Votes::Change& change : changes) {
        publish_consensus(hub, session, change.comparison_id, change.consensus);
    }
    publish_progress(hub, session);
}

}  // namespace app::hub
