#include "handshakes.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "http/head_scan.h"
#include "load.h"
#include "process.h"
#include "wire.h"

namespace wsbench {
namespace {

constexpr int kEventsMax = 512;
constexpr uint64_t kSecond = 1000000000;

// Requests without an answer at a time.
constexpr size_t kAskedMax = 256;

// Connections that are made between two rests, in which the slowest server accepts them: a SYN that finds the backlog
// full is sent again a second later, which would measure that second. No server has a shorter backlog than 128.
constexpr size_t kDialledMax = 100;
constexpr useconds_t kRestUs = 10000;

}  // namespace

Handshakes::Handshakes(const Options& options, const Route& route)
    : options_(options),
      route_(route),
      request_(upgrade_request(options.host + ":" + std::to_string(options.port), options.deflate)),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      slots_(options.conns) {}

Handshakes::~Handshakes() {
    for (const Slot& slot : slots_) {
        if (slot.fd >= 0) hang_up(slot.fd);
    }
    close(epoll_fd_);
}

bool Handshakes::connect_one(size_t index) {
    Slot& slot = slots_[index];
    slot.fd = dial(route_, index);
    if (slot.fd < 0) return false;
    epoll_event event = {EPOLLIN, {.u64 = index}};
    return epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, slot.fd, &event) == 0;
}

bool Handshakes::connect_all(std::string* error) {
    for (size_t i = 0; i < slots_.size() && !stop_requested(); i++) {
        if (!connect_one(i)) {
            *error = "connection " + std::to_string(i + 1) + ": " + std::strerror(errno);
            return false;
        }
        if (i % kDialledMax == kDialledMax - 1) usleep(kRestUs);
    }
    usleep(10 * kRestUs);
    return true;
}

void Handshakes::upgrade_all(uint64_t until_ns) {
    while (upgraded_ + lost_ < slots_.size() && !stop_requested() && now_ns() < until_ns) {
        while (asked_ < slots_.size() && asked_ < upgraded_ + lost_ + kAskedMax) ask(asked_++);
        turn(until_ns);
    }
}

void Handshakes::churn(uint64_t until_ns) {
    while (asked_ < slots_.size()) ask(asked_++);
    while (lost_ < slots_.size() && !stop_requested() && now_ns() < until_ns) {
        turn(until_ns);
        for (const size_t index : answered_) {
            hang_up(slots_[index].fd);
            slots_[index].fd = -1;
            if (connect_one(index)) {
                ask(index);
            } else {
                lose(slots_[index], std::strerror(errno));
            }
        }
    }
}

void Handshakes::ask(size_t index) {
    Slot& slot = slots_[index];
    slot.answer.clear();
    // A request is far smaller than the empty send buffer it goes into.
    const ssize_t n = send(slot.fd, request_.data(), request_.size(), MSG_NOSIGNAL);
    if (n != ssize_t(request_.size())) lose(slot, n < 0 ? std::strerror(errno) : "the request was not taken whole");
}

void Handshakes::turn(uint64_t until_ns) {
    answered_.clear();
    const uint64_t now = now_ns();
    const uint64_t left_ns = until_ns > now ? until_ns - now : 0;
    const timespec timeout = {time_t(left_ns / kSecond), long(left_ns % kSecond)};
    sigset_t none;
    sigemptyset(&none);
    epoll_event events[kEventsMax];
    const int n = epoll_pwait2(epoll_fd_, events, kEventsMax, &timeout, &none);
    for (int i = 0; i < n; i++) receive(size_t(events[i].data.u64));
}

void Handshakes::receive(size_t index) {
    Slot& slot = slots_[index];
    char buffer[4096];
    const ssize_t n = recv(slot.fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return lose(slot, n == 0 ? "the server ended the connection" : std::strerror(errno));
    slot.answer.append(buffer, size_t(n));
    const wsd::Bytes all = {reinterpret_cast<const uint8_t*>(slot.answer.data()), slot.answer.size()};
    wsd::http::HeadScan scan;
    wsd::http::Refusal refusal;
    const wsd::http::Step step = wsd::http::scan_head(all, {}, &scan, &refusal);
    if (step == wsd::http::Step::kNeedMore) return;
    if (step == wsd::http::Step::kRefused || !opens(take(all, scan.scanned), options_.deflate)) {
        return lose(slot, "no upgrade: " + slot.answer.substr(0, slot.answer.find('\r')));
    }
    upgraded_++;
    answered_.push_back(index);
}

void Handshakes::lose(Slot& slot, const std::string& why) {
    if (lost_++ == 0) why_lost_ = why;
    if (slot.fd >= 0) hang_up(slot.fd);
    slot.fd = -1;
}

}  // namespace wsbench
