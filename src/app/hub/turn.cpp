#include "app/hub/turn.h"

#include <utility>

namespace app::hub {
namespace {

void end_turn(Hub& hub) {
    hub.turn_end_posted = false;
    for (Session* const session : std::exchange(hub.due, {})) {
        session->turn_end_due = false;
        if (session->ended) continue;
        tell_presence(hub, *session);
        flush(hub, *session);
    }
    for (const auto& call : std::exchange(hub.later, {})) call();
    // What has become due in those calls is still pointed to.
    std::erase_if(hub.ended_sessions, [](const std::unique_ptr<Session>& session) {
        return session->connection_count == 0 && !session->turn_end_due;
    });
}

void end_turn_callback(wsd_server*, void* arg) { end_turn(*static_cast<Hub*>(arg)); }

void post_turn_end(Hub& hub) {
    if (hub.turn_end_posted) return;
    // A post comes after what else has happened in this turn; where too many wait, a timer does. Without memory for
    // that the next thing that is due tries again.
    hub.turn_end_posted = wsd_post(hub.server, end_turn_callback, &hub) == WSD_OK ||
                          wsd_timer_start(hub.server, 0, end_turn_callback, &hub, nullptr) == WSD_OK;
}

}  // namespace

void at_turn_end(Hub& hub, Session& session) {
    if (!session.turn_end_due) hub.due.push_back(&session);
    session.turn_end_due = true;
    post_turn_end(hub);
}

void call_later(Hub& hub, std::function<void()> call) {
    hub.later.push_back(std::move(call));
    post_turn_end(hub);
}

}  // namespace app::hub
