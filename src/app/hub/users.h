// Users across sessions: who is online somewhere, and what a user may still say this minute.
#pragma once

#include <string_view>

#include "app/hub/hub.h"

namespace app::hub {

// A user is online in one more session, or in one less. Whoever is in none is forgotten once the bucket is full again,
// as it is then like that of a user who has never been here.
void user_came(Hub& hub, std::string_view user_id);
void user_left(Hub& hub, std::string_view user_id);

}  // namespace app::hub
