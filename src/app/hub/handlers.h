// What each type of message does, with the rules about who may send what to whom.
#pragma once

#include "app/hub/router.h"

namespace app::hub {

// A handler for each type that the contract has. Those that only the server sends get `forbidden`: they are known, and
// saying so is a better hint to who writes a client than `unknown_type`.
void add_handlers(Router* router);

}  // namespace app::hub
