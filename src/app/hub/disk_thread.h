// A thread that waits for the disk, so that the loop does not. Jobs are done one after the other in the order in which
// they came, and what each has to say afterwards is called on the loop's thread in the same order.
//
// It calls back by a descriptor that the loop watches, and not by wsd_post(): a post may be refused while others wait,
// and cannot be taken back by one who is on the way out. There are as many jobs waiting as are handed over: who does so
// has a bound of its own, such as one append a session.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "wsd.h"

namespace app::hub {

class DiskThread {
  public:
    using Completion = std::function<void()>;  // on the loop's thread; may be empty
    using Job = std::function<Completion()>;   // on the helper's

    // Null sets `*error`. The loop's thread, as with everything here. The thread runs when this returns, so that the
    // sandbox may be entered.
    static std::unique_ptr<DiskThread> start(wsd_server* server, std::string* error);

    // Does what was handed over, but calls nobody any more.
    ~DiskThread();
    DiskThread(const DiskThread&) = delete;
    DiskThread& operator=(const DiskThread&) = delete;

    void run(Job job);

    // Waits until nothing is left to do, and calls back what is due. False: there was nothing.
    bool finish();

  private:
    explicit DiskThread(wsd_server* server) : server_(server) {}
    void work();
    bool complete();

    wsd_server* server_;
    int event_fd_ = -1;
    std::thread thread_;
    std::mutex mutex_;  // of all that follows
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    std::vector<Completion> completions_;
    bool started_ = false;
    bool busy_ = false;
    bool stopping_ = false;
};

}  // namespace app::hub
