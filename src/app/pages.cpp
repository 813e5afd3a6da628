#include "app/pages.h"

#include <cstdio>

#include "app/json_writer.h"
#include "app/metrics.h"
#include "app/usage.h"

namespace app {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";

wsd_stats stats_of(const wsd_server* server) {
    wsd_stats stats = {};
    stats.size = sizeof stats;
    (void)wsd_stats_get(server, &stats);  // both are good
    return stats;
}

const char* state_of(const PageSource& source, const wsd_stats& stats) {
    if (source.draining) return "draining";
    if (source.memory_soft_bytes && stats.memory_held_bytes >= source.memory_soft_bytes) return "short of memory";
    return "ok";
}

int status_of(std::string_view state) { return state == "ok" ? 200 : 503; }

Page live(const PageSource&) { return {200, kPlain, nullptr, "ok\n"}; }

Page ready(const PageSource& source) {
    const std::string state = state_of(source, stats_of(source.server));
    return {status_of(state), kPlain, nullptr, state + "\n"};
}

Page health(const PageSource& source) {
    const wsd_stats stats = stats_of(source.server);
    const char* const state = state_of(source, stats);
    const struct {
        const char* name;
        uint64_t value;
    } kFigures[] = {
        {"connections", stats.connections_active},
        {"connections_open", stats.connections_open},
        {"connections_total", stats.connections_total},
        {"sessions", stats.sessions_active},
        {"topics", stats.topics_active},
        {"messages_received", stats.messages_in},
        {"messages_sent", stats.messages_out},
        {"queued_bytes", stats.queued_bytes},
        {"memory_bytes", stats.memory_held_bytes},
    };
    char uptime_s[32];  // with milliseconds, also where they are 0
    std::snprintf(uptime_s, sizeof uptime_s, "%.3f", double(wsd_now_ms(source.server) - source.start_ms) / 1000);
    JsonWriter body;
    body.begin_object().key("status").string(state).key("version").string(wsd_version());
    body.key("uptime_seconds").raw(uptime_s);
    for (const auto& figure : kFigures) body.key(figure.name).number(figure.value);
    return {status_of(state), "application/json", nullptr, body.end_object().take() + "\n"};
}

Page metrics(const PageSource& source) {
    const MetricsInput input{stats_of(source.server), process_usage(), source.start_time_s, wsd_version(),
                             wsd_kernels(source.server)};
    return {200, kMetricsType, nullptr, metrics_text(input)};
}

struct Entry {
    std::string_view path;
    Page (*make)(const PageSource& source);
};

constexpr Entry kEntries[] = {
    {"/health/live", live},
    {"/health/ready", ready},
    {"/health", health},
    {"/metrics", metrics},
};

const Entry* find_entry(std::string_view path) {
    for (const Entry& entry : kEntries) {
        if (entry.path == path) return &entry;
    }
    return nullptr;
}

}  // namespace

bool is_page(std::string_view path) { return find_entry(path) != nullptr; }

Page page_at(std::string_view method, std::string_view path, const PageSource& source) {
    const Entry* const entry = find_entry(path);
    if (!entry) return {404, kPlain, nullptr, "Not Found\n"};
    // The library leaves the body out of the answer to HEAD.
    if (method != "GET" && method != "HEAD") return {405, kPlain, "GET, HEAD", "Method Not Allowed\n"};
    return entry->make(source);
}

}  // namespace app
