#include "app/hub/serve.h"

#include <algorithm>
#include <utility>

#include "app/client.h"
#include "app/daemon.h"
#include "app/hub/close_codes.h"
#include "app/hub/definition.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/hub/router.h"
#include "app/hub/text_file.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

constexpr uint32_t kHeartbeatDefaultS = 30;  // where the server sends no pings

// ----------------------------------------------------------------------------------------------------------- options

void apply(Hub& hub, const Options& options, Keys keys) {
    const HubFlags& flags = options.hub;
    hub.tokens = {std::move(keys.secrets), flags.jwt_issuer, flags.jwt_audience, flags.jwt_leeway_ms / 1000};
    hub.admin_key = std::move(keys.admin_key);
    hub.options.session_max_count = flags.max_sessions;
    hub.options.messages_per_user_min = flags.messages_per_user_minute;
    hub.options.message_burst = flags.message_burst;
    hub.options.retry_interval_ms = flags.retry_interval_ms;
    hub.options.resume_timeout_s = flags.resume_timeout_ms / 1000 + (flags.resume_timeout_ms % 1000 != 0);
    hub.options.accept_then_close = flags.accept_then_close;
    const uint32_t ping_s = options.config.ping_interval_ms / 1000;
    hub.heartbeat_s = options.config.ping_interval_ms ? std::max(ping_s, 1u) : kHeartbeatDefaultS;
}

void warn_of_belief(const Hub& hub) {
    if (!hub.tokens.secrets.empty()) return;
    hub.log->write(LogLevel::kWarn, "no jwt-secret-file: users are believed whoever they say they are");
}

Fsync fsync_of(FsyncWhen when) {
    switch (when) {
        case FsyncWhen::kAlways: return Fsync::kAlways;
        case FsyncWhen::kInterval: return Fsync::kInterval;
        case FsyncWhen::kNever: return Fsync::kNever;
    }
    return Fsync::kInterval;
}

StoreOptions store_options(const HubFlags& flags) {
    StoreOptions options;
    options.directory = flags.data;
    options.fsync = fsync_of(flags.fsync);
    options.fsync_interval_ms = flags.fsync_interval_ms;
    options.retention = {flags.history_max_count, flags.history_max_age_ms, flags.history_max_bytes};
    return options;
}

StoreLog store_log(Log* log) {
    return [log](bool error, std::string_view event, std::string_view session_id, std::string_view detail) {
        log->write(error ? LogLevel::kError : LogLevel::kInfo, event,
                   {{"session", std::string(session_id)}, {"detail", std::string(detail)}});
    };
}

// --------------------------------------------------------------------------------------------------------- callbacks

Connection* connection_of(wsd_server* server, wsd_conn conn) {
    Hub* const hub = daemon_of(server).hub.get();
    return hub ? find_connection(*hub, conn) : nullptr;
}

void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    Connection* const connection = connection_of(server, conn);
    if (!connection) return;
    count_received(client_of(server, conn), len);
    take_message(*connection->hub, *connection, {static_cast<const char*>(data), len}, opcode == WSD_BINARY);
}

void on_drain(wsd_server* server, wsd_conn conn) {
    Connection* const connection = connection_of(server, conn);
    if (connection) drained(*connection->hub, *connection);
}

}  // namespace

std::unique_ptr<Hub> open_hub(wsd_server* server, const Options& options, Log* log, std::string* error) {
    Keys keys;
    if (!read_keys(options, &keys, error)) return nullptr;
    auto hub = std::make_unique<Hub>();
    hub->server = server;
    hub->log = log;
    apply(*hub, options, std::move(keys));
    hub->store = open_store(store_options(options.hub), server, store_log(log), error);
    if (!hub->store) return nullptr;
    if (!load_sessions(*hub, options.hub.sessions, error)) return nullptr;
    hub->resume_secret = hub->store->secret();
    warn_of_belief(*hub);
    return hub;
}

bool read_keys(const Options& options, Keys* keys, std::string* error) {
    const HubFlags& flags = options.hub;
    std::string why;
    if (!flags.jwt_secret_file.empty() && !read_secrets(flags.jwt_secret_file, &keys->secrets, &why)) {
        *error = "jwt-secret-file: " + why;
        return false;
    }
    if (!flags.admin_key_file.empty() && !read_only_line(flags.admin_key_file, &keys->admin_key, &why)) {
        *error = "admin-key-file: " + why;
        return false;
    }
    return true;
}

void reload_hub(Hub& hub, const Options& options, Keys keys) {
    apply(hub, options, std::move(keys));
    warn_of_belief(hub);
}

void hub_callbacks(wsd_callbacks* callbacks) {
    callbacks->on_message = on_message;
    callbacks->on_drain = on_drain;
}

void hub_opened(Hub& hub, wsd_conn conn) {
    const std::optional<Entering> entering = std::exchange(hub.entering, std::nullopt);
    const bool expected = entering && entering->conn == conn;
    Session* const session = expected ? find_session(hub, entering->entry.session_id) : nullptr;
    static constexpr std::string_view kWhy = "session ended";
    if (!session) return (void)wsd_close(hub.server, conn, kCloseSessionEnded, kWhy.data(), kWhy.size());
    (void)enter(hub, *session, conn, entering->entry);
}

void hub_closed(Hub& hub, wsd_conn conn, const wsd_close_info& info) {
    if (Connection* const connection = find_connection(hub, conn)) leave(hub, connection, leave_reason(info));
}

int enter_request(Hub& hub, wsd_conn conn, const wsd_request* request) {
    const EntryRules rules{hub.tokens.secrets.empty() ? nullptr : &hub.tokens};
    Entry entry;
    Session* session = nullptr;
    std::optional<Refusal> refusal = read_entry(request, rules, wall_ms() / 1000, &entry);
    if (!refusal) refusal = admit(hub, entry, &session);
    if (refusal) {
        refuse(hub.server, conn, *refusal, hub.options.accept_then_close, true);
        return refusal->status;
    }
    hub.entering = {conn, std::move(entry)};
    const char* const subprotocol = hub.entering->entry.offers_v1 ? kSubprotocol : "";
    if (wsd_accept(hub.server, conn, subprotocol, nullptr, 0) == WSD_OK) return 101;
    (void)wsd_abort(hub.server, conn);  // the request was in order, so that only memory can have been short
    return 503;
}

void close_hub(Hub& hub) { hub.store->finish(); }

}  // namespace app::hub
