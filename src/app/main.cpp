// The daemon: reads its flags, listens, runs until it is told to stop, and drains.
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "app/daemon.h"
#include "app/echo.h"
#include "app/process.h"
#include "app/visits.h"
#include "wsd.h"

namespace {

using app::Daemon;
using app::daemon_of;
using app::LogLevel;

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

constexpr uint32_t kLogRetryMs = 100;  // until a reader of the log that does not keep up is looked at again

void on_log(wsd_server* server, wsd_log_level level, wsd_conn conn, const char* text, int error) {
    const int reason = errno;
    const LogLevel own = level == WSD_LOG_ERROR  ? LogLevel::kError
                         : level == WSD_LOG_WARN ? LogLevel::kWarn
                                                 : LogLevel::kDebug;  // one peer's mistakes are no news to the operator
    Daemon& daemon = daemon_of(server);
    if (!daemon.log.wants(own)) return;
    daemon.log.write(own, text,
                     {{"conn", std::to_string(conn)},
                      {"error", error == WSD_E_SYSTEM ? std::strerror(reason) : wsd_error_text(error)}});
}

// The lines of a turn go out together at its end.
void flush_log(wsd_server* server, void*) {
    app::Log& log = daemon_of(server).log;
    if (!log.flush(0) && wsd_timer_start(server, kLogRetryMs, flush_log, nullptr, nullptr) != WSD_OK) log.drop();
}

// The first signal drains, the second cuts.
void on_signal(wsd_server* server, int fd, unsigned, void*) {
    signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != ssize_t(sizeof info)) return;
    Daemon& daemon = daemon_of(server);
    const uint32_t grace_ms = daemon.draining ? 0 : daemon.options.drain_grace_ms;
    daemon.log.write(LogLevel::kInfo, daemon.draining ? "cutting" : "draining",
                     {{"signal", strsignal(int(info.ssi_signo))}, {"grace_ms", std::to_string(grace_ms)}});
    daemon.draining = true;
    wsd_server_drain(server, grace_ms);
}

// From here on SIGTERM and SIGINT arrive as events of the loop. Returns the descriptor, or -1 with errno.
int take_signals() {
    (void)std::signal(SIGPIPE, SIG_IGN);  // whoever stops reading the log must not end the daemon
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return -1;
    return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

int complain(const std::string& line, int status) {
    std::fprintf(stderr, "wsd: %s\n", line.c_str());
    return status;
}

// Listens on one address that was given with `flag`. Returns 0, or the exit status after saying why not.
int listen_on(wsd_server* server, const char* flag, const std::string& address, const wsd_listen_options& options) {
    const int listener = wsd_server_listen_with(server, address.c_str(), &options);
    if (listener == WSD_E_INVALID) return complain(std::string(flag) + ": not an address: " + address, kExitUsage);
    if (listener < 0) return complain("cannot listen on " + address + ": " + std::strerror(errno), kExitFailure);
    Daemon& daemon = daemon_of(server);
    if (options.admin && daemon.first_admin_listener == app::kNoListener) daemon.first_admin_listener = listener;
    char actual[128] = "";
    wsd_server_address(server, listener, actual, sizeof actual);
    daemon.log.write(LogLevel::kInfo, options.admin ? "listening_admin" : "listening", {{"address", actual}});
    return 0;
}

// Listens on every address, on those for admins last. Returns as listen_on().
int listen_all(wsd_server* server, const app::Options& options) {
    std::vector<std::string> addresses = options.listen;
    if (addresses.empty()) addresses.push_back("127.0.0.1:9001");
    int status = 0;
    const wsd_listen_options open{sizeof open, options.proxy_protocol, 0};
    for (size_t i = 0; i < addresses.size() && status == 0; i++) {
        status = listen_on(server, "--listen", addresses[i], open);
    }
    const wsd_listen_options admin{sizeof admin, WSD_PROXY_OFF, 1};
    for (size_t i = 0; i < options.admin_listen.size() && status == 0; i++) {
        status = listen_on(server, "--admin-listen", options.admin_listen[i], admin);
    }
    return status;
}

int serve(const app::Options& options) {
    Daemon daemon{options, app::Log(options.log_level, options.log_format)};
    wsd_config config = options.config;
    config.context = &daemon;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_log = on_log;
    app::echo_callbacks(&callbacks, options.access_log);
    app::visit_callbacks(&callbacks);
    if (!daemon.log.open(options.log_file)) {
        return complain("--log-file: cannot open " + options.log_file + ": " + std::strerror(errno), kExitFailure);
    }

    const int signals = take_signals();
    if (signals < 0) return complain(std::string("cannot take signals: ") + std::strerror(errno), kExitFailure);
    wsd_server* server = nullptr;
    const int made = wsd_server_new(&config, &callbacks, &server);
    // The flags have been judged, so what is out of range can only come from outside them.
    if (made == WSD_E_INVALID) return complain("WSD_KERNELS: names no kernels that this CPU can run", kExitUsage);
    if (made != WSD_OK) return complain(std::string("cannot start: ") + wsd_error_text(made), kExitFailure);

    daemon.start_time_s = app::wall_clock_s();
    daemon.start_ms = wsd_now_ms(server);
    int status = listen_all(server, options);
    if (status == 0) {
        daemon.log.defer_to([server] { return wsd_post(server, flush_log, nullptr) == WSD_OK; });
        (void)wsd_watch(server, signals, WSD_READABLE, on_signal, nullptr);  // a fresh signalfd can be watched
        daemon.log.write(
            LogLevel::kInfo, "started",
            {{"version", wsd_version()}, {"kernels", wsd_kernels(server)}, {"pid", std::to_string(getpid())}});
        status = wsd_server_run(server) == WSD_OK ? 0 : kExitFailure;
    }
    wsd_server_free(server);
    daemon.log.defer_to({});
    if (status == 0) daemon.log.write(LogLevel::kInfo, "stopped");
    close(signals);
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    app::Options options;
    std::string error;
    if (!app::parse_options(argc, argv, &options, &error)) return complain(error + " (see --help)", kExitUsage);
    if (options.help) return std::fputs(app::help_text().c_str(), stdout) < 0;
    if (options.version) return std::printf("wsd %s\n", wsd_version()) < 0;
    return serve(options);
}
