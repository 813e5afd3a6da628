// All connections of a run and the loop that serves them. A closed loop sends a message for every echo that comes; an
// open one (--rate) sends when a message is due, and counts its latency from then, so that a server that stalls is
// charged for every message that had to wait, and not only for those that were in flight. A publishing one (--publish)
// sends on its first connection what a server sends on to all, and counts what all receive.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "dial.h"
#include "echo_reader.h"
#include "histogram.h"
#include "options.h"
#include "wire.h"

namespace wsbench {

// Asks the loop to end; for signal handlers.
void request_stop();
bool stop_requested();

// Messages that were sent, or were due, at one time and have not come back.
struct Batch {
    uint64_t since_ns;
    uint64_t count;
};

struct Peer {
    int fd = -1;               // -1: not connected yet, or lost
    bool open = false;         // messages may be sent
    bool done = false;         // all its messages have come back
    bool writable = true;      // cleared when the kernel takes no more, set by the edge that follows
    std::string answer;        // to the upgrade request, as far as it has come
    std::string urgent;        // goes out before the next frame begins: the upgrade request, pongs
    size_t frame_done = 0;     // bytes sent of the frame that is on its way
    uint64_t owed_bytes = 0;   // of frames, not yet sent
    uint64_t to_begin = 0;     // messages that this connection has not begun
    std::deque<Batch> flight;  // oldest first
    EchoReader reader;
};

class Load {
  public:
    Load(const Options& options, const Route& route);
    ~Load();
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    // Opens every connection; false, with the reason, if one cannot be had. Not to be called twice.
    [[nodiscard]] bool connect_all(std::string* error);

    // Lets messages flow.
    void begin();

    // Serves the connections until `until_ns`, a stop is requested or none is left.
    void run(uint64_t until_ns);

    // Serves them until each has had its messages echoed or is lost, or a stop is requested.
    void run_to_the_end();

    // Counts from here on.
    void clear_counts();

    // Counts the messages that an open loop still waits for as if they came now, lest the worst go untold.
    void count_unanswered();

    uint64_t messages() const { return messages_; }  // that came, on all connections
    uint64_t unanswered() const { return unanswered_; }
    const Histogram& latency() const { return latency_; }  // in ns; of publishes, until all had received it
    size_t lost() const { return lost_; }
    const std::string& why_lost() const { return why_lost_; }  // of the first

  private:
    bool connect_one(size_t index);
    void turn(uint64_t until_ns);
    uint64_t send_due();
    void ready(Peer& peer, uint32_t events);
    void receive(Peer& peer, bool to_the_end);
    bool read(Peer& peer, wsd::Bytes in, Heard* heard);
    bool read_answer(Peer& peer, wsd::Bytes* in);
    bool account(Peer& peer, const Heard& heard);
    bool take_echoes(Peer& peer, uint64_t count);
    uint64_t publishes_done(uint64_t messages);
    void start(Peer& peer, uint64_t messages, uint64_t since_ns);
    void send(Peer& peer);
    void lose(Peer& peer, const std::string& why);

    const Options options_;
    const Route route_;
    const Wire wire_;
    const std::string expected_;  // of each message, where they are compared
    const EchoRules rules_;
    const bool discards_;  // payloads are thrown away by the kernel, unseen

    int epoll_fd_ = -1;
    std::vector<Peer> peers_;
    std::vector<uint8_t> buffer_;
    const size_t active_;  // the first so many of the peers send
    size_t opening_ = 0;   // connections whose handshake is not done
    size_t done_ = 0;      // connections that have nothing left to do
    size_t lost_ = 0;
    std::string why_lost_;

    bool flowing_ = false;
    uint64_t began_ns_ = 0;
    uint64_t due_count_ = 0;  // of an open loop's messages, sent since then
    size_t next_peer_ = 0;    // whose turn is next in an open loop

    uint64_t delivered_ = 0;  // messages of publishes that not all have received

    Histogram latency_;
    uint64_t messages_ = 0;
    uint64_t unanswered_ = 0;
};

}  // namespace wsbench
