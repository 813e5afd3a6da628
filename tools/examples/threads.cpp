// Slow work on other threads: clients send a number and get its prime factors. The loop only takes questions and hands
// out answers; a client that leaves meanwhile is no trouble, as its name then answers WSD_E_CLOSED and nothing else.
//
// usage: threads [ADDRESS]
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "wsd.h"

namespace {

constexpr size_t kWaitingMax = 1000;  // questions; further ones are told so at once, and do not pile up

struct Job {
    wsd_conn conn;
    uint64_t number;
    std::string answer;
};

struct Work {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::deque<Job> waiting, done;
};

// Work that may take long asks now and then whether it is still wanted, or the program could not end.
std::string factors_of(uint64_t number, const std::stop_token& stop) {
    std::string text = std::to_string(number) + " =";
    for (uint64_t factor = 2; number > 1; factor++) {
        if (factor % 65536 == 0 && stop.stop_requested()) return {};
        if (factor > number / factor) factor = number;  // what is left is a prime
        for (; number % factor == 0; number /= factor) text += " " + std::to_string(factor);
    }
    return text;
}

// A client that asks without reading the answers is let go.
void answer(wsd_server* server, wsd_conn conn, const std::string& text) {
    wsd_send_options options = {};
    options.size = sizeof options;
    options.full = WSD_FULL_CLOSE;
    const int sent = wsd_send_with(server, conn, WSD_TEXT, text.data(), text.size(), &options);
    if (sent == WSD_E_NOMEM) (void)wsd_abort(server, conn);
}

// On the loop: hands out what is done.
void hand_out(wsd_server* server, void*) {
    Work& work = *static_cast<Work*>(wsd_context(server));
    std::unique_lock lock(work.mutex);
    const std::deque<Job> done = std::exchange(work.done, {});
    lock.unlock();
    for (const Job& job : done) answer(server, job.conn, job.answer);
}

// Each of the threads. Answers wait in `done`, and the post only says so: one that the loop never takes loses no
// memory, and one that finds the queue of posts full can be left out, as those in it will do.
void run_jobs(const std::stop_token& stop, wsd_server* server, Work& work) {
    std::unique_lock lock(work.mutex);
    while (work.changed.wait(lock, stop, [&] { return !work.waiting.empty(); })) {
        Job job = std::move(work.waiting.front());
        work.waiting.pop_front();
        lock.unlock();
        job.answer = factors_of(job.number, stop);
        lock.lock();
        work.done.push_back(std::move(job));
        (void)wsd_post(server, hand_out, nullptr);
    }
}

void on_message(wsd_server* server, wsd_conn conn, wsd_opcode, const void* data, size_t len) {
    Work& work = *static_cast<Work*>(wsd_context(server));
    const char* const text = static_cast<const char*>(data);
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text, text + len, number);
    if (error != std::errc() || end != text + len || number == 0) return answer(server, conn, "not a number");
    std::unique_lock lock(work.mutex);
    if (work.waiting.size() >= kWaitingMax) {
        lock.unlock();
        return answer(server, conn, "busy");
    }
    work.waiting.push_back({conn, number, {}});
    work.changed.notify_one();
}

wsd_server* running;
void drain(wsd_server* server, void*) { (void)wsd_server_drain(server, 5000); }
void on_signal(int) { (void)wsd_post(running, drain, nullptr); }

int fail(const char* what, int result) {
    const char* const why = result == WSD_E_SYSTEM ? std::strerror(errno) : wsd_error_text(result);
    std::fprintf(stderr, "threads: %s: %s\n", what, why);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const char* const address = argc > 1 ? argv[1] : "127.0.0.1:9001";
    Work work;
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.context = &work;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_message = on_message;
    const int made = wsd_server_new(&config, &callbacks, &running);
    if (made != WSD_OK) return fail("cannot start", made);
    const int listener = wsd_server_listen(running, address);
    if (listener < 0) return fail(address, listener);
    std::signal(SIGTERM, on_signal);
    std::signal(SIGINT, on_signal);
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); i++)
        threads.emplace_back(run_jobs, running, std::ref(work));

    char actual[128] = "";
    (void)wsd_server_address(running, listener, actual, sizeof actual);
    std::printf("listening on %s\n", actual);
    std::fflush(stdout);
    const int ran = wsd_server_run(running);
    threads.clear();  // have ended before the server does that they post to
    (void)wsd_server_free(running);
    return ran == WSD_OK ? 0 : fail("cannot go on", ran);
}
