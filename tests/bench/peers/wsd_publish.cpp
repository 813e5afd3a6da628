// This library as a server that sends each message it gets to everybody, for broadcasts: the daemon is an echo, and has
// no such thing. usage: wsd_publish PORT, on 127.0.0.1
#include <cstdio>
#include <string>

#include "wsd.h"

namespace {

constexpr const char* kTopic = "all";

void on_open(wsd_server* server, wsd_conn conn) { (void)wsd_subscribe(server, conn, wsd_str_of(kTopic)); }

void on_message(wsd_server* server, wsd_conn, wsd_opcode opcode, const void* data, size_t len) {
    (void)wsd_publish(server, wsd_str_of(kTopic), opcode, data, len, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("usage: wsd_publish PORT\n", stderr), 2;
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    wsd_server* server = nullptr;
    if (wsd_server_new(&config, &callbacks, &server) != WSD_OK)
        return std::fputs("wsd_publish: no server\n", stderr), 1;
    if (wsd_server_listen(server, ("127.0.0.1:" + std::string(argv[1])).c_str()) < 0) {
        return std::perror("wsd_publish: listen"), 1;
    }
    return wsd_server_run(server) == WSD_OK ? 0 : 1;
}
