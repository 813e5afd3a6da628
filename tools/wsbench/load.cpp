#include "load.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "http/head_scan.h"
#include "process.h"
#include "ws/pmd.h"

namespace wsbench {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;
constexpr int kEventsMax = 512;
constexpr uint64_t kSecond = 1000000000;

// Handshakes under way at a time: fewer than any backlog, so that no SYN is lost and sent again a second later.
constexpr size_t kOpeningMax = 256;
constexpr uint64_t kOpeningNs = 30 * kSecond;

// From this size on a system call more, which has the kernel throw the payload away, costs less than copying it; at
// 64 KiB it was measured to cost more.
constexpr size_t kDiscardLeast = 128 * 1024;

volatile std::sig_atomic_t stop = 0;

}  // namespace

void request_stop() { stop = 1; }
bool stop_requested() { return stop != 0; }

Load::Load(const Options& options, const Route& route)
    : options_(options),
      route_(route),
      wire_(make_wire(options)),
      expected_(options.raw ? wire_.frames.substr(0, wire_.frame_size) : wire_.payload),
      rules_{options.raw, wire_.frame_size, options.deflate ? wsd::ws::kRsv1 : uint8_t(0),
             options.verify ? &expected_ : nullptr},
      // A unix socket has no such service: it would copy to the null pointer it is given.
      discards_(options.size >= kDiscardLeast && !options.verify && route.to.ss_family == AF_INET),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      peers_(options.conns),
      buffer_(kBufferBytes),
      active_(options.publish  ? 1
              : options.active ? options.active
                               : options.conns) {}

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
    peer.urgent =
        upgrade_request(options_.unix_path.empty() ? options_.host + ":" + std::to_string(options_.port) : "localhost",
                        options_.deflate);
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

// Reads on in the answer to the upgrade request and leaves what follows it in `*in`. False when it is the wrong one.
bool Load::read_answer(Peer& peer, wsd::Bytes* in) {
    const size_t before = peer.answer.size();
    peer.answer.append(reinterpret_cast<const char*>(in->p), in->len);
    const wsd::Bytes all = {reinterpret_cast<const uint8_t*>(peer.answer.data()), peer.answer.size()};
    wsd::http::HeadScan scan;
    wsd::http::Refusal refusal;
    const wsd::http::Step step = wsd::http::scan_head(all, {}, &scan, &refusal);
    if (step == wsd::http::Step::kNeedMore) {
        *in = {};
        return true;
    }
    if (step == wsd::http::Step::kRefused || !opens(take(all, scan.scanned), options_.deflate)) {
        lose(peer, "no upgrade: " + peer.answer.substr(0, peer.answer.find('\r')));
        return false;
    }
    *in = drop(*in, scan.scanned - before);
    peer.answer = {};
    peer.open = true;
    opening_--;
    return true;
}

// --------------------------------------------------------------------------------------------------------- the loop

void Load::begin() {
    flowing_ = true;
    began_ns_ = now_ns();
    if (options_.rate > 0) return;
    const size_t window = options_.publish ? options_.publish : options_.depth;
    for (size_t i = 0; i < active_; i++) {
        Peer& peer = peers_[i];
        if (!peer.open) continue;
        peer.to_begin = options_.messages ? options_.messages : UINT64_MAX;
        start(peer, std::min<uint64_t>(window, peer.to_begin), began_ns_);
        send(peer);
    }
}

void Load::run(uint64_t until_ns) {
    while (lost_ < peers_.size() && !stop_requested() && now_ns() < until_ns) turn(until_ns);
}

void Load::run_to_the_end() {
    while (done_ + lost_ < active_ && !stop_requested()) turn(UINT64_MAX);
}

// Sends every message of an open loop that is due. Returns when the next one is.
uint64_t Load::send_due() {
    const auto due_ns = [&] { return began_ns_ + uint64_t(double(due_count_) * double(kSecond) / options_.rate); };
    for (const uint64_t now = now_ns(); due_ns() <= now && lost_ < active_; next_peer_++) {
        Peer& peer = peers_[next_peer_ % active_];
        if (!peer.open) continue;
        start(peer, 1, due_ns());
        due_count_++;
        send(peer);
    }
    return due_ns();
}

void Load::turn(uint64_t until_ns) {
    if (flowing_ && options_.rate > 0) until_ns = std::min(until_ns, send_due());
    const uint64_t now = now_ns();
    const uint64_t left_ns = until_ns > now ? until_ns - now : 0;
    const timespec timeout = {time_t(left_ns / kSecond), long(left_ns % kSecond)};
    sigset_t none;
    sigemptyset(&none);  // signals are blocked but here, so that none slips in between the look at `stop` and the wait
    epoll_event events[kEventsMax];
    const int n = epoll_pwait2(epoll_fd_, events, kEventsMax, &timeout, &none);
    for (int i = 0; i < n; i++) ready(*static_cast<Peer*>(events[i].data.ptr), events[i].events);
}

void Load::ready(Peer& peer, uint32_t events) {
    if (events & EPOLLOUT) peer.writable = true;
    if (events & ~uint32_t(EPOLLOUT)) receive(peer, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    send(peer);
}

// -------------------------------------------------------------------------------------------------------- receiving

// Reads until the socket is empty, which a read that is not filled tells as well as EAGAIN, but for the end of the
// stream: that follows `to_the_end` only.
void Load::receive(Peer& peer, bool to_the_end) {
    while (peer.fd >= 0) {
        const bool discard = discards_ && peer.reader.left() > 0;
        // Where a payload is going to be discarded, no more of it is read with the header than a header may have.
        const size_t room = discard                  ? size_t(peer.reader.left())
                            : discards_ && peer.open ? wsd::ws::kFrameHeaderMax
                                                     : buffer_.size();
        const ssize_t n = recv(peer.fd, discard ? nullptr : buffer_.data(), room, discard ? MSG_TRUNC : 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return lose(peer, n == 0 ? "the server ended the connection" : std::strerror(errno));
        Heard heard;
        if (discard) {
            peer.reader.skip(rules_, uint64_t(n), &heard);
        } else if (!read(peer, {buffer_.data(), size_t(n)}, &heard)) {
            return;
        }
        if (!account(peer, heard)) return;
        // With all echoes in, only a ping could still be there, and the next edge is early enough for it.
        const bool all_in = !options_.publish && heard.messages > 0 && peer.flight.empty();
        if ((size_t(n) < room || all_in) && !to_the_end) return;
    }
}

// False when the connection is lost.
bool Load::read(Peer& peer, wsd::Bytes in, Heard* heard) {
    if (options_.mode == Mode::kHalfHeads) return true;  // whatever is said to half a head, we wait for the end
    if (!peer.open && !read_answer(peer, &in)) return false;
    if (in.len) peer.reader.read(rules_, in, heard);
    return true;
}

// Takes in what was heard, and starts the messages that follow from it. False when the connection is lost.
bool Load::account(Peer& peer, const Heard& heard) {
    if (heard.pinged) peer.urgent += pong_frame({heard.ping, heard.ping_len});
    messages_ += heard.messages;
    Peer& sender = options_.publish ? peers_.front() : peer;
    const uint64_t done = options_.publish ? publishes_done(heard.messages) : heard.messages;
    const bool unexpected = done > 0 && sender.open && !take_echoes(sender, done);
    if (heard.wrong || heard.closed || unexpected) {
        lose(peer, heard.wrong ? heard.wrong : heard.closed ? "the server closed" : "more messages than were sent");
        return false;
    }
    if (done > 0 && &sender != &peer) send(sender);
    return true;
}

// A publish is done when as many messages have come as there are connections. With several in flight a connection may
// be ahead of another, so that this counts the oldest as done a little early; the number in flight is held all the
// same.
uint64_t Load::publishes_done(uint64_t messages) {
    delivered_ += messages;
    const uint64_t done = delivered_ / peers_.size();
    delivered_ %= peers_.size();
    return done;
}

// Takes `count` messages out of the flight and, in a closed loop, sends as many. False when there were fewer.
bool Load::take_echoes(Peer& peer, uint64_t count) {
    const uint64_t now = now_ns();
    uint64_t left = count;
    while (left > 0 && !peer.flight.empty()) {
        Batch& oldest = peer.flight.front();
        const uint64_t n = std::min(left, oldest.count);
        latency_.add(now - oldest.since_ns, n);
        left -= n;
        oldest.count -= n;
        if (oldest.count == 0) peer.flight.pop_front();
    }
    if (left > 0) return false;
    if (options_.rate > 0) return true;
    start(peer, std::min(count, peer.to_begin), now);
    peer.done = peer.flight.empty();
    done_ += peer.done;
    return true;
}

// ---------------------------------------------------------------------------------------------------------- sending

void Load::start(Peer& peer, uint64_t messages, uint64_t since_ns) {
    if (messages == 0) return;
    peer.to_begin -= messages;
    peer.owed_bytes += messages * wire_.frame_size;
    peer.flight.push_back({since_ns, messages});
}

void Load::send(Peer& peer) {
    while (peer.fd >= 0 && peer.writable && (peer.owed_bytes || !peer.urgent.empty())) {
        const bool urgent = !peer.urgent.empty() && peer.frame_done == 0;
        // Whatever is urgent goes between two frames: until the one that is on its way ends, nothing else may.
        const uint64_t may = peer.urgent.empty() ? peer.owed_bytes : wire_.frame_size - peer.frame_done;
        const wsd::Bytes bytes =
            urgent ? wsd::Bytes{reinterpret_cast<const uint8_t*>(peer.urgent.data()), peer.urgent.size()}
                   : wire_.next(peer.frame_done, may);
        const ssize_t n = ::send(peer.fd, bytes.p, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return lose(peer, std::strerror(errno));
        peer.writable = n == ssize_t(bytes.len);
        if (n < 0) return;
        if (urgent) {
            peer.urgent.erase(0, size_t(n));
        } else {
            peer.owed_bytes -= uint64_t(n);
            peer.frame_done = (peer.frame_done + size_t(n)) % wire_.frame_size;
        }
    }
}

void Load::lose(Peer& peer, const std::string& why) {
    if (lost_++ == 0) why_lost_ = why;
    hang_up(peer.fd);
    peer.fd = -1;
    if (peer.done) done_--;
    if (!peer.open && options_.mode != Mode::kHalfHeads) opening_--;
    peer.open = false;
}

// --------------------------------------------------------------------------------------------------------- counting

void Load::clear_counts() {
    latency_.clear();
    messages_ = 0;
    unanswered_ = 0;
}

void Load::count_unanswered() {
    if (options_.rate == 0) return;
    const uint64_t now = now_ns();
    for (const Peer& peer : peers_) {
        for (const Batch& batch : peer.flight) {
            latency_.add(now - batch.since_ns, batch.count);
            unanswered_ += batch.count;
        }
    }
}

}  // namespace wsbench
