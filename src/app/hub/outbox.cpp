#include "app/hub/outbox.h"

#include <utility>

#include "app/client.h"
#include "app/hub/room.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

bool note(Hub& hub, Connection& connection, int result, size_t len) {
    if (result == WSD_OK) {
        count_sent(client_of(hub.server, connection.conn), len);
        return true;
    }
    // Also for one that is ending: until its on_close nothing is tried again.
    connection.full = true;
    connection.live = false;
    if (result != WSD_E_AGAIN && result != WSD_E_CLOSED) (void)wsd_abort(hub.server, connection.conn);
    return false;
}

bool can_send(const Connection& connection) { return !connection.closing && !connection.full; }

}  // namespace

bool send_built(Hub& hub, Connection& connection, wsd_prepared* prepared, std::string_view text) {
    if (!can_send(connection)) return false;
    if (!prepared) return send_now(hub, connection, text);
    return note(hub, connection, wsd_send_prepared(hub.server, connection.conn, prepared, nullptr), text.size());
}

bool send_now(Hub& hub, Connection& connection, std::string_view text) {
    if (!can_send(connection)) return false;
    return note(hub, connection, wsd_send(hub.server, connection.conn, WSD_TEXT, text.data(), text.size()),
                text.size());
}

wsd_prepared* build(Hub& hub, std::string_view text) {
    wsd_prepared* prepared = nullptr;
    const int result = wsd_prepare(hub.server, WSD_TEXT, text.data(), text.size(), &prepared);
    return result == WSD_OK ? prepared : nullptr;
}

void tell(Hub& hub, Session& session, const std::string& envelope, wsd_conn except) {
    wsd_prepared* prepared = nullptr;
    for (Connection* const connection : session.connections) {
        if (!connection->live || connection->conn == except) continue;
        if (!prepared) prepared = build(hub, envelope);
        (void)send_built(hub, *connection, prepared, envelope);  // who has no room hears how things stand when it has
    }
    wsd_prepared_release(prepared);
}

void answer(Hub& hub, Connection& connection, std::string envelope) {
    if (connection.closing) return;
    if (connection.held.empty() && send_now(hub, connection, envelope)) return;
    connection.held.push_back(std::move(envelope));
    connection.live = false;
    settle_reading(hub, connection);
}

void settle_reading(Hub& hub, Connection& connection) {
    const bool pause = !connection.held.empty() || connection.owed.size() >= kUnansweredMax;
    if (connection.closing || pause == connection.paused) return;
    connection.paused = pause;
    // It is open or it is ending, so that neither can fail.
    (void)(pause ? wsd_pause : wsd_resume)(hub.server, connection.conn);
}

Outgoing message_of(const Session& session, std::string_view type, std::string_view data) {
    Outgoing out;
    out.type = type;
    out.session_id = session.id;
    out.time_ms = wall_ms();
    out.data = data;
    return out;
}

std::string ack_envelope(const Session& session, std::string_view id, uint64_t seq) {
    Outgoing out = message_of(session, "ack", {});
    out.seq = seq;
    out.id = id;
    return write_envelope(out);
}

void drained(Hub& hub, Connection& connection) {
    if (connection.closing) return;
    connection.full = false;
    while (!connection.held.empty() && send_now(hub, connection, connection.held.front())) connection.held.pop_front();
    pump(hub, connection);
}

}  // namespace app::hub
