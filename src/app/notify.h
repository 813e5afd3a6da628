// Tells the service manager how the daemon is, in its plain protocol: datagrams of NAME=VALUE lines to the unix socket
// that NOTIFY_SOCKET names. Without one, everything here does nothing.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace app {

class Notifier {
  public:
    Notifier() = default;
    ~Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them, so that nothing started from here takes
    // them for its own. False, with `*error` set, where they make no sense or no socket can be had. The socket is
    // opened here, as a sandbox opens none later.
    [[nodiscard]] bool open(std::string* error);

    void ready() const;      // serving; also after reloading
    void reloading() const;  // the configuration is being read again
    void stopping() const;   // draining
    void watchdog() const;   // still alive

    // How often watchdog() is due, at twice the pace that is asked for; 0: never.
    uint32_t watchdog_ms() const { return watchdog_ms_; }

  private:
    void send(std::string_view lines) const;

    int fd_ = -1;
    sockaddr_un address_ = {};
    socklen_t address_len_ = 0;
    uint32_t watchdog_ms_ = 0;
};

}  // namespace app
