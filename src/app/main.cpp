// The daemon: reads its options, listens, gives up what it does not need, runs until it is told to stop, and drains.
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "app/daemon.h"
#include "app/echo.h"
#include "app/hub/serve.h"
#include "app/process.h"
#include "app/sandbox.h"
#include "app/token_command.h"
#include "app/usage.h"
#include "app/visits.h"
#include "wsd.h"

namespace {

using app::Daemon;
using app::daemon_of;
using app::LogLevel;

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

constexpr const char* kDefaultPort = "9001";  // of --host, where nothing says where to listen

constexpr uint32_t kLogRetryMs = 100;  // until a reader of the log that does not keep up is looked at again

int complain(const std::string& line, int status) {
    std::fprintf(stderr, "wsd: %s\n", line.c_str());
    return status;
}

std::string reason() { return std::strerror(errno); }

void on_log(wsd_server* server, wsd_log_level level, wsd_conn conn, const char* text, int error) {
    const int number = errno;
    const LogLevel own = level == WSD_LOG_ERROR  ? LogLevel::kError
                         : level == WSD_LOG_WARN ? LogLevel::kWarn
                                                 : LogLevel::kDebug;  // one peer's mistakes are no news to the operator
    Daemon& daemon = daemon_of(server);
    if (!daemon.log.wants(own)) return;
    const std::string name = std::to_string(conn);
    if (error == WSD_OK) return daemon.log.write(own, text, {{"conn", name}});
    const char* const why = error == WSD_E_SYSTEM ? std::strerror(number) : wsd_error_text(error);
    daemon.log.write(own, text, {{"conn", name}, {"error", why}});
}

// The lines of a turn go out together at its end.
void flush_log(wsd_server* server, void*) {
    app::Log& log = daemon_of(server).log;
    if (!log.flush(0) && wsd_timer_start(server, kLogRetryMs, flush_log, nullptr, nullptr) != WSD_OK) log.drop();
}

// The library's configuration, with no more connections than there are descriptors for: the one too many gets its 503,
// and the daemon can still open what it needs.
wsd_config fitted_config(Daemon& daemon, const app::Options& options) {
    wsd_config config = options.config;
    config.context = &daemon;
    const uint64_t most = app::connections_within(daemon.descriptor_limit);
    const uint32_t wanted = config.connection_max_count;
    if (wanted == 0 || wanted > most) config.connection_max_count = most < UINT32_MAX ? uint32_t(most) : UINT32_MAX;
    return config;
}

void warn_of_few_descriptors(Daemon& daemon) {
    const uint64_t most = app::connections_within(daemon.descriptor_limit);
    const uint32_t wanted = daemon.options().config.connection_max_count;
    if (wanted <= most) return;
    daemon.log.write(LogLevel::kWarn, "too few descriptors for max-connections",
                     {{"max_connections", std::to_string(wanted)},
                      {"descriptors", std::to_string(daemon.descriptor_limit)},
                      {"holds", std::to_string(most)}});
}

// --------------------------------------------------------------------------------------------------------- reloading

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
    return text;
}

// Takes over what may change in a running server. Empty for success; else why nothing has.
std::string take_over(wsd_server* server, Daemon& daemon, std::unique_ptr<app::Options> next) {
    app::hub::Keys keys;
    std::string error;
    if (daemon.hub && !app::hub::read_keys(*next, &keys, &error)) return error;
    // The file is opened before anything is changed, and changed back is only where that went wrong afterwards.
    if (!daemon.log.open(next->log_file)) return "log-file: " + next->log_file + ": " + reason();
    const wsd_config config = fitted_config(daemon, *next);
    if (const int result = wsd_server_reconfigure(server, &config); result != WSD_OK) {
        (void)daemon.log.open(daemon.options().log_file);  // where even that fails, the new file is as good
        return wsd_error_text(result);
    }
    if (daemon.hub) app::hub::reload_hub(*daemon.hub, *next, std::move(keys));
    daemon.log.set(next->log_level, next->log_format);
    daemon.log.write(LogLevel::kInfo, "reloaded",
                     {{"changed", joined(app::changed_options(daemon.options(), *next, false))}});
    daemon.reloaded = std::move(next);
    warn_of_few_descriptors(daemon);
    return {};
}

// Empty for success; else why all stays as it was.
std::string read_again(wsd_server* server, Daemon& daemon) {
    auto next = std::make_unique<app::Options>();
    std::string error;
    if (!app::read_options(daemon.sources, next.get(), &error)) return error;
    const std::string restart = joined(app::changed_options(*daemon.started, *next, true));
    error = take_over(server, daemon, std::move(next));
    if (error.empty() && !restart.empty()) {
        daemon.log.write(LogLevel::kWarn, "a restart is needed", {{"for", restart}});
    }
    return error;
}

void reload(wsd_server* server, Daemon& daemon) {
    daemon.notifier.reloading();
    const std::string error = read_again(server, daemon);
    if (!error.empty()) daemon.log.write(LogLevel::kError, "not reloaded", {{"error", error}});
    daemon.notifier.ready();
}

// ----------------------------------------------------------------------------------------------------------- signals

// The first signal drains, the second cuts.
void drain(wsd_server* server, Daemon& daemon, int number) {
    const uint32_t window_ms = daemon.draining ? 0 : daemon.options().drain_window_ms;
    const uint32_t grace_ms = daemon.draining ? 0 : daemon.options().drain_grace_ms;
    daemon.log.write(LogLevel::kInfo, daemon.draining ? "cutting" : "draining",
                     {{"signal", strsignal(number)}, {"grace_ms", std::to_string(grace_ms)}});
    if (!daemon.draining) daemon.notifier.stopping();
    daemon.draining = true;
    (void)wsd_server_drain_over(server, window_ms, grace_ms);  // the times have been judged
}

void on_signal(wsd_server* server, int fd, unsigned, void*) {
    signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != ssize_t(sizeof info)) return;
    Daemon& daemon = daemon_of(server);
    const int number = int(info.ssi_signo);
    if (number != SIGHUP) return drain(server, daemon, number);
    if (!daemon.draining) reload(server, daemon);
}

// From here on these signals arrive as events of the loop. Returns the descriptor, or -1 with errno.
int take_signals() {
    (void)std::signal(SIGPIPE, SIG_IGN);  // whoever stops reading the log must not end the daemon
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return -1;
    return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

void on_watchdog(wsd_server* server, void*) {
    const app::Notifier& notifier = daemon_of(server).notifier;
    notifier.watchdog();
    if (wsd_timer_start(server, notifier.watchdog_ms(), on_watchdog, nullptr, nullptr) == WSD_OK) return;
    // Whoever stops telling that it is alive is killed, and that is right where not even a timer can be had.
    daemon_of(server).log.write(LogLevel::kError, "no memory for the watchdog");
}

// ---------------------------------------------------------------------------------------------------------- starting

// Listens on one address. Returns 0, or the exit status after saying why not.
int listen_on(wsd_server* server, const std::string& address, const wsd_listen_options& options) {
    const int listener = wsd_server_listen_with(server, address.c_str(), &options);
    if (listener < 0) {
        const std::string why = listener == WSD_E_SYSTEM ? reason() : wsd_error_text(listener);
        return complain("cannot listen on " + address + ": " + why, kExitFailure);
    }
    Daemon& daemon = daemon_of(server);
    if (options.admin && daemon.first_admin_listener == app::kNoListener) daemon.first_admin_listener = listener;
    char actual[128] = "";
    wsd_server_address(server, listener, actual, sizeof actual);
    daemon.log.write(LogLevel::kInfo, options.admin ? "listening_admin" : "listening", {{"address", actual}});
    return 0;
}

// Listens on every address, on those for admins last. Returns as listen_on().
int listen_all(wsd_server* server, const app::Options& options, const std::vector<std::string>& passed) {
    std::vector<std::string> addresses = options.listen;
    addresses.insert(addresses.end(), passed.begin(), passed.end());
    if (addresses.empty()) addresses.push_back(app::address_on_host(options, kDefaultPort));
    const wsd_listen_options open{sizeof open, options.proxy_protocol, 0};
    for (const std::string& address : addresses) {
        if (const int status = listen_on(server, address, open)) return status;
    }
    const wsd_listen_options admin{sizeof admin, WSD_PROXY_OFF, 1};
    for (const std::string& address : options.admin_listen) {
        if (const int status = listen_on(server, address, admin)) return status;
    }
    return 0;
}

// Gives up, in this order, what only starting needed. In between the hub is opened: its files belong to whom the daemon
// runs as, and its threads are under the filter that is put in force after they have been made. Returns 0, or the exit
// status after saying why it could not.
int confine(wsd_server* server, Daemon& daemon) {
    const app::Options& options = *daemon.started;
    std::string error;
    app::Identity identity;
    if (!options.user.empty() &&
        !(app::find_identity(options.user, &identity, &error) && app::become(identity, &error))) {
        return complain("--user: " + error, kExitFailure);
    }
    if (!app::renounce_privileges()) return complain("cannot renounce privileges: " + reason(), kExitFailure);
    if (options.hub.on && !(daemon.hub = app::hub::open_hub(server, options, &daemon.log, &error))) {
        return complain(error, kExitFailure);
    }
    if (daemon.hub) app::log_calls(daemon);
    if (options.sandbox && !app::enter_sandbox()) return complain("--sandbox: " + reason(), kExitFailure);
    return 0;
}

int run(wsd_server* server, Daemon& daemon, int signals) {
    daemon.log.defer_to([server] { return wsd_post(server, flush_log, nullptr) == WSD_OK; });
    (void)wsd_watch(server, signals, WSD_READABLE, on_signal, nullptr);  // a fresh signalfd can be watched
    warn_of_few_descriptors(daemon);
    daemon.log.write(LogLevel::kInfo, "started",
                     {{"version", wsd_version()},
                      {"kernels", wsd_kernels(server)},
                      {"pid", std::to_string(getpid())},
                      {"descriptors", std::to_string(daemon.descriptor_limit)}});
    daemon.notifier.ready();
    if (daemon.notifier.watchdog_ms()) on_watchdog(server, nullptr);
    const int status = wsd_server_run(server) == WSD_OK ? 0 : kExitFailure;
    return status;
}

// Listens and serves. Returns the exit status, after saying why if that is not 0.
int serve_with(wsd_server* server, Daemon& daemon, int signals, const std::vector<std::string>& passed) {
    const app::Options& options = *daemon.started;
    if (const int status = listen_all(server, options, passed)) return status;
    app::Pidfile pidfile;
    std::string error;
    if (!options.pidfile.empty() && !pidfile.create(options.pidfile, &error)) return complain(error, kExitFailure);
    if (const int status = confine(server, daemon)) return status;
    const int status = run(server, daemon, signals);
    if (daemon.hub) app::hub::close_hub(*daemon.hub);
    return status;
}

int serve(const app::Sources& sources, std::unique_ptr<app::Options> options) {
    Daemon daemon;
    daemon.sources = sources;
    daemon.started = std::move(options);
    daemon.log.set(daemon.started->log_level, daemon.started->log_format);
    std::string error;
    std::vector<std::string> passed;
    if (!daemon.notifier.open(&error) || !app::take_passed_sockets(&passed, &error)) return complain(error, kExitUsage);
    const int signals = take_signals();
    if (signals < 0) return complain("cannot take signals: " + reason(), kExitFailure);
    if (!daemon.log.open(daemon.started->log_file)) {
        return complain("cannot open " + daemon.started->log_file + ": " + reason(), kExitFailure);
    }
    daemon.descriptor_limit = app::raise_descriptor_limit();

    const wsd_config config = fitted_config(daemon, *daemon.started);
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_log = on_log;
    if (daemon.started->hub.on) {
        app::hub::hub_callbacks(&callbacks);
    } else {
        app::echo_callbacks(&callbacks, daemon.started->access_log);
    }
    app::visit_callbacks(&callbacks);
    wsd_server* server = nullptr;
    const int made = wsd_server_new(&config, &callbacks, &server);
    if (made != WSD_OK) return complain(std::string("cannot start: ") + wsd_error_text(made), kExitFailure);
    daemon.start_time_s = app::wall_clock_s();
    daemon.start_ms = wsd_now_ms(server);
    const int status = serve_with(server, daemon, signals, passed);
    daemon.hub.reset();  // before the server that it asks for things
    wsd_server_free(server);
    daemon.log.defer_to({});
    if (status == 0) daemon.log.write(LogLevel::kInfo, "stopped");
    close(signals);
    return status;
}

int print_token(int argc, char** argv) {
    std::string output, error;
    if (!app::token_command(argc, argv, int64_t(app::wall_clock_s()), &output, &error)) {
        return complain(error, kExitUsage);
    }
    return std::fputs(output.c_str(), stdout) < 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (app::asks_for_token(argc, argv)) return print_token(argc, argv);
    const app::Sources sources{argc, argv, environ};
    auto options = std::make_unique<app::Options>();
    std::string error;
    if (!app::read_options(sources, options.get(), &error)) return complain(error, kExitUsage);
    if (options->help) return std::fputs(app::help_text().c_str(), stdout) < 0;
    if (options->version) return std::printf("wsd %s\n", wsd_version()) < 0;
    if (options->check_config) return std::fputs(app::config_text(*options).c_str(), stdout) < 0;
    return serve(sources, std::move(options));
}
