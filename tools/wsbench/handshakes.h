// Connecting and upgrading, measured by themselves: all sockets first and then all upgrades (--upgrade), or connections
// that leave as soon as they are open and are followed by others (--churn).
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <string>
#include <vector>

#include "dial.h"
#include "options.h"

namespace wsbench {

class Handshakes {
  public:
    Handshakes(const Options& options, const Route& route);
    ~Handshakes();
    Handshakes(const Handshakes&) = delete;
    Handshakes& operator=(const Handshakes&) = delete;

    // Connects all sockets, not faster than any server accepts them. False, with the reason, if one cannot be had.
    [[nodiscard]] bool connect_all(std::string* error);

    // Upgrades all of them, some at a time, until they are or `until_ns`. Once.
    void upgrade_all(uint64_t until_ns);

    // Upgrades, hangs up and connects anew on every socket until `until_ns`. May be called again, and goes on.
    void churn(uint64_t until_ns);

    uint64_t upgraded() const { return upgraded_; }  // since the start
    size_t lost() const { return lost_; }
    const std::string& why_lost() const { return why_lost_; }  // of the first

  private:
    struct Slot {
        int fd = -1;
        std::string answer;  // to the request, as far as it has come
    };

    bool connect_one(size_t index);
    void ask(size_t index);
    void turn(uint64_t until_ns);
    void receive(size_t index);
    void lose(Slot& slot, const std::string& why);

    const Options options_;
    const Route route_;
    const std::string request_;
    int epoll_fd_;
    std::vector<Slot> slots_;
    std::vector<size_t> answered_;  // in this turn
    size_t asked_ = 0;              // from upgrade_all(), or the first time from churn()
    uint64_t upgraded_ = 0;
    size_t lost_ = 0;
    std::string why_lost_;
};

}  // namespace wsbench
