// wsbench: a load generator for WebSocket echo servers, on one thread and raw epoll, with this project's own codecs. It
// is made to cost less than any server it loads, and says so when it did not ("client_saturated"): then its figure is
// the client's, not the server's. Messages are prepared once (wire.h) and payloads are stepped over (echo_reader.h),
// or, when they are large, discarded by the kernel.
//
// --raw measures what a plain TCP echo could do at best: the same client sends the very bytes of a WebSocket run,
// headers and masks included, and gets as many back. A WebSocket echo comes back without its mask, 4 bytes shorter.
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>

#include "handshakes.h"
#include "load.h"
#include "process.h"
#include "report.h"

namespace {

using namespace wsbench;

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;
constexpr double kUpgradeMaxSecs = 30;

uint64_t ns(double secs) { return uint64_t(secs * 1e9); }

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);  // whoever reads from a pipe waits for it
}

// Time and CPU time from here on.
class Watch {
  public:
    explicit Watch(pid_t server_pid)
        : server_pid_(server_pid), ns_(now_ns()), client_(own_cpu_secs()), server_(cpu_secs_of(server_pid)) {}

    uint64_t start_ns() const { return ns_; }
    Measured read() const {
        return {double(now_ns() - ns_) * 1e-9, own_cpu_secs() - client_, cpu_secs_of(server_pid_) - server_};
    }

  private:
    pid_t server_pid_;
    uint64_t ns_;
    double client_;
    double server_;
};

void measure(const Options& options, Load& load) {
    load.begin();
    load.run(now_ns() + ns(options.warmup));
    load.clear_counts();
    const Watch watch(options.server_pid);
    if (options.messages) {
        load.run_to_the_end();
    } else {
        load.run(watch.start_ns() + ns(options.secs));
    }
    load.count_unanswered();
    const Measured measured = watch.read();
    print(report_load(options, load, measured));
}

void hold(const Options& options, Load& load, size_t server_rss_before) {
    if (options.messages) {
        load.begin();
        load.run_to_the_end();
    }
    print(report_hold(options, load, "open", server_rss_before));
    load.run(options.secs > 0 ? now_ns() + ns(options.secs) : UINT64_MAX);
    print(report_hold(options, load, "held", server_rss_before));
}

// False, with the reason, when there are not as many connections as there should be.
bool measure_handshakes(const Options& options, const Route& route, std::string* error) {
    Handshakes handshakes(options, route);
    Watch whole(options.server_pid);
    if (!handshakes.connect_all(error)) return false;
    const bool churn = options.mode == Mode::kChurn;
    if (churn) handshakes.churn(now_ns() + ns(options.warmup));
    const uint64_t before = handshakes.upgraded();
    const Watch upgrades(options.server_pid);
    if (churn) {
        whole = upgrades;
        handshakes.churn(upgrades.start_ns() + ns(options.secs));
    } else {
        handshakes.upgrade_all(upgrades.start_ns() + ns(kUpgradeMaxSecs));
    }
    const Measured measured = upgrades.read();
    const uint64_t upgraded = handshakes.upgraded() - before;
    print(report_handshakes(options, handshakes, upgraded, whole.read(), measured));
    if (handshakes.lost()) *error = std::to_string(handshakes.lost()) + " refused: " + handshakes.why_lost();
    return handshakes.lost() == 0;
}

// From here on both end the loop, and only while it waits.
void take_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    struct sigaction action = {};
    action.sa_handler = [](int) { request_stop(); };
    for (const int signal : {SIGTERM, SIGINT}) {
        sigaddset(&signals, signal);
        sigaction(signal, &action, nullptr);
    }
    sigprocmask(SIG_BLOCK, &signals, nullptr);
}

int complain(const std::string& line, int status) {
    std::fprintf(stderr, "wsbench: %s\n", line.c_str());
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    std::string error;
    if (!parse_options(argc, argv, &options, &error)) return complain(error + " (see --help)", kExitUsage);
    if (options.help) return std::fputs(help_text().c_str(), stdout) < 0;
    Route route;
    if (!make_route(options, &route)) return complain("no such address", kExitUsage);
    take_signals();
    prctl(PR_SET_TIMERSLACK, 1ul);  // an open loop's messages are due to the microsecond, not to 50 of them

    if (options.mode == Mode::kUpgrade || options.mode == Mode::kChurn) {
        return measure_handshakes(options, route, &error) ? 0 : complain(error, kExitFailure);
    }
    const size_t server_rss_before = rss_bytes_of(options.server_pid);
    Load load(options, route);
    if (!load.connect_all(&error)) return complain(error, kExitFailure);
    if (options.mode == Mode::kLoad) {
        measure(options, load);
    } else {
        hold(options, load, server_rss_before);
    }
    // Connections that a server ends are no success, but for half heads, which it is right to end.
    return load.lost() > 0 && options.mode != Mode::kHalfHeads ? kExitFailure : 0;
}
