// The default application: every message goes back to where it came from, in order, whatever the peer's pace.
#pragma once

#include "wsd.h"

namespace app {

// Sets the callbacks that echoing needs; on_log stays as it is. Where they are to be `counted`, each message is noted
// with its connection's Client, at the price of a look-up.
void echo_callbacks(wsd_callbacks* callbacks, bool counted);

}  // namespace app
