// A server for other people's clients: sends every message back to who sent it, and as one prepared message to
// everybody. Both ways of sending meet on connections with context takeover. usage: fanout
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "wsd.h"

namespace {

std::vector<wsd_conn> everybody;

void on_open(wsd_server*, wsd_conn conn) { everybody.push_back(conn); }

void on_close(wsd_server*, wsd_conn conn, const wsd_close_info*) { std::erase(everybody, conn); }

void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    const std::string_view text(static_cast<const char*>(data), len);
    const std::string own = "own " + std::string(text);
    const std::string all = "all " + std::string(text);
    (void)wsd_send(server, conn, opcode, own.data(), own.size());
    wsd_prepared* prepared = nullptr;
    if (wsd_prepare(server, opcode, all.data(), all.size(), &prepared) != WSD_OK) return;
    for (const wsd_conn receiver : everybody) (void)wsd_send_prepared(server, receiver, prepared, nullptr);
    wsd_prepared_release(prepared);
}

}  // namespace

int main() {
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.deflate = config.deflate_server_takeover = config.deflate_client_takeover = 1;
    config.send_high_count = 0;
    config.send_high_bytes = 64u << 20;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_open = on_open;
    callbacks.on_close = on_close;
    callbacks.on_message = on_message;
    wsd_server* server = nullptr;
    char address[128];
    if (wsd_server_new(&config, &callbacks, &server) != WSD_OK) return 1;
    const int listener = wsd_server_listen(server, "127.0.0.1:0");
    if (listener < 0 || wsd_server_address(server, listener, address, sizeof address) != WSD_OK) return 1;
    std::fprintf(stderr, "event=listening address=%s\nevent=started\n", address);
    return wsd_server_run(server) == WSD_OK ? 0 : 1;
}
