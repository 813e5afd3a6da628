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

#include "load.h"
#include "process.h"
#include "report.h"

namespace {

using namespace wsbench;

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

uint64_t ns(double secs) { return uint64_t(secs * 1e9); }

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);  // whoever reads from a pipe waits for it
}

void measure(const Options& options, Load& load) {
    load.begin();
    load.run(now_ns() + ns(options.warmup));
    load.clear_counts();
    const uint64_t start = now_ns();
    const double client_start = own_cpu_secs(), server_start = cpu_secs_of(options.server_pid);
    if (options.messages) {
        load.run_to_the_end();
    } else {
        load.run(start + ns(options.secs));
    }
    load.count_unanswered();
    const Measured measured = {double(now_ns() - start) * 1e-9, own_cpu_secs() - client_start,
                               cpu_secs_of(options.server_pid) - server_start};
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
