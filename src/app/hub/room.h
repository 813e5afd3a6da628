// Talking in a session. What is stored takes this way: publish() numbers it, the end of the turn hands all that was
// numbered to the history at once, and when that says it is kept, everyone it is for gets it and its sender the `ack`.
// Nothing is seen by anybody before it is kept. What is not stored goes out at once, to those who are live.
#pragma once

#include "app/hub/hub.h"

namespace app::hub {

// A message to be stored; views are not kept.
struct Draft {
    std::string_view type;
    std::string_view id;       // the sender's; empty: none
    std::string_view from;     // a user, or "system"
    std::optional<Role> role;  // of the sender; none for "system"
    std::string_view to;
    std::optional<Role> to_role;
    bool ack = false;       // receivers are asked to acknowledge
    std::string_view data;  // an object as JSON text
    wsd_conn origin = 0;    // the connection that sent it, and gets the `ack` instead; 0: none
    bool answered = false;  // the origin is to get an `ack`: of several messages that one brings about, the first
    bool echoed = false;    // the origin gets it all the same, besides the `ack`
    std::function<void(uint64_t seq, bool ok)> done = {};  // what came of it; may be empty
};

// Numbers and stages a message. Returns its number. `done` is called in a later turn; with false nothing has come of
// it, and its number is given out anew.
uint64_t publish(Hub& hub, Session& session, const Draft& draft);

// Has this user's message of that id been taken before? Then its `ack` is repeated, at once or when it is kept, and
// nothing else is to be done about it. An empty id never has.
bool taken_before(Hub& hub, Connection& connection, std::string_view id);

// Has the session remember an id that was taken, as publish() does: for what a store has loaded, oldest first.
void remember_id(Hub& hub, Session& session, std::string_view user_id, std::string_view id, uint64_t seq);

// Tells who published a message, where that was asked for, what came of it: at the end of the turn.
void report(Hub& hub, Staged& staged, bool ok);

// Before the votes are changed for what is staged: remembers how they were, in case it is not kept.
void votes_will_change(Session& session);

// Sends what is not stored to all who are live, but for one connection (0: nobody). Who has no room for it goes
// without, and is not live until it has: it is then told anew who is there.
void tell(Hub& hub, Session& session, const std::string& envelope, wsd_conn except);

// An answer to one connection: an `ack`, an error, a welcome. It is not lost where the queue is full.
void answer(Hub& hub, Connection& connection, std::string envelope);

// Sends a connection what it is owed, as far as its queue has room and the history is in memory; sees to the rest.
void pump(Hub& hub, Connection& connection);

// What was held for a connection whose queue has drained, then pump().
void drained(Hub& hub, Connection& connection);

}  // namespace app::hub
