// Sends every message back to who sent it, and holds no more of it than one message a connection: a client that sends
// but does not read is not read from either, until it has taken what it is owed.
//
// usage: echo [ADDRESS]
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "wsd.h"

namespace {

// The message that found the queue full. Most connections never have one.
struct Held {
    wsd_opcode opcode;
    std::string data;
};

void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    const int sent = wsd_send(server, conn, opcode, data, len);
    if (sent == WSD_OK || sent == WSD_E_CLOSED) return;
    if (sent != WSD_E_AGAIN) {  // out of memory: better to say so than to leave a message out
        (void)wsd_close(server, conn, 1011, nullptr, 0);
        return;
    }
    auto held = std::make_unique<Held>(Held{opcode, std::string(static_cast<const char*>(data), len)});
    if (wsd_pause(server, conn) == WSD_OK && wsd_set_user(server, conn, held.get()) == WSD_OK)
        (void)held.release();  // on_drain or on_close frees it
}

// There is room again.
void on_drain(wsd_server* server, wsd_conn conn) {
    const std::unique_ptr<Held> held(static_cast<Held*>(wsd_user(server, conn)));
    if (!held) return;
    (void)wsd_set_user(server, conn, nullptr);  // the connection lives, or this would not have been called
    (void)wsd_resume(server, conn);
    on_message(server, conn, held->opcode, held->data.data(), held->data.size());
}

void on_close(wsd_server* server, wsd_conn conn, const wsd_close_info*) {
    delete static_cast<Held*>(wsd_user(server, conn));
}

// wsd_post() is safe in a signal handler, and its function then runs where every function of the library may be called.
wsd_server* running;
void drain(wsd_server* server, void*) { (void)wsd_server_drain(server, 5000); }  // clients get 1001; cut after 5 s
void on_signal(int) { (void)wsd_post(running, drain, nullptr); }

int fail(const char* what, int result) {
    const char* const why = result == WSD_E_SYSTEM ? std::strerror(errno) : wsd_error_text(result);
    std::fprintf(stderr, "echo: %s: %s\n", what, why);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const char* const address = argc > 1 ? argv[1] : "127.0.0.1:9001";
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_message = on_message;
    callbacks.on_drain = on_drain;
    callbacks.on_close = on_close;
    const int made = wsd_server_new(nullptr, &callbacks, &running);
    if (made != WSD_OK) return fail("cannot start", made);
    const int listener = wsd_server_listen(running, address);
    if (listener < 0) return fail(address, listener);
    std::signal(SIGTERM, on_signal);
    std::signal(SIGINT, on_signal);

    char actual[128] = "";
    (void)wsd_server_address(running, listener, actual, sizeof actual);
    std::printf("listening on %s\n", actual);
    std::fflush(stdout);

    const int ran = wsd_server_run(running);
    (void)wsd_server_free(running);
    return ran == WSD_OK ? 0 : fail("cannot go on", ran);
}
