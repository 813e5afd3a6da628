// What every message passes before its handler: each of these may stop it, or look at what came of it.
#pragma once

#include "app/hub/router.h"

namespace app::hub {

// One line at level debug: type, user, session and what came of it; nothing of what was said.
Result log_message(Request& request, const Handler& next);

// An exception is `internal` for the sender and a line in the log, and no end of the process.
Result recover(Request& request, const Handler& next);

// Reads the envelope. Counts malformed messages in a row; malformed is also what a handler finds so, as a vote that is
// none.
Result validate(Request& request, const Handler& next);

// What is stored costs its user a token.
Result limit(Request& request, const Handler& next);

// What is stored is taken once by its id: the second time its `ack` is repeated. That comes before any rule of its
// type: what was allowed the first time has been done, whatever has changed since.
Result take_once(Request& request, const Handler& next);

}  // namespace app::hub
