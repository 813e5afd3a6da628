#include "app/hub/disk_thread.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

namespace app::hub {

std::unique_ptr<DiskThread> DiskThread::start(wsd_server* server, std::string* error) {
    std::unique_ptr<DiskThread> made(new DiskThread(server));
    DiskThread* const self = made.get();
    made->event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const auto ready = [](wsd_server*, int, unsigned, void* arg) { static_cast<DiskThread*>(arg)->complete(); };
    if (made->event_fd_ < 0 || wsd_watch(server, made->event_fd_, WSD_READABLE, ready, self) != WSD_OK) {
        *error = std::string("no descriptor for the disk's thread: ") + std::strerror(errno);
        return nullptr;
    }
    // Signals are for the loop's thread. A file beyond RLIMIT_FSIZE is an error to the one who writes, not the end.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        made->thread_ = std::thread([self] { self->work(); });
    } catch (const std::system_error& failure) {
        *error = std::string("no thread for the disk: ") + failure.what();
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!made->thread_.joinable()) return nullptr;
    // A thread begins with system calls that the sandbox does not know, and libc ends the process where one fails.
    std::unique_lock lock(made->mutex_);
    made->changed_.wait(lock, [self] { return self->started_; });
    lock.unlock();
    return made;
}

DiskThread::~DiskThread() {
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    if (event_fd_ < 0) return;
    (void)wsd_unwatch(server_, event_fd_);  // it may never have been watched
    close(event_fd_);
}

void DiskThread::run(Job job) {
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
    }
    changed_.notify_all();
}

void DiskThread::work() {
    std::unique_lock lock(mutex_);
    started_ = true;
    changed_.notify_all();
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        busy_ = true;
        lock.unlock();
        Completion completion = job();
        job = nullptr;  // what it holds is let go before anybody hears that it is done
        lock.lock();
        busy_ = false;
        completions_.push_back(std::move(completion));
        const uint64_t one = 1;
        if (completions_.size() == 1) (void)!write(event_fd_, &one, sizeof one);  // a counter that low takes it
        changed_.notify_all();
    }
}

bool DiskThread::complete() {
    std::vector<Completion> due;
    {
        const std::lock_guard lock(mutex_);
        uint64_t count = 0;
        (void)!read(event_fd_, &count, sizeof count);  // nothing is there where finish() was first
        due.swap(completions_);
    }
    for (const Completion& completion : due) {
        if (completion) completion();
    }
    return !due.empty();
}

bool DiskThread::finish() {
    bool any = false;
    do {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return jobs_.empty() && !busy_; });
        lock.unlock();
        any = complete() || any;
        lock.lock();
        if (jobs_.empty() && !busy_ && completions_.empty()) return any;
    } while (true);
}

}  // namespace app::hub
