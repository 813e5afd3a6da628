#include "app/visits.h"

#include <cstring>

#include "app/client.h"
#include "app/daemon.h"
#include "app/hub/control.h"
#include "app/hub/serve.h"
#include "app/pages.h"
#include "app/request_text.h"

namespace app {
namespace {

constexpr size_t kMethodMax = 32;
constexpr size_t kPathMax = 1024;

wsd_conn_info info_of(const wsd_server* server, wsd_conn conn) {
    wsd_conn_info info = {};
    info.size = sizeof info;
    (void)wsd_conn_info_get(server, conn, &info);  // all that is asked about are alive
    return info;
}

bool logs_access(const Daemon& daemon) { return daemon.started->access_log && daemon.log.wants(LogLevel::kInfo); }

Asked asked_by(const wsd_conn_info& info, const wsd_request* request) {
    Asked asked;
    asked.peer = info.peer;
    if (!request) return asked;
    asked.method = view_of(wsd_request_method(request)).substr(0, kMethodMax);
    asked.path = shown_path(view_of(wsd_request_path(request)));
    return asked;
}

// ------------------------------------------------------------------------------------------------------- deciding

void respond(wsd_server* server, wsd_conn conn, const Page& page) {
    wsd_header headers[3] = {{"Content-Type", page.type}, {"Cache-Control", "no-store"}};
    size_t count = 2;
    if (page.allow) headers[count++] = {"Allow", page.allow};
    // Without memory for an answer the connection ends.
    if (wsd_respond(server, conn, page.status, headers, count, page.body.data(), page.body.size()) != WSD_OK) {
        (void)wsd_abort(server, conn);
    }
}

// Somebody with no WebSocket asks where there are only those (RFC 9110 §15.5.22).
int demand_upgrade(wsd_server* server, wsd_conn conn) {
    static constexpr char kBody[] = "Upgrade Required\n";
    static constexpr wsd_header kHeaders[] = {
        {"Content-Type", "text/plain"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
    if (wsd_respond(server, conn, 426, kHeaders, std::size(kHeaders), kBody, sizeof kBody - 1) != WSD_OK) {
        (void)wsd_abort(server, conn);
    }
    return 426;
}

int answer_page(wsd_server* server, wsd_conn conn, const wsd_request* request) {
    const Daemon& daemon = daemon_of(server);
    const PageSource source{server, daemon.draining, daemon.options().config.memory_soft_bytes, daemon.start_time_s,
                            daemon.start_ms};
    const Page page = page_at(view_of(wsd_request_method(request)), view_of(wsd_request_path(request)), source);
    respond(server, conn, page);
    return page.status;
}

int answer_not_found(wsd_server* server, wsd_conn conn) {
    const Page page{404, "text/plain", nullptr, "Not Found\n"};
    respond(server, conn, page);
    return page.status;
}

// The pages and, with the hub, its control API. Returns as decide().
int administer(wsd_server* server, wsd_conn conn, const wsd_request* request) {
    hub::Hub* const hub = daemon_of(server).hub.get();
    const bool control = hub && hub::is_control_path(view_of(wsd_request_path(request)));
    return control ? hub::control_request(*hub, conn, request) : answer_page(server, conn, request);
}

// The hub has sessions at one path, and what administers it where the pages are. Returns as decide().
int decide_for_hub(wsd_server* server, wsd_conn conn, const wsd_request* request, bool administers) {
    hub::Hub& hub = *daemon_of(server).hub;
    const bool upgrade = wsd_request_is_upgrade(request);
    if (view_of(wsd_request_path(request)) == hub::kHubPath) {
        return upgrade ? hub::enter_request(hub, conn, request) : demand_upgrade(server, conn);
    }
    return upgrade || !administers ? answer_not_found(server, conn) : administer(server, conn, request);
}

// Decides a request. Returns the status of the answer; 0 where it comes later.
int decide(wsd_server* server, wsd_conn conn, const wsd_request* request, int listener) {
    Daemon& daemon = daemon_of(server);
    const int first_admin = daemon.first_admin_listener;
    const bool upgrade = wsd_request_is_upgrade(request);
    if (first_admin != kNoListener && listener >= first_admin) {
        return upgrade ? answer_not_found(server, conn) : administer(server, conn, request);
    }
    if (daemon.hub) return decide_for_hub(server, conn, request, first_admin == kNoListener);
    if (upgrade) {
        if (wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK) return 101;
        (void)wsd_abort(server, conn);  // it was in order, so that only memory can have been short
        return 503;
    }
    if (!is_page(view_of(wsd_request_path(request)))) return demand_upgrade(server, conn);
    return first_admin == kNoListener ? answer_page(server, conn, request) : answer_not_found(server, conn);
}

// ------------------------------------------------------------------------------------------------------ callbacks

void log_answer(Daemon& daemon, wsd_conn conn, const char* event, const Asked& asked, int status) {
    daemon.log.write(LogLevel::kInfo, event,
                     {{"conn", std::to_string(conn)},
                      {"peer", asked.peer},
                      {"method", asked.method},
                      {"path", asked.path},
                      {"status", std::to_string(status)}});
}

void log_upgrade(wsd_server* server, wsd_conn conn, const Asked& asked) {
    const char* const subprotocol = info_of(server, conn).subprotocol;
    daemon_of(server).log.write(LogLevel::kInfo, "upgrade",
                                {{"conn", std::to_string(conn)},
                                 {"peer", asked.peer},
                                 {"method", asked.method},
                                 {"path", asked.path},
                                 {"status", "101"},
                                 {"subprotocol", subprotocol ? shown_subprotocol(subprotocol) : "-"}});
}

void call_answered(Daemon& daemon, wsd_conn conn, int status) {
    const auto found = daemon.waiting.find(conn);
    if (found == daemon.waiting.end()) return;
    log_answer(daemon, conn, "request", found->second, status);
    daemon.waiting.erase(found);
}

// A call of the control API is logged when it is answered, be that within decide() or in a later turn.
void take_call(wsd_server* server, wsd_conn conn, const wsd_request* request, const wsd_conn_info& info) {
    Daemon& daemon = daemon_of(server);
    daemon.waiting.insert_or_assign(conn, asked_by(info, request));
    const int status = decide(server, conn, request, info.listener);
    if (status != 0) call_answered(daemon, conn, status);  // where it was not let through to the API
}

void on_request(wsd_server* server, wsd_conn conn, const wsd_request* request) {
    Daemon& daemon = daemon_of(server);
    const bool logs = logs_access(daemon);
    // Telling of a connection asks the kernel for its peer, so nobody does who need not know.
    const bool asks = logs || daemon.first_admin_listener != kNoListener;
    const wsd_conn_info info = asks ? info_of(server, conn) : wsd_conn_info{};
    if (!logs) return (void)decide(server, conn, request, info.listener);
    const bool upgrade = wsd_request_is_upgrade(request);
    if (daemon.hub && !upgrade && hub::is_control_path(view_of(wsd_request_path(request)))) {
        return take_call(server, conn, request, info);
    }
    const Asked asked = asked_by(info, request);
    const int status = decide(server, conn, request, info.listener);
    if (status == 101) return log_upgrade(server, conn, asked);
    log_answer(daemon, conn, upgrade ? "refused" : "request", asked, status);
}

void on_refused(wsd_server* server, wsd_conn conn, const wsd_request* request, int status, const char* why) {
    Daemon& daemon = daemon_of(server);
    if (!logs_access(daemon)) return;
    const Asked asked = asked_by(info_of(server, conn), request);
    daemon.log.write(LogLevel::kInfo, "refused",
                     {{"conn", std::to_string(conn)},
                      {"peer", asked.peer},
                      {"method", asked.method},
                      {"path", asked.path},
                      {"status", std::to_string(status)},
                      {"why", why}});
}

// Remembers what the line about its close tells.
void note_open(wsd_server* server, wsd_conn conn) {
    if (!logs_access(daemon_of(server))) return;
    Client* const client = client_need(server, conn);
    if (!client) return;
    client->opened_ms = wsd_now_ms(server);
    const wsd_conn_info info = info_of(server, conn);
    const size_t size = std::strlen(info.peer) + 1;
    client->peer = std::make_unique<char[]>(size);
    std::memcpy(client->peer.get(), info.peer, size);
}

void on_open(wsd_server* server, wsd_conn conn) {
    note_open(server, conn);
    if (hub::Hub* const hub = daemon_of(server).hub.get()) hub::hub_opened(*hub, conn);
}

void log_close(wsd_server* server, wsd_conn conn, const wsd_close_info* info) {
    Daemon& daemon = daemon_of(server);
    const Client* const client = client_of(server, conn);
    if (!client || !client->peer || !logs_access(daemon)) return;
    daemon.log.write(LogLevel::kInfo, "close",
                     {{"conn", std::to_string(conn)},
                      {"peer", client->peer.get()},
                      {"code", std::to_string(info->code)},
                      {"cause", wsd_cause_text(info->cause)},
                      {"duration_ms", std::to_string(wsd_now_ms(server) - client->opened_ms)},
                      {"messages_in", std::to_string(client->messages_in)},
                      {"messages_out", std::to_string(client->messages_out)},
                      {"bytes_in", std::to_string(client->bytes_in)},
                      {"bytes_out", std::to_string(client->bytes_out)}});
}

void on_close(wsd_server* server, wsd_conn conn, const wsd_close_info* info) {
    log_close(server, conn, info);
    if (hub::Hub* const hub = daemon_of(server).hub.get()) hub::hub_closed(*hub, conn, *info);
    client_forget(server, conn);
}

}  // namespace

void visit_callbacks(wsd_callbacks* callbacks) {
    callbacks->on_request = on_request;
    callbacks->on_refused = on_refused;
    callbacks->on_open = on_open;
    callbacks->on_close = on_close;
}

void log_calls(Daemon& daemon) {
    daemon.hub->on_answer = [&daemon](wsd_conn conn, int status) { call_answered(daemon, conn, status); };
}

std::string shown_path(std::string_view path) {
    if (path.size() <= kPathMax) return std::string(path);
    return std::string(path.substr(0, kPathMax)) + "...";
}

std::string shown_subprotocol(std::string_view subprotocol) {
    constexpr std::string_view kBearer = "bearer.";
    if (equal_ignoring_case(subprotocol.substr(0, kBearer.size()), kBearer)) return std::string(kBearer) + "*";
    return std::string(subprotocol);
}

}  // namespace app
