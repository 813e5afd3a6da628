// The default application: every message goes back to where it came from, in order, whatever the peer's pace.
#pragma once

#include "wsd.h"

namespace app {

// Sets the callbacks that echoing needs; on_log stays as it is.
void echo_callbacks(wsd_callbacks* callbacks);

}  // namespace app
