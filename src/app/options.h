// The daemon's configuration: what the command line may say, and what it comes to.
#pragma once

#include <string>
#include <vector>

#include "app/log.h"
#include "wsd.h"

namespace app {

struct Options {
    wsd_config config;                                  // of the library
    std::vector<std::string> listen;                    // addresses as wsd_server_listen() takes them
    std::vector<std::string> admin_listen;              // the same, for health checks and metrics only
    std::string host = "127.0.0.1";                     // for --port
    std::string subprotocols;                           // what config.subprotocols points to
    std::string kernels;                                // what config.kernels points to
    std::string origins;                                // what config.origins points to
    std::string trusted_proxies;                        // what config.trusted_proxies points to
    wsd_proxy_protocol proxy_protocol = WSD_PROXY_OFF;  // of every listener
    uint32_t drain_grace_ms = 10000;
    LogLevel log_level = LogLevel::kInfo;
    LogFormat log_format = LogFormat::kText;
    std::string log_file;    // empty: standard error
    bool access_log = true;  // requests and ends of connections are logged
    bool help = false;
    bool version = false;
};

// Reads the command line. False sets `*error` to one line that names the argument at fault. `options` must stay where
// it is: its config points into it.
bool parse_options(int argc, char** argv, Options* options, std::string* error);

// The text of --help.
std::string help_text();

}  // namespace app
