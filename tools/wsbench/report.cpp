#include "report.h"

#include <cstdint>
#include <cstdio>

#include "process.h"

namespace wsbench {
namespace {

// Of one core. The rest is what the kernel cannot attribute: a client that never waits shows no more than this.
constexpr double kSaturatedPercent = 98;

// Adds up a line, in the form that was asked for.
class Line {
  public:
    explicit Line(bool json) : json_(json) {}

    void number(const char* name, double value) {
        char digits[32];
        std::snprintf(digits, sizeof digits, value < 100 && value != double(int64_t(value)) ? "%.2f" : "%.0f", value);
        add(name, digits);
    }
    void flag(const char* name, bool value) { add(name, value ? "true" : "false"); }
    void word(const char* name, const std::string& value) { add(name, json_ ? quoted(value) : value); }

    std::string end() const { return json_ ? "{" + text_ + "}\n" : text_; }

  private:
    void add(const char* name, const std::string& value) {
        if (json_) {
            text_ += (text_.empty() ? "\"" : ", \"") + std::string(name) + "\": " + value;
        } else {
            std::string left = name;
            left.resize(24, ' ');
            text_ += left + value + "\n";
        }
    }
    static std::string quoted(const std::string& value) {
        std::string out = "\"";
        for (const char c : value) {
            const bool plain = uint8_t(c) >= 0x20 && c != '"' && c != '\\';
            out += plain ? c : '?';  // only errors of a server could hold any of these
        }
        return out + "\"";
    }

    bool json_;
    std::string text_;
};

template <class Run>
void put_lost(Line& line, const Run& run) {
    line.number("lost", double(run.lost()));
    if (run.lost()) line.word("why_lost", run.why_lost());
}

double percent(double cpu_secs, double secs) { return 100 * cpu_secs / secs; }

void put_client(Line& line, const Measured& measured) {
    const double busy = percent(measured.client_cpu_secs, measured.secs);
    line.number("client_cpu_percent", busy);
    line.flag("client_saturated", busy >= kSaturatedPercent);
}

}  // namespace

std::string report_load(const Options& options, const Load& load, const Measured& measured) {
    const double messages = double(load.messages());
    const auto us = [](uint64_t ns) { return double(ns) / 1000; };
    Line line(options.json);
    line.number("connections", double(options.conns));
    put_lost(line, load);
    line.number("secs", measured.secs);
    line.number("messages", messages);
    line.number("messages_per_s", messages / measured.secs);
    line.number("mb_per_s", messages * double(options.size) / measured.secs / 1e6);
    if (options.publish) line.number("publishes_per_s", messages / double(options.conns) / measured.secs);
    line.number("p50_us", us(load.latency().quantile(0.5)));
    line.number("p99_us", us(load.latency().quantile(0.99)));
    line.number("p999_us", us(load.latency().quantile(0.999)));
    line.number("max_us", us(load.latency().max()));
    if (options.rate > 0) line.number("unanswered", double(load.unanswered()));
    put_client(line, measured);
    if (options.server_pid) {
        line.number("server_cpu_percent", percent(measured.server_cpu_secs, measured.secs));
        line.number("server_us_per_message", messages > 0 ? measured.server_cpu_secs * 1e6 / messages : 0);
        line.number("server_rss_bytes", double(rss_bytes_of(options.server_pid)));
    }
    return line.end();
}

std::string report_handshakes(const Options& options, const Handshakes& handshakes, uint64_t upgraded,
                              const Measured& whole, const Measured& upgrades) {
    const auto count = double(upgraded);
    Line line(options.json);
    line.number("connections", double(options.conns));
    put_lost(line, handshakes);
    line.number("secs", upgrades.secs);
    line.number("upgrades", count);
    line.number("upgrades_per_s", count / upgrades.secs);
    put_client(line, upgrades);
    if (options.server_pid) {
        line.number("server_cpu_percent", percent(upgrades.server_cpu_secs, upgrades.secs));
        line.number("server_us_per_upgrade", count > 0 ? upgrades.server_cpu_secs * 1e6 / count : 0);
        line.number("server_us_per_connection", count > 0 ? whole.server_cpu_secs * 1e6 / count : 0);
    }
    return line.end();
}

std::string report_hold(const Options& options, const Load& load, const char* stage, size_t server_rss_before) {
    Line line(options.json);
    line.word("stage", stage);
    line.number("connections", double(options.conns));
    put_lost(line, load);
    if (options.server_pid) {
        const double grown = double(rss_bytes_of(options.server_pid)) - double(server_rss_before);
        line.number("server_rss_before", double(server_rss_before));
        line.number("server_rss_grown", grown);
        line.number("server_rss_per_conn", grown / double(options.conns));
    }
    return line.end();
}

}  // namespace wsbench
