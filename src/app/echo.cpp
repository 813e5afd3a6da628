#include "app/echo.h"

#include <memory>
#include <string>

#include "app/client.h"

namespace app {
namespace {

// The one message that found the queue full waits, with reading paused.
void hold(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    if (wsd_pause(server, conn) != WSD_OK) return;  // it is gone, or going
    if (Client* const client = client_need(server, conn)) {
        client->held = std::make_unique<Held>(Held{opcode, std::string(static_cast<const char*>(data), len)});
    }
}

void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    if (wsd_send(server, conn, opcode, data, len) == WSD_E_AGAIN) hold(server, conn, opcode, data, len);
}

void on_message_counted(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    const int sent = wsd_send(server, conn, opcode, data, len);
    if (sent == WSD_E_AGAIN) hold(server, conn, opcode, data, len);
    Client* const client = client_of(server, conn);
    count_received(client, len);
    if (sent == WSD_OK) count_sent(client, len);
}

void on_drain(wsd_server* server, wsd_conn conn) {
    Client* const client = client_of(server, conn);
    if (!client || !client->held) return;
    const std::unique_ptr<Held> held = std::move(client->held);
    // There is room, as it just drained.
    if (wsd_send(server, conn, held->opcode, held->data.data(), held->data.size()) == WSD_OK) {
        count_sent(client, held->data.size());
    }
    wsd_resume(server, conn);
}

void on_close(wsd_server* server, wsd_conn conn, const wsd_close_info*) { client_forget(server, conn); }

}  // namespace

void echo_callbacks(wsd_callbacks* callbacks, bool counted) {
    callbacks->on_message = counted ? on_message_counted : on_message;
    callbacks->on_drain = on_drain;
    callbacks->on_close = on_close;
}

}  // namespace app
