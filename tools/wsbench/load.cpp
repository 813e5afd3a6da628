#include "load.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "http/head_scan.h"
#include "process.h"

namespace wsbench {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;
constexpr int kEventsMax = 512;
constexpr uint64_t kSecond = 1000000000;

// Handshakes under way at a time: fewer than any backlog, so that no SYN is lost and sent again a second later.
constexpr size_t kOpeningMax = 256;
constexpr uint64_t kOpeningNs = 30 * kSecond;

// From this size on a system call more, which tells the kernel to throw the payload away, costs less than copying it.
constexpr size_t kDiscardLeast = 8192;

volatile std::sig_atomic_t stop = 0;

}  // namespace

void request_stop() { stop = 1; }
bool stop_requested() { return stop != 0; }

Load::Load(const Options& options, const Route& route)
    : options_(options),
      route_(route),
      wire_(make_wire(options)),
      expected_(options.raw ? wire_.frames.substr(0, wire_.frame_size) : wire_.payload),
      rules_{options.raw, wire_.frame_size, options.verify ? &expected_ : nullptr},
      // A unix socket has no such service: it would copy to the null pointer it is given.
      discards_(options.size >= kDiscardLeast && !options.verify && route.to.ss_family == AF_INET),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      peers_(options.conns),
      buffer_(kBufferBytes) {}

Load::~Load() {
    for (const Peer& peer : peers_) {
        if (peer.fd >= 0) hang_up(peer.fd);
    }
    close(epoll_fd_);
}

// ------------------------------------------------------------------------------------------------------ connecting

bool Load::connect_one(size_t index) {
    Peer& peer = peers_[index];
    peer.fd = dial(route_, index);
    if (peer.fd < 0) return false;
    // Registered once for both directions, as in the server: no system call for a change of mind.
    epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = &peer}};
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, peer.fd, &event) != 0) return false;
    if (options_.raw) {
        peer.open = true;
        return true;
    }
    peer.urgent = upgrade_request(options_.unix_path.empty() ? options_.host + ":" + std::to_string(options_.port)
                                                             : "localhost");
    if (options_.mode == Mode::kHalfHeads) {
        peer.urgent.resize(peer.urgent.size() / 2);
    } else {
        opening_++;
    }
    send(peer);
    return true;
}

bool Load::connect_all(std::string* error) {
    const uint64_t give_up_ns = now_ns() + kOpeningNs;
    const auto wait_for = [&](size_t still_opening) {
        while (opening_ > still_opening && !stop_requested() && now_ns() < give_up_ns) turn(give_up_ns);
        return opening_ <= still_opening;
    };
    for (size_t i = 0; i < peers_.size(); i++) {
        if (!connect_one(i)) {
            *error = "connection " + std::to_string(i + 1) + ": " + std::strerror(errno);
            return false;
        }
        if (!wait_for(kOpeningMax)) break;
    }
    if (wait_for(0) && lost_ == 0) return true;
    *error = lost_ ? std::to_string(lost_) + " refused: " + why_lost_ : std::to_string(opening_) + " without an answer";
    return false;
}

// Reads the answer to the upgrade request from `*in` and leaves what follows it there. False when the connection is lost.
bool Load::read_answer(Peer& peer, wsd::Bytes* in) {
    const size_t before = peer.answer.size();
    peer.answer.append(reinterpret_cast<const char*>(in->p), in->len);
    const wsd::Bytes all = {reinterpret_cast<const uint8_t*>(peer.answer.data()), peer.answer.size()};
    wsd::http::HeadScan scan;
    wsd::http::Refusal refusal;
    const wsd::http::Step step = wsd::http::scan_head(all, {}, &scan, &refusal);
    *in = drop(*in, in->len);
    if (step == wsd::http::Step::kNeedMore) return true;
    if (step == wsd::http::Step::kRefused || !opens(take(all, scan.scanned))) {
        lose(peer, "no upgrade: " + peer.answer.substr(0, peer.answer.find('\r')));
        return false;
    }
    *in = {in->p - (peer.answer.size() - scan.scanned), peer.answer.size() - scan.scanned};
    WSD_UNUSED(before);
    opening_--;
    peer.open = true;
    peer.answer = {};
    return true;
}
