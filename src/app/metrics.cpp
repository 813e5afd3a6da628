#include "app/metrics.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace app {
namespace {

// One sample of a counter, if its name ends in "_total", or of a gauge.
struct Sample {
    const char* name;
    const char* labels;  // as they stand between the braces; empty: none
    uint64_t wsd_stats::*value;
    const char* help;  // null: one more sample of the family before
};

constexpr Sample kSamples[] = {
    {"wsd_connections", "", &wsd_stats::connections_active, "Sockets held, handshakes included."},
    {"wsd_connections_open", "", &wsd_stats::connections_open, "Connections past their handshake and not closing."},
    {"wsd_connections_accepted_total", "", &wsd_stats::connections_total, "Connections accepted."},
    {"wsd_connections_opened_total", "", &wsd_stats::connections_opened, "Connections that completed the handshake."},
    {"wsd_connections_closed_total", "", &wsd_stats::connections_closed, "Connections that had opened and are gone."},
    {"wsd_refused_total", "cause=\"connection_limit\"", &wsd_stats::refused_limit,
     "Connections and handshakes refused by a limit, or that would be but for a dry run."},
    {"wsd_refused_total", "cause=\"descriptors\"", &wsd_stats::refused_descriptors, nullptr},
    {"wsd_refused_total", "cause=\"out_of_memory\"", &wsd_stats::refused_memory, nullptr},
    {"wsd_refused_total", "cause=\"memory_budget\"", &wsd_stats::refused_budget, nullptr},
    {"wsd_refused_total", "cause=\"ip_connections\"", &wsd_stats::refused_ip_count, nullptr},
    {"wsd_refused_total", "cause=\"ip_rate\"", &wsd_stats::refused_ip_rate, nullptr},
    {"wsd_refused_total", "cause=\"ip_table\"", &wsd_stats::refused_ip_table, nullptr},
    {"wsd_refused_total", "cause=\"proxy\"", &wsd_stats::refused_proxy, nullptr},
    {"wsd_refused_total", "cause=\"origin\"", &wsd_stats::refused_origin, nullptr},
    {"wsd_handshakes_failed_total", "", &wsd_stats::handshakes_failed, "Handshakes refused, timed out or left."},
    {"wsd_handshakes_timed_out_total", "", &wsd_stats::handshake_timeouts, "Of these, those that timed out."},
    {"wsd_handshakes_slow_total", "", &wsd_stats::handshakes_slow, "Handshakes below the least rate of bytes."},
    {"wsd_requests_total", "", &wsd_stats::requests, "Plain HTTP requests answered."},
    {"wsd_messages_received_total", "", &wsd_stats::messages_in, "Messages received."},
    {"wsd_messages_sent_total", "", &wsd_stats::messages_out, "Messages sent."},
    {"wsd_received_bytes_total", "", &wsd_stats::bytes_in, "Bytes that sockets gave, everything included."},
    {"wsd_sent_bytes_total", "", &wsd_stats::bytes_out, "Bytes that sockets took, everything included."},
    {"wsd_writes_total", "", &wsd_stats::writes, "Times that a socket took something."},
    {"wsd_pings_received_total", "", &wsd_stats::pings_in, "Pings received."},
    {"wsd_pings_sent_total", "", &wsd_stats::pings_out, "Pings sent."},
    {"wsd_pongs_received_total", "", &wsd_stats::pongs_in, "Pongs received."},
    {"wsd_pongs_sent_total", "", &wsd_stats::pongs_out, "Pongs sent."},
    {"wsd_timeouts_total", "kind=\"ping\"", &wsd_stats::timeouts_ping, "Connections ended by a timeout."},
    {"wsd_timeouts_total", "kind=\"idle\"", &wsd_stats::timeouts_idle, nullptr},
    {"wsd_timeouts_total", "kind=\"write\"", &wsd_stats::timeouts_write, nullptr},
    {"wsd_timeouts_total", "kind=\"close\"", &wsd_stats::timeouts_close, nullptr},
    {"wsd_protocol_errors_total", "", &wsd_stats::protocol_errors, "Connections ended for breaking a rule."},
    {"wsd_sends_refused_total", "", &wsd_stats::sends_refused, "Sends that found the queue full."},
    {"wsd_sends_dropped_total", "", &wsd_stats::sends_dropped, "Messages dropped as the queue was full."},
    {"wsd_sends_replaced_total", "", &wsd_stats::sends_replaced, "Queued messages replaced by a later one."},
    {"wsd_messages_over_rate_total", "", &wsd_stats::messages_over_rate, "Messages over their connection's rate."},
    {"wsd_deflated_messages_total", "", &wsd_stats::deflated_count, "Messages and fragments deflated."},
    {"wsd_deflate_input_bytes_total", "", &wsd_stats::deflate_input_bytes, "Bytes before deflating."},
    {"wsd_deflate_output_bytes_total", "", &wsd_stats::deflated_bytes, "Bytes after deflating."},
    {"wsd_inflated_messages_total", "", &wsd_stats::inflated_count, "Compressed messages received."},
    {"wsd_inflate_input_bytes_total", "", &wsd_stats::inflate_input_bytes, "Bytes before inflating."},
    {"wsd_inflate_output_bytes_total", "", &wsd_stats::inflated_bytes, "Bytes after inflating."},
    {"wsd_deflate_memory_bytes", "", &wsd_stats::deflate_memory_bytes, "Held for compression."},
    {"wsd_sessions", "", &wsd_stats::sessions_active, "Sessions alive."},
    {"wsd_sessions_created_total", "", &wsd_stats::sessions_created, "Sessions created."},
    {"wsd_sessions_expired_total", "", &wsd_stats::sessions_expired, "Sessions that expired."},
    {"wsd_session_memory_bytes", "", &wsd_stats::session_memory_bytes, "Held for sessions."},
    {"wsd_topics", "", &wsd_stats::topics_active, "Topics with subscribers."},
    {"wsd_subscriptions", "", &wsd_stats::subscriptions_active, "Subscriptions to topics."},
    {"wsd_published_messages_total", "", &wsd_stats::published_count, "Messages published to subscribers."},
    {"wsd_published_deliveries_total", "", &wsd_stats::published_receivers, "Receivers of these, summed."},
    {"wsd_topic_memory_bytes", "", &wsd_stats::topic_memory_bytes, "Held for topics."},
    {"wsd_queued_bytes", "", &wsd_stats::queued_bytes, "Waiting in send queues."},
    {"wsd_memory_bytes", "", &wsd_stats::memory_bytes, "Held by the library."},
    {"wsd_memory_held_bytes", "", &wsd_stats::memory_held_bytes, "The same as it counts against the memory budget."},
    {"wsd_budget_holds_total", "", &wsd_stats::budget_holds, "Times that reading was stopped for the memory budget."},
    {"wsd_budget_closed_total", "", &wsd_stats::budget_closed, "Connections ended for the memory budget."},
    {"wsd_client_addresses", "", &wsd_stats::ip_count, "Addresses remembered for their limits."},
    {"wsd_allocations_total", "", &wsd_stats::allocations, "Blocks asked of the allocator."},
    {"wsd_loop_turns_total", "", &wsd_stats::turns, "Turns of the loop."},
};

// What is being written.
struct Text {
    std::string all;

    __attribute__((format(printf, 2, 3))) void add(const char* format, ...) {
        char line[512];
        va_list arguments;
        va_start(arguments, format);
        const int len = std::vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        if (len > 0) all.append(line, size_t(len) < sizeof line ? size_t(len) : sizeof line - 1);
    }
    void family(const char* name, const char* type, const char* help) {
        add("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    }
    void gauge(const char* name, const char* help, double value) {
        family(name, "gauge", help);
        add("%s %.17g\n", name, value);
    }
};

const char* type_of(std::string_view name) {
    constexpr std::string_view kEnd = "_total";
    return name.size() > kEnd.size() && name.substr(name.size() - kEnd.size()) == kEnd ? "counter" : "gauge";
}

void add_samples(const wsd_stats& stats, Text* text) {
    for (const Sample& sample : kSamples) {
        if (sample.help) text->family(sample.name, type_of(sample.name), sample.help);
        const bool labelled = *sample.labels;
        text->add("%s%s%s%s %" PRIu64 "\n", sample.name, labelled ? "{" : "", sample.labels, labelled ? "}" : "",
                  stats.*sample.value);
    }
}

void add_ends(const wsd_stats& stats, Text* text) {
    constexpr unsigned kOther = 15;
    text->family("wsd_closes_total", "counter", "Connections ended after they had opened, by close code.");
    for (unsigned i = 0; i < kOther; i++) {
        text->add("wsd_closes_total{code=\"%u\"} %" PRIu64 "\n", 1000 + i, stats.close_codes[i]);
    }
    text->add("wsd_closes_total{code=\"other\"} %" PRIu64 "\n", stats.close_codes[kOther]);
    text->family("wsd_ends_total", "counter", "The same connections, by what ended them.");
    for (unsigned i = WSD_CAUSE_PEER; i <= WSD_CAUSE_NOMEM; i++) {
        text->add("wsd_ends_total{cause=\"%s\"} %" PRIu64 "\n", wsd_cause_text(wsd_cause(i)), stats.causes[i]);
    }
}

// The library's buckets each count what is in no smaller one; Prometheus's count all up to their bound.
void add_histogram(const char* name, const char* help, const wsd_histogram& histogram, Text* text) {
    text->family(name, "histogram", help);
    uint64_t so_far = 0;
    for (unsigned i = 0; i + 1 < WSD_HISTOGRAM_BUCKETS; i++) {
        so_far += histogram.buckets[i];
        text->add("%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, double(1u << i) / 1000, so_far);
    }
    so_far += histogram.buckets[WSD_HISTOGRAM_BUCKETS - 1];
    text->add("%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, so_far);
    text->add("%s_sum %.17g\n%s_count %" PRIu64 "\n", name, double(histogram.sum_ms) / 1000, name, so_far);
}

// The names that every Prometheus client library uses.
void add_process(const MetricsInput& input, Text* text) {
    const ProcessUsage& process = input.process;
    text->family("process_cpu_seconds_total", "counter", "User and system CPU time.");
    text->add("process_cpu_seconds_total %.17g\n", process.cpu_s);
    text->gauge("process_start_time_seconds", "When the process started, since 1970.", input.start_time_s);
    text->gauge("process_max_fds", "Limit of open descriptors.", double(process.fds_max));
    if (process.fds_open) text->gauge("process_open_fds", "Open descriptors.", double(*process.fds_open));
    if (process.resident_bytes) {
        text->gauge("process_resident_memory_bytes", "Resident memory.", double(*process.resident_bytes));
    }
    if (process.virtual_bytes) {
        text->gauge("process_virtual_memory_bytes", "Virtual memory.", double(*process.virtual_bytes));
    }
}

}  // namespace

std::string metrics_text(const MetricsInput& input) {
    Text text;
    text.all.reserve(16384);
    text.family("wsd_build_info", "gauge", "Always 1; the labels tell what runs.");
    text.add("wsd_build_info{version=\"%s\",kernels=\"%s\"} 1\n", input.version.c_str(), input.kernels.c_str());
    add_samples(input.stats, &text);
    add_ends(input.stats, &text);
    add_histogram("wsd_loop_lag_seconds", "How late timers fired.", input.stats.loop_lag, &text);
    add_histogram("wsd_ping_rtt_seconds", "From pings of the server to their pongs.", input.stats.rtt, &text);
    add_process(input, &text);
    return std::move(text.all);
}

}  // namespace app
