// Sends a file as one message to everybody who connects, however large it is and however slowly they read: each
// connection has one piece of it in hand and at most 256 KiB queued. The next piece is read from the file when the last
// has gone into the queue, and the queue itself says when it has room.
//
// Reading blocks the loop for as long as the disk takes. Where that matters, have threads read ahead: see threads.cpp.
//
// usage: stream_file FILE [ADDRESS]
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "wsd.h"

namespace {

constexpr size_t kPieceBytes = 64 * 1024;

struct File {
    int fd;
    off_t size;
};

// How far a connection has come.
struct Stream {
    off_t offset = 0;
    bool done = false;
};

// Sends pieces until the queue is full: on_drain then goes on here.
void send_pieces(wsd_server* server, wsd_conn conn) {
    const File& file = *static_cast<const File*>(wsd_context(server));
    Stream& stream = *static_cast<Stream*>(wsd_user(server, conn));
    static char piece[kPieceBytes];  // one loop, one thread, and what is sent is not kept
    while (!stream.done) {
        const ssize_t n = pread(file.fd, piece, sizeof piece, stream.offset);
        if (n < 0 || (n == 0 && stream.offset < file.size)) {  // unreadable, or cut short by somebody
            (void)wsd_close(server, conn, 1011, "file changed", 12);
            return;
        }
        const bool final = stream.offset + n >= file.size;
        const int sent = wsd_send_fragment(server, conn, WSD_BINARY, piece, size_t(n), final);
        if (sent == WSD_E_AGAIN || sent == WSD_E_CLOSED) return;  // not queued: it is read again, or not wanted
        if (sent != WSD_OK) {
            (void)wsd_abort(server, conn);  // half a message cannot be ended in order
            return;
        }
        stream.offset += n;
        stream.done = final;
    }
    (void)wsd_close(server, conn, 1000, nullptr, 0);  // goes out behind the last piece
}

void on_open(wsd_server* server, wsd_conn conn) {
    if (wsd_set_user(server, conn, new Stream) == WSD_OK) send_pieces(server, conn);
}

void on_drain(wsd_server* server, wsd_conn conn) { send_pieces(server, conn); }

void on_close(wsd_server* server, wsd_conn conn, const wsd_close_info*) {
    delete static_cast<Stream*>(wsd_user(server, conn));
}

wsd_server* running;
void drain(wsd_server* server, void*) { (void)wsd_server_drain(server, 5000); }
void on_signal(int) { (void)wsd_post(running, drain, nullptr); }

int fail(const char* what, int result) {
    const char* const why = result == WSD_E_SYSTEM ? std::strerror(errno) : wsd_error_text(result);
    std::fprintf(stderr, "stream_file: %s: %s\n", what, why);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fputs("usage: stream_file FILE [ADDRESS]\n", stderr), 2;
    const char* const address = argc > 2 ? argv[2] : "127.0.0.1:9001";
    struct stat about;
    File file = {open(argv[1], O_RDONLY | O_CLOEXEC), 0};
    if (file.fd < 0 || fstat(file.fd, &about) != 0) return fail(argv[1], WSD_E_SYSTEM);
    file.size = about.st_size;

    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.context = &file;
    config.send_high_bytes = 256 * 1024;
    config.send_low_bytes = kPieceBytes;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_open = on_open;
    callbacks.on_drain = on_drain;
    callbacks.on_close = on_close;
    const int made = wsd_server_new(&config, &callbacks, &running);
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
    close(file.fd);
    return ran == WSD_OK ? 0 : fail("cannot go on", ran);
}
