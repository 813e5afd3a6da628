// A ticker: prices that change ten times a second, published to whoever subscribes to them. A client that is slow gets
// fewer of them, and never an old one: a price takes the place of the same one that still waits in its queue.
//
// Clients say "subscribe ACME" and "unsubscribe ACME", and get lines such as "ACME 100.25".
//
// usage: publish [ADDRESS]
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "wsd.h"

namespace {

constexpr uint64_t kInterval = 100;  // milliseconds

struct Share {
    const char* name;
    int cents;
};

struct Ticker {
    std::array<Share, 3> shares = {{{"ACME", 10000}, {"INIT", 2500}, {"UMBR", 66600}}};
    uint64_t next_ms = 0;
};

// The next time is counted from the last one and not from now, or every round would come a little later.
void tick(wsd_server* server, void* arg) {
    Ticker& ticker = *static_cast<Ticker*>(arg);
    wsd_publish_options options = {};
    options.size = sizeof options;
    options.full = WSD_FULL_REPLACE;
    for (Share& share : ticker.shares) {
        share.cents += 25;
        options.key++;  // one for each share: what is replaced is its own price
        char line[64];
        const int len =
            std::snprintf(line, sizeof line, "%s %d.%02d", share.name, share.cents / 100, share.cents % 100);
        const int receivers = wsd_publish(server, wsd_str_of(share.name), WSD_TEXT, line, size_t(len), &options);
        if (receivers < 0) std::fprintf(stderr, "publish: %s: %s\n", share.name, wsd_error_text(receivers));
    }
    const uint64_t now_ms = wsd_now_ms(server);
    ticker.next_ms = std::max(ticker.next_ms + kInterval, now_ms);
    if (wsd_timer_start(server, ticker.next_ms - now_ms, tick, &ticker, nullptr) == WSD_OK) return;
    std::fputs("publish: out of memory for the next round\n", stderr);
    wsd_server_stop(server);
}

bool is_share(const Ticker& ticker, std::string_view name) {
    for (const Share& share : ticker.shares)
        if (share.name == name) return true;
    return false;
}

// Topics are whatever clients are let to name, so that what they say is judged first.
void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    const std::string_view line(static_cast<const char*>(data), len);
    const size_t space = line.find(' ');
    const std::string_view verb = line.substr(0, space);
    const std::string_view name = space == line.npos ? std::string_view() : line.substr(space + 1);
    int result = WSD_E_INVALID;
    if (is_share(*static_cast<const Ticker*>(wsd_context(server)), name)) {
        if (verb == "subscribe") result = wsd_subscribe(server, conn, {name.data(), name.size()});
        if (verb == "unsubscribe") result = wsd_unsubscribe(server, conn, {name.data(), name.size()});
    }
    const std::string answer = std::string(result == WSD_OK ? "ok " : "cannot ") + std::string(line);
    // Whoever asks without reading the answers is let go.
    wsd_send_options options = {};
    options.size = sizeof options;
    options.full = WSD_FULL_CLOSE;
    (void)wsd_send_with(server, conn, opcode, answer.data(), answer.size(), &options);
}

wsd_server* running;
void drain(wsd_server* server, void*) { (void)wsd_server_drain(server, 5000); }
void on_signal(int) { (void)wsd_post(running, drain, nullptr); }

int fail(const char* what, int result) {
    const char* const why = result == WSD_E_SYSTEM ? std::strerror(errno) : wsd_error_text(result);
    std::fprintf(stderr, "publish: %s: %s\n", what, why);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const char* const address = argc > 1 ? argv[1] : "127.0.0.1:9001";
    Ticker ticker;
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.context = &ticker;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_message = on_message;
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
    ticker.next_ms = wsd_now_ms(running);
    const int started = wsd_timer_start(running, 0, tick, &ticker, nullptr);
    if (started != WSD_OK) return fail("cannot tick", started);
    const int ran = wsd_server_run(running);
    (void)wsd_server_free(running);
    return ran == WSD_OK ? 0 : fail("cannot go on", ran);
}
