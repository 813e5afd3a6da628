// The daemon's configuration: what the command line, the environment and a file may say, and what it comes to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/log.h"
#include "wsd.h"

namespace app {

enum class FsyncWhen : uint8_t { kAlways, kInterval, kNever };

// What the hub is to be. All but `on` are without effect where it is off.
struct HubFlags {
    bool on = false;
    std::string data;  // a folder; empty: in memory
    FsyncWhen fsync = FsyncWhen::kInterval;
    uint32_t fsync_interval_ms = 1000;
    uint64_t history_max_count = 0;  // of each session, as the next two; 0: no limit
    uint64_t history_max_age_ms = 0;
    uint64_t history_max_bytes = 0;
    std::string sessions;         // a file; empty: none
    std::string jwt_secret_file;  // empty: what the query says is believed
    std::string jwt_issuer;
    std::string jwt_audience;
    uint32_t jwt_leeway_ms = 30000;
    std::string admin_key_file;              // empty: the control API is off
    uint32_t max_sessions = 10000;           // 0: no limit
    uint32_t messages_per_user_minute = 60;  // 0: no limit
    uint32_t message_burst = 0;              // 0: as the rate
    uint32_t retry_interval_ms = 30000;
    uint32_t resume_timeout_ms = 86400000;
    bool accept_then_close = false;
};

struct Options {
    wsd_config config;                                  // of the library
    std::vector<std::string> listen;                    // addresses as wsd_server_listen() takes them
    std::vector<std::string> admin_listen;              // the same, for health checks and metrics only
    std::string host = "127.0.0.1";                     // for --port, and for the default port
    std::string subprotocols;                           // what config.subprotocols points to
    std::string kernels;                                // what config.kernels points to
    std::string origins;                                // what config.origins points to
    std::string trusted_proxies;                        // what config.trusted_proxies points to
    HubFlags hub;                                       // of --hub
    wsd_proxy_protocol proxy_protocol = WSD_PROXY_OFF;  // of every listener
    uint32_t drain_grace_ms = 10000;                    // from the signal to the cut
    uint32_t drain_window_ms = 0;                       // of it, over which closes are spread
    LogLevel log_level = LogLevel::kInfo;
    LogFormat log_format = LogFormat::kText;
    std::string log_file;  // empty: standard error
    bool access_log = true;
    std::string user;     // NAME or NAME:GROUP; empty: who started the daemon
    std::string pidfile;  // empty: none
    bool sandbox = false;
    bool check_config = false;
    bool help = false;
    bool version = false;

    Options() = default;
    Options(const Options&) = delete;  // config points into it
    Options& operator=(const Options&) = delete;
};

// Where options come from. Flags count before the environment, that before the file that --config names, and that
// before the defaults.
struct Sources {
    int argc = 0;
    char** argv = nullptr;
    char** environment = nullptr;  // ends with null; variables that do not begin with WSD_ are not looked at
};

// Reads all sources. False sets `*error` to one line that names what is at fault and where it stands. With --help or
// --version only the command line is read.
bool read_options(const Sources& sources, Options* options, std::string* error);

// That port of --host, as wsd_server_listen() takes it.
std::string address_on_host(const Options& options, std::string_view port);

// The whole configuration as a file; what is not set stands there as a comment.
std::string config_text(const Options& options);

// The names of the options in which two configurations differ: those that a running daemon takes over, or those that
// need a restart.
std::vector<std::string> changed_options(const Options& before, const Options& after, bool need_restart);

// The text of --help.
std::string help_text();

}  // namespace app
