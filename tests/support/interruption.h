// Signals that interrupt the system calls of the calling thread, for as long as the object lives.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <thread>

namespace test {

class Interruption {
  public:
    // `handler` is called for each signal, in the calling thread; SIGUSR1 is as it was afterwards.
    explicit Interruption(void (*handler)(int)) {
        struct sigaction action = {};
        action.sa_handler = handler;  // without SA_RESTART: the call is told
        sigaction(SIGUSR1, &action, &before_);
        thread_ = std::thread([this, target = pthread_self()] {
            while (!over_) {
                pthread_kill(target, SIGUSR1);
                std::this_thread::yield();
            }
        });
    }
    ~Interruption() {
        over_ = true;
        thread_.join();
        sigaction(SIGUSR1, &before_, nullptr);
    }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

  private:
    struct sigaction before_ = {};
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

}  // namespace test
