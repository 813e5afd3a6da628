// What the control API tells of the hub and of the server it runs on.
#include <algorithm>

#include "app/hub/control_call.h"

namespace app::hub {
namespace {

struct Figure {
    const char* name;
    uint64_t wsd_stats::*value;
};

constexpr Figure kFigures[] = {
    {"connections_active", &wsd_stats::connections_active},
    {"connections_open", &wsd_stats::connections_open},
    {"connections_accepted", &wsd_stats::connections_total},
    {"connections_opened", &wsd_stats::connections_opened},
    {"connections_closed", &wsd_stats::connections_closed},
    {"handshakes_failed", &wsd_stats::handshakes_failed},
    {"refused_limit", &wsd_stats::refused_limit},
    {"refused_ip_count", &wsd_stats::refused_ip_count},
    {"refused_ip_rate", &wsd_stats::refused_ip_rate},
    {"refused_origin", &wsd_stats::refused_origin},
    {"refused_memory", &wsd_stats::refused_memory},
    {"timeouts_ping", &wsd_stats::timeouts_ping},
    {"timeouts_write", &wsd_stats::timeouts_write},
    {"protocol_errors", &wsd_stats::protocol_errors},
    {"requests", &wsd_stats::requests},
    {"messages_in", &wsd_stats::messages_in},
    {"messages_out", &wsd_stats::messages_out},
    {"bytes_in", &wsd_stats::bytes_in},
    {"bytes_out", &wsd_stats::bytes_out},
    {"sends_refused", &wsd_stats::sends_refused},
    {"queued_bytes", &wsd_stats::queued_bytes},
    {"memory_bytes", &wsd_stats::memory_held_bytes},
};

}  // namespace

CallResult show_stats(ControlCall& call) {
    wsd_stats stats = {};
    stats.size = sizeof stats;
    (void)wsd_stats_get(call.hub.server, &stats);  // both are good
    const auto& sessions = call.hub.sessions;
    const auto active = std::count_if(sessions.begin(), sessions.end(), [](const auto& session) {
        return !session.second->ended && session.second->status == SessionStatus::kActive;
    });
    const auto& users = call.hub.users;
    const auto online =
        std::count_if(users.begin(), users.end(), [](const auto& user) { return user.second.person_count > 0; });
    JsonWriter writer;
    writer.begin_object().key("total_connections").number(call.hub.connections_total);
    writer.key("active_sessions").number(int64_t{active}).key("sessions").number(uint64_t{sessions.size()});
    writer.key("users_online").number(int64_t{online});
    writer.key("pool").begin_object();
    for (const Figure& figure : kFigures) writer.key(figure.name).number(stats.*figure.value);
    return Answer{200, writer.end_object().end_object().take(), {}, {}};
}

}  // namespace app::hub
