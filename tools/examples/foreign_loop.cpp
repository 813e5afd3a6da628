// The server inside somebody else's epoll loop: no thread, no wsd_server_run(). The loop here stands for one that was
// there before, a toolkit's or another library's; what it cares about itself is its standard input, every line of which
// goes to all clients.
//
// usage: foreign_loop [ADDRESS]
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "wsd.h"

namespace {

void on_open(wsd_server* server, wsd_conn conn) {
    if (wsd_subscribe(server, conn, wsd_str_of("all")) != WSD_OK) (void)wsd_close(server, conn, 1011, nullptr, 0);
}

int fail(const char* what, int result) {
    const char* const why = result == WSD_E_SYSTEM ? std::strerror(errno) : wsd_error_text(result);
    std::fprintf(stderr, "foreign_loop: %s: %s\n", what, why);
    return 1;
}

// Publishes the whole lines of `input`, and leaves the rest there. Bytes, as nobody has checked that they are UTF-8.
void publish_lines(wsd_server* server, std::string* input) {
    size_t end;
    while ((end = input->find('\n')) != input->npos) {
        const int receivers = wsd_publish(server, wsd_str_of("all"), WSD_BINARY, input->data(), end, nullptr);
        if (receivers < 0) (void)fail("a line was lost", receivers);
        input->erase(0, end + 1);
    }
}

// Has `epoll` tell when `fd` is readable.
bool add(int epoll, int fd) {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = fd;
    return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

// The foreign loop. The server is one descriptor in it, and says how long it may sleep at most.
int loop(int epoll, int signals, wsd_server* server) {
    std::string input;
    for (;;) {
        epoll_event events[16];
        const int count = epoll_wait(epoll, events, 16, wsd_server_timeout(server));
        if (count < 0 && errno != EINTR) return fail("epoll_wait", WSD_E_SYSTEM);
        for (int i = 0; i < count; i++) {
            char buffer[4096];
            if (events[i].data.fd == wsd_server_fd(server)) continue;  // taken up below, as when its time has come
            const ssize_t n = read(events[i].data.fd, buffer, sizeof buffer);
            if (events[i].data.fd == signals) {
                (void)wsd_server_drain(server, 5000);
            } else if (n > 0) {
                publish_lines(server, &input.append(buffer, size_t(n)));
            } else {  // the end, which would be told for ever
                (void)epoll_ctl(epoll, EPOLL_CTL_DEL, events[i].data.fd, nullptr);
            }
        }
        const int more = wsd_server_poll(server, 0);
        if (more < 0) return fail("cannot go on", more);
        if (more == 0) return 0;  // drained
    }
}

}  // namespace

int main(int argc, char** argv) {
    const char* const address = argc > 1 ? argv[1] : "127.0.0.1:9001";
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_open = on_open;
    wsd_server* server = nullptr;
    const int made = wsd_server_new(nullptr, &callbacks, &server);
    if (made != WSD_OK) return fail("cannot start", made);
    const int listener = wsd_server_listen(server, address);
    if (listener < 0) return fail(address, listener);

    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    const int signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!add(epoll, signals) || !add(epoll, wsd_server_fd(server))) return fail("epoll", WSD_E_SYSTEM);
    (void)add(epoll, STDIN_FILENO);  // refused for a file, which this program then does without

    char actual[128] = "";
    (void)wsd_server_address(server, listener, actual, sizeof actual);
    std::printf("listening on %s\n", actual);
    std::fflush(stdout);
    const int status = loop(epoll, signals, server);
    (void)wsd_server_free(server);
    close(signals);
    close(epoll);
    return status;
}
