#include "app/metrics.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace {

app::MetricsInput input_with(const wsd_stats& stats) {
    app::MetricsInput input{};
    input.stats = stats;
    input.version = "1.2.3";
    input.kernels = "scalar";
    return input;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// Statistics of which every number is another one, and none is in a second one's digits.
wsd_stats numbered() {
    wsd_stats stats = {};
    constexpr size_t kNumbers = (sizeof stats - offsetof(wsd_stats, connections_active)) / sizeof(uint64_t);
    for (uint64_t i = 0; i < kNumbers; i++) {
        const uint64_t number = 1000000 + i;
        std::memcpy(reinterpret_cast<char*>(&stats.connections_active) + i * sizeof number, &number, sizeof number);
    }
    return stats;
}

bool is_shown(const std::string& text, uint64_t number) {
    return text.find(" " + std::to_string(number) + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("every number of the statistics is a sample") {
    const wsd_stats stats = numbered();
    const std::string text = app::metrics_text(input_with(stats));
    const auto* const numbers = &stats.connections_active;
    const auto index_of = [&](const void* p) { return size_t(static_cast<const uint64_t*>(p) - numbers); };
    const size_t end = (sizeof stats - offsetof(wsd_stats, connections_active)) / sizeof(uint64_t);
    constexpr size_t kHistogram = sizeof(wsd_histogram) / sizeof(uint64_t);
    for (size_t i = 0; i < end; i++) {
        const bool summed = (i >= index_of(&stats.loop_lag) && i < index_of(&stats.loop_lag) + kHistogram) ||
                            (i >= index_of(&stats.rtt) && i < index_of(&stats.rtt) + kHistogram);
        const bool no_cause = i == index_of(&stats.causes[0]) ||
                              (i > index_of(&stats.causes[WSD_CAUSE_NOMEM]) && i <= index_of(&stats.causes[15]));
        CAPTURE(i);
        if (summed) continue;  // a test of its own looks at those
        CHECK(is_shown(text, 1000000 + i) == !no_cause);
    }
}

TEST_CASE("samples have the names, labels and types that their values ask for") {
    wsd_stats stats = {};
    stats.connections_active = 3;
    stats.messages_in = UINT64_MAX;
    stats.refused_ip_rate = 5;
    stats.close_codes[1] = 6;
    stats.close_codes[15] = 7;
    stats.causes[WSD_CAUSE_PING_TIMEOUT] = 8;
    const std::string text = app::metrics_text(input_with(stats));
    for (const char* line :
         {"# TYPE wsd_connections gauge", "wsd_connections 3", "# TYPE wsd_messages_received_total counter",
          "wsd_messages_received_total 18446744073709551615", "wsd_refused_total{cause=\"ip_rate\"} 5",
          "wsd_closes_total{code=\"1001\"} 6", "wsd_closes_total{code=\"other\"} 7",
          "wsd_ends_total{cause=\"ping_timeout\"} 8", "wsd_build_info{version=\"1.2.3\",kernels=\"scalar\"} 1"}) {
        CAPTURE(line);
        CHECK(has_line(text, line));
    }
}

TEST_CASE("a histogram's buckets count all up to their bound, in seconds") {
    wsd_stats stats = {};
    stats.rtt.count = 6;
    stats.rtt.sum_ms = 40006;
    stats.rtt.buckets[0] = 1;
    stats.rtt.buckets[2] = 2;
    stats.rtt.buckets[WSD_HISTOGRAM_BUCKETS - 1] = 3;
    const std::string text = app::metrics_text(input_with(stats));
    for (const char* line :
         {"# TYPE wsd_ping_rtt_seconds histogram", "wsd_ping_rtt_seconds_bucket{le=\"0.001\"} 1",
          "wsd_ping_rtt_seconds_bucket{le=\"0.002\"} 1", "wsd_ping_rtt_seconds_bucket{le=\"0.004\"} 3",
          "wsd_ping_rtt_seconds_bucket{le=\"16.384\"} 3", "wsd_ping_rtt_seconds_bucket{le=\"+Inf\"} 6",
          "wsd_ping_rtt_seconds_sum 40.006", "wsd_ping_rtt_seconds_count 6",
          "wsd_loop_lag_seconds_bucket{le=\"+Inf\"} 0"}) {
        CAPTURE(line);
        CHECK(has_line(text, line));
    }
}

TEST_CASE("what /proc does not tell is left out") {
    app::MetricsInput input = input_with({});
    CHECK(app::metrics_text(input).find("process_open_fds") == std::string::npos);
    input.process.fds_open = 7;
    CHECK(has_line(app::metrics_text(input), "process_open_fds 7"));
}

TEST_CASE("every family has its help and type once, before its samples") {
    const std::string text = app::metrics_text(input_with({}));
    std::string family;
    std::vector<std::string> seen;
    for (size_t at = 0; at < text.size();) {
        const size_t end = text.find('\n', at);
        REQUIRE(end != std::string::npos);
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        CAPTURE(line);
        if (line.rfind("# HELP ", 0) == 0) {
            family = line.substr(7, line.find(' ', 7) - 7);
            for (const std::string& before : seen) CHECK(before != family);
            seen.push_back(family);
        } else if (line.rfind("# TYPE ", 0) == 0) {
            CHECK(line.substr(7, family.size() + 1) == family + " ");
        } else {
            CHECK(line.substr(0, family.size()) == family);
        }
    }
    CHECK(seen.size() > 50);
}
