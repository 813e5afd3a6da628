#include "app/options.h"

#include <charconv>
#include <cstring>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>

namespace app {
namespace {

// Sets one option from its text. Empty for success, else what was expected.
using Setter = std::function<std::string(Options&, std::string_view)>;

struct Flag {
    std::string_view name;
    std::string_view value;  // how --help calls it; empty for a switch
    std::string_view help;
    Setter set;
    std::string_view field = {};  // of wsd_config, where the library judges the value
};

// ----------------------------------------------------------------------------------------------------------- values

struct Suffix {
    std::string_view text;
    uint64_t factor;
};

bool parse_scaled(std::string_view text, std::initializer_list<Suffix> suffixes, uint64_t max, uint64_t* out) {
    uint64_t n = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failure != std::errc{}) return false;
    const std::string_view rest(end, size_t(text.data() + text.size() - end));
    for (const Suffix& suffix : suffixes) {
        if (rest != suffix.text) continue;
        if (n > max / suffix.factor) return false;
        *out = n * suffix.factor;
        return true;
    }
    return false;
}

template <class T>
Setter count(T wsd_config::*field) {
    return [field](Options& options, std::string_view text) -> std::string {
        uint64_t n = 0;
        if (!parse_scaled(text, {{"", 1}}, uint64_t(std::numeric_limits<T>::max()), &n)) return "a number";
        options.config.*field = T(n);
        return {};
    };
}

template <class T>
Setter bytes(T wsd_config::*field) {
    return [field](Options& options, std::string_view text) -> std::string {
        uint64_t n = 0;
        if (!parse_scaled(text, {{"", 1}, {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}},
                          uint64_t(std::numeric_limits<T>::max()), &n)) {
            return "bytes, as 65536, 64K or 16M";
        }
        options.config.*field = T(n);
        return {};
    };
}

Setter turn_on(int wsd_config::*field) {
    return [field](Options& options, std::string_view) -> std::string {
        options.config.*field = 1;
        return {};
    };
}

bool parse_ms(std::string_view text, uint32_t* ms) {
    uint64_t n = 0;
    const bool ok = parse_scaled(text, {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}},
                                 std::numeric_limits<uint32_t>::max(), &n);
    *ms = uint32_t(n);
    return ok;
}

constexpr const char* kTimeForm = "a time, as 30s, 500ms or 5m (0: off)";

Setter time(uint32_t wsd_config::*field) {
    return [field](Options& options, std::string_view text) -> std::string {
        return parse_ms(text, &(options.config.*field)) ? "" : kTimeForm;
    };
}

// ------------------------------------------------------------------------------------------------------ single flags

std::string set_port(Options& options, std::string_view text) {
    uint64_t port = 0;
    if (!parse_scaled(text, {{"", 1}}, 65535, &port)) return "a port, 0-65535";
    options.listen.push_back("PORT:" + std::to_string(port));  // completed with --host, wherever that stands
    return {};
}

std::string set_host(Options& options, std::string_view text) {
    if (text.empty()) return "an address, as 127.0.0.1, ::1, localhost or *";
    options.host = text;
    return {};
}

std::string set_listen(Options& options, std::string_view text) {
    if (text.find(':') == std::string_view::npos) return "HOST:PORT, [V6]:PORT, unix:PATH or fd:N";
    options.listen.emplace_back(text);
    return {};
}

std::string set_admin_listen(Options& options, std::string_view text) {
    if (text.find(':') == std::string_view::npos) return "HOST:PORT, [V6]:PORT, unix:PATH or fd:N";
    options.admin_listen.emplace_back(text);
    return {};
}

std::string set_access_log(Options& options, std::string_view text) {
    if (text != "on" && text != "off") return "on or off";
    options.access_log = text == "on";
    return {};
}

std::string set_log_file(Options& options, std::string_view text) {
    if (text.empty()) return "the path of a file";
    options.log_file = text;
    return {};
}

std::string set_log_level(Options& options, std::string_view text) {
    for (const LogLevel level : {LogLevel::kError, LogLevel::kWarn, LogLevel::kInfo, LogLevel::kDebug}) {
        if (text != level_name(level)) continue;
        options.log_level = level;
        return {};
    }
    return "error, warn, info or debug";
}

std::string set_log_format(Options& options, std::string_view text) {
    if (text != "text" && text != "json") return "text or json";
    options.log_format = text == "json" ? LogFormat::kJson : LogFormat::kText;
    return {};
}

std::string set_drain_grace(Options& options, std::string_view text) {
    return parse_ms(text, &options.drain_grace_ms) ? "" : kTimeForm;
}

std::string set_no_deflate(Options& options, std::string_view) {
    options.config.deflate = 0;
    return {};
}

std::string set_subprotocols(Options& options, std::string_view text) {
    options.subprotocols = text;
    options.config.subprotocols = options.subprotocols.c_str();
    return {};
}

std::string set_over_rate(Options& options, std::string_view text) {
    if (text != "pause" && text != "close") return "pause or close";
    options.config.message_over_rate = text == "close" ? WSD_OVER_RATE_CLOSE : WSD_OVER_RATE_PAUSE;
    return {};
}

std::string set_kernels(Options& options, std::string_view text) {
    options.kernels = text;
    options.config.kernels = options.kernels.c_str();
    return {};
}

std::string set_origins(Options& options, std::string_view text) {
    options.origins = text;
    options.config.origins = options.origins.c_str();
    return {};
}

std::string set_trusted_proxies(Options& options, std::string_view text) {
    options.trusted_proxies = text;
    options.config.trusted_proxies = options.trusted_proxies.c_str();
    return {};
}

std::string set_forwarded_header(Options& options, std::string_view text) {
    if (text != "x-forwarded-for" && text != "forwarded") return "x-forwarded-for or forwarded";
    options.config.forwarded_header = text == "forwarded" ? WSD_FORWARDED : WSD_X_FORWARDED_FOR;
    return {};
}

std::string set_proxy_protocol(Options& options, std::string_view text) {
    static constexpr std::pair<std::string_view, wsd_proxy_protocol> kModes[] = {
        {"off", WSD_PROXY_OFF}, {"optional", WSD_PROXY_OPTIONAL}, {"required", WSD_PROXY_REQUIRED}};
    for (const auto& [name, mode] : kModes) {
        if (text != name) continue;
        options.proxy_protocol = mode;
        return {};
    }
    return "off, optional or required";
}

std::vector<Flag> listening_flags() {
    using C = wsd_config;
    return {
        {"port", "N", "listen on this TCP port of --host; 0 for a free one", set_port},
        {"host", "ADDR", "address for --port (127.0.0.1); * for all", set_host},
        {"listen", "ADDR", "HOST:PORT, [V6]:PORT, unix:PATH or fd:N; may be repeated", set_listen},
        {"admin-listen", "ADDR", "serve health and metrics here, and not elsewhere; may be repeated", set_admin_listen},
        {"subprotocols", "LIST", "subprotocols to agree to, comma-separated (none)", set_subprotocols, "subprotocols"},
        {"allow-http10", "", "take upgrades over HTTP/1.0", turn_on(&C::allow_http10)},
    };
}

std::vector<Flag> origin_flags() {
    using C = wsd_config;
    return {
        {"origins", "LIST", "pages that may connect, as https://example.com,*.example.org (any)", set_origins,
         "origins"},
        {"origins-required", "", "refuse upgrades without an Origin, too", turn_on(&C::origins_required),
         "origins_required"},
        {"trusted-proxies", "LIST", "who is believed about clients: addresses, ranges, unix: (none)",
         set_trusted_proxies, "trusted_proxies"},
        {"forwarded-header", "NAME", "where they tell: x-forwarded-for or forwarded (x-forwarded-for)",
         set_forwarded_header, "forwarded_header"},
        {"proxy-protocol", "MODE", "PROXY headers: off, required, or optional, of trusted proxies (off)",
         set_proxy_protocol},
    };
}

std::vector<Flag> deflate_flags() {
    using C = wsd_config;
    return {
        {"no-deflate", "", "do not agree to permessage-deflate", set_no_deflate},
        {"deflate-level", "N", "1: fast; 2: smaller (1)", count(&C::deflate_level), "deflate_level"},
        {"deflate-threshold", "BYTES", "shorter messages are sent as they are (64)",
         bytes(&C::deflate_threshold_bytes)},
        {"deflate-server-takeover", "", "let messages to a client refer to earlier ones",
         turn_on(&C::deflate_server_takeover)},
        {"deflate-client-takeover", "", "let messages from a client refer to earlier ones",
         turn_on(&C::deflate_client_takeover)},
        {"deflate-server-window-bits", "N", "8-15, of messages to a client (15)", count(&C::deflate_server_window_bits),
         "deflate_server_window_bits"},
        {"deflate-client-window-bits", "N", "8-15, asked of clients for theirs (15)",
         count(&C::deflate_client_window_bits), "deflate_client_window_bits"},
        {"deflate-memory-bytes", "BYTES", "for takeover in all; past it new connections get none (64M)",
         bytes(&C::deflate_memory_max_bytes)},
    };
}

std::vector<Flag> limit_flags() {
    using C = wsd_config;
    return {
        {"max-connections", "N", "connections at a time (100000); 0: no limit", count(&C::connection_max_count),
         "connection_max_count"},
        {"max-message-bytes", "BYTES", "size of a message (16M)", bytes(&C::message_max_bytes), "message_max_bytes"},
        {"max-frame-bytes", "BYTES", "size of a frame (16M)", bytes(&C::frame_max_bytes), "frame_max_bytes"},
        {"max-fragments", "N", "frames in a message (131072)", count(&C::fragment_max_count), "fragment_max_count"},
        {"max-head-bytes", "BYTES", "size of a request's head (8K)", bytes(&C::head_max_bytes), "head_max_bytes"},
        {"max-headers", "N", "headers in a request (100)", count(&C::head_max_count), "head_max_count"},
        {"max-body-bytes", "BYTES", "size of a request's body (64K)", bytes(&C::body_max_bytes), "body_max_bytes"},
        {"receive-buffer-bytes", "BYTES", "what one read may take (256K)", bytes(&C::receive_buffer_bytes),
         "receive_buffer_bytes"},
        {"send-high-bytes", "BYTES", "queued for one peer before it is full (1M)", bytes(&C::send_high_bytes),
         "send_high_bytes"},
        {"send-low-bytes", "BYTES", "queued when it takes more again (256K)", bytes(&C::send_low_bytes),
         "send_low_bytes"},
        {"send-high-count", "N", "messages queued before it is full (100); 0: no limit", count(&C::send_high_count),
         "send_high_count"},
    };
}

std::vector<Flag> client_flags() {
    using C = wsd_config;
    return {
        {"max-connections-per-ip", "N", "connections of one address (0); 0: no limit",
         count(&C::ip_connection_max_count)},
        {"connects-per-ip", "N", "new connections of one address a minute (0); 0: no limit",
         count(&C::ip_connect_per_min), "ip_connect_per_min"},
        {"connects-per-ip-burst", "N", "of these at once (0); 0: a minute's", count(&C::ip_connect_burst_count),
         "ip_connect_burst_count"},
        {"message-rate", "N", "messages of one connection a second (0); 0: no limit", count(&C::message_per_s),
         "message_per_s"},
        {"message-burst", "N", "of these at once (0); 0: a second's", count(&C::message_burst_count),
         "message_burst_count"},
        {"message-over-rate", "WHAT", "pause or close a connection over its rate (pause)", set_over_rate},
        {"handshake-min-rate", "BYTES", "a second, of a request that arrives (0); 0: no limit",
         bytes(&C::handshake_bytes_per_s)},
        {"handshake-grace", "TIME", "in which that is not asked (3s)", time(&C::handshake_grace_ms)},
        {"limits-dry-run", "", "count what the limits by client would refuse, and refuse nothing",
         turn_on(&C::limits_dry_run)},
        {"memory-soft-bytes", "BYTES", "from here on nothing new is begun (0); 0: none", bytes(&C::memory_soft_bytes),
         "memory_soft_bytes"},
        {"memory-hard-bytes", "BYTES", "memory never goes over this (0); 0: no limit", bytes(&C::memory_hard_bytes),
         "memory_hard_bytes"},
    };
}

std::vector<Flag> time_flags() {
    using C = wsd_config;
    return {
        {"handshake-timeout", "TIME", "from connecting to upgraded (10s)", time(&C::handshake_timeout_ms),
         "handshake_timeout_ms"},
        {"ping-interval", "TIME", "between pings (30s)", time(&C::ping_interval_ms), "ping_interval_ms"},
        {"stale-timeout", "TIME", "silence before a peer is dropped (120s)", time(&C::stale_timeout_ms),
         "stale_timeout_ms"},
        {"idle-timeout", "TIME", "no message before a close (5m)", time(&C::idle_timeout_ms), "idle_timeout_ms"},
        {"read-timeout", "TIME", "no byte before a close (10m)", time(&C::read_timeout_ms), "read_timeout_ms"},
        {"write-timeout", "TIME", "nothing taken before a peer is dropped (10s)", time(&C::write_timeout_ms),
         "write_timeout_ms"},
        {"close-timeout", "TIME", "for the peer's half of a close (1s)", time(&C::close_timeout_ms),
         "close_timeout_ms"},
        {"drain-grace", "TIME", "for connections to end after SIGTERM (10s)", set_drain_grace},
    };
}

std::vector<Flag> socket_flags() {
    using C = wsd_config;
    return {
        {"tcp-user-timeout", "TIME", "unacknowledged data before a reset (30s)", time(&C::tcp_user_timeout_ms),
         "tcp_user_timeout_ms"},
        {"defer-accept", "SECONDS", "see connections when their request has come (0: off)", count(&C::defer_accept_s),
         "defer_accept_s"},
        {"backlog", "N", "connections waiting to be accepted (4096)", count(&C::backlog), "backlog"},
        {"kernels", "NAME", "vector kernels to use, as scalar (the fastest)", set_kernels, "kernels"},
    };
}

std::vector<Flag> other_flags() {
    return {
        {"log-level", "LEVEL", "error, warn, info or debug (info)", set_log_level},
        {"log-format", "FORMAT", "text or json (text)", set_log_format},
        {"log-file", "PATH", "append the log to this file (standard error)", set_log_file},
        {"access-log", "WHETHER", "log requests and closes, at level info: on or off (on)", set_access_log},
        {"version", "", "print the version",
         [](Options& o, std::string_view) {
             o.version = true;
             return std::string();
         }},
        {"help", "", "print this",
         [](Options& o, std::string_view) {
             o.help = true;
             return std::string();
         }},
    };
}

const std::vector<Flag>& flags() {
    static const std::vector<Flag> kFlags = [] {
        std::vector<Flag> all;
        for (const auto group : {listening_flags, origin_flags, deflate_flags, limit_flags, client_flags, time_flags,
                                 socket_flags, other_flags}) {
            for (Flag& flag : group()) all.push_back(std::move(flag));
        }
        return all;
    }();
    return kFlags;
}

const Flag* find_flag(std::string_view name) {
    for (const Flag& flag : flags()) {
        if (flag.name == name) return &flag;
    }
    return nullptr;
}

// A value in one line, whatever it holds.
std::string shown(std::string_view value) {
    std::string text;
    for (const char c : value) text += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return '"' + text + '"';
}

// What can only be judged when all flags are known: the values together, and what the library makes of them.
std::string check(Options* options) {
    for (std::string& address : options->listen) {
        if (address.rfind("PORT:", 0) != 0) continue;
        const bool v6 = options->host.find(':') != std::string::npos && options->host[0] != '[';
        address = (v6 ? "[" + options->host + "]" : options->host) + address.substr(4);
    }
    if (options->proxy_protocol == WSD_PROXY_OPTIONAL && !options->config.trusted_proxies) {
        return "--proxy-protocol: optional needs --trusted-proxies";
    }
    if (options->config.origins_required && !options->config.origins) return "--origins-required needs --origins";
    const char* const field = wsd_config_invalid(&options->config);
    if (!field) return {};
    const std::string why = wsd_config_invalid_why(&options->config);
    for (const Flag& flag : flags()) {
        if (flag.field == field) return "--" + std::string(flag.name) + ": " + why;
    }
    return std::string(field) + ": " + why;
}

}  // namespace

bool parse_options(int argc, char** argv, Options* options, std::string* error) {
    wsd_config_init(&options->config, sizeof options->config);
    options->config.deflate = 1;
    for (int i = 1; i < argc; i++) {
        const std::string_view argument = argv[i];
        if (argument.substr(0, 2) != "--") {
            *error = "unexpected argument: " + shown(argument);
            return false;
        }
        const size_t equals = argument.find('=');
        const std::string name(argument.substr(2, equals == argument.npos ? argument.npos : equals - 2));
        const Flag* const flag = find_flag(name);
        if (!flag) {
            *error = "unknown flag: " + shown("--" + name);
            return false;
        }
        std::string_view value;
        if (equals != argument.npos) {
            value = argument.substr(equals + 1);
            if (flag->value.empty()) {
                *error = "--" + name + " takes no value";
                return false;
            }
        } else if (!flag->value.empty()) {
            if (++i == argc) {
                *error = "--" + name + " needs a value: " + std::string(flag->value);
                return false;
            }
            value = argv[i];
        }
        const std::string expected = flag->set(*options, value);
        if (!expected.empty()) {
            *error = "--" + name + ": expected " + expected + ", not " + shown(value);
            return false;
        }
    }
    *error = check(options);
    return error->empty();
}

std::string help_text() {
    std::string text =
        "usage: wsd [flags]\n\n"
        "Serves WebSocket connections and echoes their messages. Without --port or --listen it listens on\n"
        "127.0.0.1:9001. Values in parentheses are defaults.\n\n";
    for (const Flag& flag : flags()) {
        std::string left = "  --" + std::string(flag.name);
        if (!flag.value.empty()) left += " " + std::string(flag.value);
        left.resize(left.size() < 32 ? 32 : left.size() + 1, ' ');
        text += left + std::string(flag.help) + "\n";
    }
    return text;
}

}  // namespace app
