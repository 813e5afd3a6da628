#include "app/echo.h"

#include <memory>
#include <string>

namespace app {
namespace {

// The one message that found the queue full: reading pauses until it has been sent. Most connections never have one.
struct Held {
    wsd_opcode opcode;
    std::string data;
};

void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    if (wsd_send(server, conn, opcode, data, len) != WSD_E_AGAIN) return;  // sent, or nobody is left to send to
    auto held = std::make_unique<Held>(Held{opcode, std::string(static_cast<const char*>(data), len)});
    if (wsd_pause(server, conn) == WSD_OK) wsd_set_user(server, conn, held.release());
}

void on_drain(wsd_server* server, wsd_conn conn) {
    const std::unique_ptr<Held> held(static_cast<Held*>(wsd_user(server, conn)));
    if (!held) return;
    wsd_set_user(server, conn, nullptr);
    (void)wsd_send(server, conn, held->opcode, held->data.data(), held->data.size());  // there is room: it just drained
    wsd_resume(server, conn);
}

void on_close(wsd_server* server, wsd_conn conn, const wsd_close_info*) {
    delete static_cast<Held*>(wsd_user(server, conn));
}

}  // namespace

void echo_callbacks(wsd_callbacks* callbacks) {
    callbacks->on_message = on_message;
    callbacks->on_drain = on_drain;
    callbacks->on_close = on_close;
}

}  // namespace app
