// The sandbox: a seccomp filter that leaves the process no system calls but those that serving needs. What it holds
// open stays usable; no program can be run, no socket made, no other process signalled or limited, no memory made
// executable. Which files may be opened is not its business but the system's: --user, and the unit's ProtectSystem.
#pragma once

#include <string>

namespace app {

// Whoever runs from here on, and whatever it starts, never gains a privilege that it does not have. False, with errno.
[[nodiscard]] bool renounce_privileges();

// Puts the filter in force for all threads of the process, for ever; renounce_privileges() comes first. A call outside
// it fails with EPERM: where one was forgotten, that costs what it was for, and not every connection. A process that
// calls by the numbers of another architecture is killed, as the filter cannot judge it. False, with errno; ENOSYS on
// an architecture whose numbers are not known here.
[[nodiscard]] bool enter_sandbox();

}  // namespace app
