// What the daemon asks of the system for its own process: descriptors, sockets that a service manager has opened, whom
// it runs as, and a file that says which process it is. Errors come as one line of what could not be done and why.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace app {

// Descriptors that connections may not take: listeners, log, loop, signals, and what reading a file again needs.
constexpr uint64_t kReservedDescriptors = 100;

// Raises the limit of open descriptors as far as it goes. Returns the limit that now holds.
uint64_t raise_descriptor_limit();

// How many connections fit below a limit of descriptors, the reserve taken off; 1 at least.
uint64_t connections_within(uint64_t descriptor_limit);

// The listening sockets that LISTEN_FDS and LISTEN_PID pass to this process, as "fd:3", "fd:4", ...; the variables are
// removed, so that nothing started from here takes the sockets for its own. False, with `*error`, where they make no
// sense.
[[nodiscard]] bool take_passed_sockets(std::vector<std::string>* addresses, std::string* error);

struct Identity {
    std::string name;
    uid_t user = 0;
    gid_t group = 0;
};

// Looks up NAME or NAME:GROUP, each by name or number; without a group it is the user's own.
[[nodiscard]] bool find_identity(const std::string& text, Identity* identity, std::string* error);

// Becomes that user for good, with no group but that one, and makes sure that there is no way back. For root to become
// itself is refused; whoever is that user already stays it.
[[nodiscard]] bool become(const Identity& identity, std::string* error);

// A file with the process id, there as long as this object has it. It appears whole: a reader finds the old file, the
// new one or none.
class Pidfile {
  public:
    Pidfile() = default;
    ~Pidfile();
    Pidfile(const Pidfile&) = delete;
    Pidfile& operator=(const Pidfile&) = delete;

    [[nodiscard]] bool create(const std::string& path, std::string* error);

  private:
    std::string path_;
    int fd_ = -1;
};

}  // namespace app
