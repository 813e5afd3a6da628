// From a request to its call: the key, the path, the method, the session and the body, in this order, so that nobody
// without the key learns what there is.
#include "app/hub/control.h"

#include <algorithm>

#include "app/hub/control_call.h"
#include "app/hub/entry.h"
#include "app/hub/registry.h"
#include "app/hub/sha256.h"
#include "app/request_text.h"

namespace app::hub {
namespace {

constexpr std::string_view kRoot = "/api";
constexpr JsonLimits kBodyLimits{65536, 32};

// How a path is written here: without kRoot, and `*` for a session's id.
struct Route {
    std::string_view method;
    std::string_view path;
    CallResult (*call)(ControlCall& call);
};

constexpr Route kRoutes[] = {
    {"POST", "/sessions", create_session},
    {"GET", "/sessions", list_sessions},
    {"GET", "/sessions/*", show_session},
    {"PATCH", "/sessions/*", patch_session},
    {"DELETE", "/sessions/*", delete_session},
    {"POST", "/sessions/*/messages", send_message},
    {"POST", "/sessions/*/disconnect", disconnect_one},
    {"GET", "/sessions/*/presence", show_presence},
    {"GET", "/sessions/*/history", show_history},
    {"GET", "/sessions/*/progress", show_progress},
    {"GET", "/stats", show_stats},
};

// ---------------------------------------------------------------------------------------------------------------- key

// Each that is given has to be the key: a proxy that looks at one of them may have looked at another.
bool has_key(const wsd_request* request, std::string_view key) {
    bool has = false;
    wsd_str name{}, value{};
    for (size_t i = 0; wsd_request_header_at(request, i, &name, &value) == WSD_OK; i++) {
        if (!equal_ignoring_case(view_of(name), "Authorization")) continue;
        const auto given = bearer_credentials(view_of(value));
        has = given && equal_in_constant_time(*given, key);
        if (!has) return false;
    }
    return has;
}

// --------------------------------------------------------------------------------------------------------------- path

struct Place {
    std::string path;  // as in Route
    std::string_view session_id;
};

Place place_of(std::string_view path) {
    static constexpr std::string_view kSessions = "/sessions/";
    path.remove_prefix(kRoot.size());
    if (!path.starts_with(kSessions)) return {std::string(path), {}};
    const std::string_view rest = path.substr(kSessions.size());
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view id = rest.substr(0, end);
    if (id.empty()) return {std::string(path), {}};
    return {std::string(kSessions) + "*" + std::string(rest.substr(end)), id};
}

// The route, or null with its refusal in `*answer`.
const Route* find_route(std::string_view method, std::string_view path, Answer* answer) {
    if (method == "HEAD") method = "GET";  // the library leaves the body out
    std::string allow;
    for (const Route& route : kRoutes) {
        if (route.path != path) continue;
        if (route.method == method) return &route;
        allow.append(allow.empty() ? "" : ", ").append(route.method);
        if (route.method == "GET") allow.append(", HEAD");
    }
    *answer = allow.empty() ? refusal(404, "not_found", "no such path")
                            : refusal(405, "method_not_allowed", "this path takes " + allow);
    answer->allow = std::move(allow);
    return nullptr;
}

// --------------------------------------------------------------------------------------------------------------- call

CallResult decide(Hub& hub, wsd_conn conn, const wsd_request* request) {
    if (hub.admin_key.empty()) return refusal(404, "not_found", "no such path");
    if (!has_key(request, hub.admin_key)) return refusal(401, "unauthorized", "the admin key is missing or wrong");
    const Place place = place_of(view_of(wsd_request_path(request)));
    const std::string_view method = view_of(wsd_request_method(request));
    Answer refused;
    const Route* const route = find_route(method, place.path, &refused);
    if (!route) return refused;
    ControlCall call{hub, conn, view_of(wsd_request_query(request)), nullptr, {}};
    if (!place.session_id.empty()) {
        call.session = find_session(hub, place.session_id);
        if (!call.session) return no_such_session();
    }
    if (method == "POST" || method == "PATCH") {
        JsonError error;
        if (!parse_json(view_of(wsd_request_body(request)), kBodyLimits, &call.body, &error)) {
            return refusal(400, "invalid_json", "body, byte " + std::to_string(error.offset) + ": " + error.why);
        }
    }
    return route->call(call);
}

}  // namespace

Answer refusal(int status, std::string_view code, std::string_view message) {
    return {status, error_body(code, message), {}, {}};
}

Answer no_such_session() { return refusal(404, "session_not_found", "no such session, or it has ended"); }

void send_answer(const Hub& hub, wsd_conn conn, const Answer& answer) {
    wsd_header headers[4] = {{"Cache-Control", "no-store"}};
    size_t count = 1;
    if (!answer.body.empty()) headers[count++] = {"Content-Type", "application/json"};
    if (!answer.location.empty()) headers[count++] = {"Location", answer.location.c_str()};
    if (!answer.allow.empty()) headers[count++] = {"Allow", answer.allow.c_str()};
    if (answer.status == 401) headers[count++] = {"WWW-Authenticate", "Bearer"};
    const int sent =
        wsd_respond(hub.server, conn, answer.status, headers, count, answer.body.data(), answer.body.size());
    // Without memory for an answer the connection ends.
    if (sent == WSD_E_NOMEM) (void)wsd_abort(hub.server, conn);
    if (hub.on_answer) hub.on_answer(conn, answer.status);
}

bool is_control_path(std::string_view path) {
    return path.starts_with(kRoot) && (path.size() == kRoot.size() || path[kRoot.size()] == '/');
}

int control_request(Hub& hub, wsd_conn conn, const wsd_request* request) {
    const CallResult answer = decide(hub, conn, request);
    if (!answer) return 0;
    send_answer(hub, conn, *answer);
    return answer->status;
}

}  // namespace app::hub
