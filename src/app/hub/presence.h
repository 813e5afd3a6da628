// Who is there: a snapshot for who comes, and what has changed for who is there already.
#pragma once

#include <string>
#include <string_view>

#include "app/hub/hub.h"

namespace app::hub {

// A `presence` message about these users, a JSON array.
std::string presence_message(const Session& session, std::string_view users);

// The role in which somebody is shown: that of the latest connection, else the last known.
Role shown_role(const Person& person);

// Tells those who are live of a user's first connection, or that the last one has gone.
void tell_joined(Hub& hub, Session& session, const Person& person, wsd_conn except);
void tell_left(Hub& hub, Session& session, const Person& person, std::string_view reason);

// What everyone is sent when a session ends.
std::string session_ended_message(const Session& session);  // welcome.cpp

}  // namespace app::hub
