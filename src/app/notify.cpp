#include "app/notify.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "app/number.h"

namespace app {
namespace {

std::string take_variable(const char* name) {
    const char* const value = getenv(name);
    std::string text = value ? value : "";
    unsetenv(name);
    return text;
}

// "/path", or "@name" in the abstract namespace, whose names begin with a zero byte.
bool parse_socket(const std::string& name, sockaddr_un* address, socklen_t* len) {
    if (name.size() < 2 || name.size() >= sizeof address->sun_path || (name[0] != '/' && name[0] != '@')) return false;
    address->sun_family = AF_UNIX;
    std::memcpy(address->sun_path, name.data(), name.size());
    if (name[0] == '@') address->sun_path[0] = '\0';
    *len = socklen_t(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '/'));
    return true;
}

}  // namespace

Notifier::~Notifier() {
    if (fd_ >= 0) close(fd_);
}

bool Notifier::open(std::string* error) {
    const std::string name = take_variable("NOTIFY_SOCKET");
    const std::string period = take_variable("WATCHDOG_USEC");
    const std::string pid = take_variable("WATCHDOG_PID");
    if (name.empty()) return true;
    if (!parse_socket(name, &address_, &address_len_)) {
        *error = "NOTIFY_SOCKET: expected /PATH or @NAME, not \"" + name + '"';
        return false;
    }
    uint64_t period_us = 0, whose = uint64_t(getpid());
    if (!period.empty() && (!parse_number(period, &period_us) || period_us == 0)) {
        *error = "WATCHDOG_USEC: expected a number, not \"" + period + '"';
        return false;
    }
    const bool ours = pid.empty() || (parse_number(pid, &whose) && whose == uint64_t(getpid()));
    const uint64_t half_ms = period_us / 2000;
    if (period_us && ours) watchdog_ms_ = half_ms == 0 ? 1 : half_ms < UINT32_MAX ? uint32_t(half_ms) : UINT32_MAX;
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) *error = std::string("NOTIFY_SOCKET: ") + std::strerror(errno);
    return fd_ >= 0;
}

void Notifier::ready() const { send("READY=1\nSTATUS=Serving.\n"); }

void Notifier::reloading() const {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t now_us = uint64_t(now.tv_sec) * 1000000 + uint64_t(now.tv_nsec) / 1000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us) + "\nSTATUS=Reading the configuration.\n");
}

void Notifier::stopping() const { send("STOPPING=1\nSTATUS=Draining.\n"); }

void Notifier::watchdog() const { send("WATCHDOG=1\n"); }

// A manager that does not listen is no reason to stop serving, so what it does not take is lost.
void Notifier::send(std::string_view lines) const {
    if (fd_ < 0) return;
    (void)sendto(fd_, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address_), address_len_);
}

}  // namespace app
