#include "app/options.h"

#include "app/option_table.h"
#include "app/option_values.h"

namespace app {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kAddressForm = "HOST:PORT, [V6]:PORT, unix:PATH or fd:N";

// ------------------------------------------------------------------------------------------------------ single flags

std::string set_port(Options& options, std::string_view text) {
    uint64_t port = 0;
    if (!parse_scaled(text, {{"", 1}}, 65535, &port)) return "a port, 0-65535";
    options.listen.push_back("PORT:" + std::to_string(port));  // completed with --host, wherever that stands
    return {};
}

std::string set_host(Options& options, std::string_view text) {
    options.host = text;
    const bool good = !text.empty() && wsd_address_valid(address_on_host(options, "0").c_str());
    return good ? "" : "an address, as 127.0.0.1, ::1, localhost or *";
}

std::string add_address(Texts& addresses, std::string_view text) {
    addresses.emplace_back(text);
    return wsd_address_valid(addresses.back().c_str()) ? "" : kAddressForm;
}

std::string set_listen(Options& options, std::string_view text) { return add_address(options.listen, text); }

std::string set_admin_listen(Options& options, std::string_view text) {
    return add_address(options.admin_listen, text);
}

std::string add_origins(Options& options, std::string_view text) {
    if (text.empty()) return "an origin, as https://example.com, or a list of them";
    if (!options.origins.empty()) options.origins += ',';
    options.origins += text;
    return {};
}

Texts shown_origins(const Options& options) { return options.origins.empty() ? Texts() : Texts{options.origins}; }

std::vector<Flag> listening_flags() {
    using C = wsd_config;
    return {
        {"port",
         "N",
         "listen on this TCP port of --host; 0 for a free one",
         {set_port, [](const Options&) { return Texts(); }},
         {},
         Applies::kRestart},
        {"host",
         "ADDR",
         "address of the port (127.0.0.1); * for all",
         {set_host, [](const Options& o) { return Texts{o.host}; }},
         {},
         Applies::kRestart},
        {"listen",
         "ADDR",
         "HOST:PORT, [V6]:PORT, unix:PATH or fd:N; may be repeated",
         {set_listen, [](const Options& o) { return o.listen; }},
         {},
         Applies::kRestart},
        {"admin-listen",
         "ADDR",
         "health, metrics and the control API here only; may be repeated",
         {set_admin_listen, [](const Options& o) { return o.admin_listen; }},
         {},
         Applies::kRestart},
        {"subprotocols", "LIST", "subprotocols to agree to, comma-separated (none)",
         borrowed_text(&Options::subprotocols, &C::subprotocols), "subprotocols"},
        {"allow-http10", "", "take upgrades over HTTP/1.0", turn_on(&C::allow_http10)},
    };
}

std::vector<Flag> origin_flags() {
    using C = wsd_config;
    return {
        {"allow-origin",
         "LIST",
         "pages that may connect: https://example.com; may be repeated (any)",
         {add_origins, shown_origins},
         "origins"},
        {"origins-required", "", "refuse upgrades without an Origin, too", turn_on(&C::origins_required),
         "origins_required"},
        {"trusted-proxies", "LIST", "who is believed about clients: addresses, ranges, unix: (none)",
         borrowed_text(&Options::trusted_proxies, &C::trusted_proxies), "trusted_proxies"},
        {"forwarded-header", "NAME", "where they tell: x-forwarded-for or forwarded (x-forwarded-for)",
         choice([](auto& o) -> auto& { return o.config.forwarded_header; },
                {{"x-forwarded-for", int(WSD_X_FORWARDED_FOR)}, {"forwarded", int(WSD_FORWARDED)}}),
         "forwarded_header"},
        {"proxy-protocol",
         "MODE",
         "PROXY headers: off, required, or optional, of trusted proxies (off)",
         choice([](auto& o) -> auto& { return o.proxy_protocol; },
                {{"off", WSD_PROXY_OFF}, {"optional", WSD_PROXY_OPTIONAL}, {"required", WSD_PROXY_REQUIRED}}),
         {},
         Applies::kRestart},
    };
}

std::vector<Flag> deflate_flags() {
    using C = wsd_config;
    return {
        {"no-deflate", "", "do not agree to permessage-deflate", turn_off(&C::deflate), "deflate", Applies::kRestart},
        {"deflate-level", "N", "1: fast; 2: smaller (1)", count(&C::deflate_level), "deflate_level", Applies::kRestart},
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
         "receive_buffer_bytes", Applies::kRestart},
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
        {"connections-per-ip-minute", "N", "new connections of one address a minute (0); 0: no limit",
         count(&C::ip_connect_per_min), "ip_connect_per_min"},
        {"connections-per-ip-burst", "N", "of these at once (0); 0: a minute's", count(&C::ip_connect_burst_count),
         "ip_connect_burst_count"},
        {"message-rate", "N", "messages of one connection a second (0); 0: no limit", count(&C::message_per_s),
         "message_per_s"},
        {"message-rate-burst", "N", "of these at once (0); 0: a second's", count(&C::message_burst_count),
         "message_burst_count"},
        {"message-over-rate", "WHAT", "pause or close a connection over its rate (pause)",
         choice([](auto& o) -> auto& { return o.config.message_over_rate; },
                {{"pause", int(WSD_OVER_RATE_PAUSE)}, {"close", int(WSD_OVER_RATE_CLOSE)}})},
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
        {"drain-grace", "TIME", "for connections to end after SIGTERM (10s)", time(&Options::drain_grace_ms)},
        {"drain-window", "TIME", "of that, over which their closes are spread (0)", time(&Options::drain_window_ms)},
    };
}

std::vector<Flag> socket_flags() {
    using C = wsd_config;
    return {
        {"tcp-user-timeout", "TIME", "unacknowledged data before a reset (30s)", time(&C::tcp_user_timeout_ms),
         "tcp_user_timeout_ms", Applies::kRestart},
        {"defer-accept", "SECONDS", "see connections when their request has come (0: off)", count(&C::defer_accept_s),
         "defer_accept_s", Applies::kRestart},
        {"backlog", "N", "connections waiting to be accepted (4096)", count(&C::backlog), "backlog", Applies::kRestart},
        {"busy-poll-us", "N", "microseconds to look for events before sleeping (0)", count(&C::busy_poll_us),
         "busy_poll_us"},
        {"kernels", "NAME", "vector kernels to use, as scalar (the fastest)",
         borrowed_text(&Options::kernels, &C::kernels), "kernels", Applies::kRestart},
    };
}

std::vector<Flag> process_flags() {
    return {
        {"user",
         "NAME",
         "NAME or NAME:GROUP to run as once it listens (who started it)",
         text(&Options::user, "NAME or NAME:GROUP"),
         {},
         Applies::kRestart},
        {"pidfile",
         "PATH",
         "hold the process id here while it serves (none)",
         text(&Options::pidfile, "a path"),
         {},
         Applies::kRestart},
        {"sandbox",
         "",
         "leave it no system calls but those that serving needs",
         turn_on(&Options::sandbox),
         {},
         Applies::kRestart},
    };
}

std::vector<Flag> hub_flags() {
    using H = HubFlags;
    constexpr auto kRestart = Applies::kRestart;
    return {
        {"hub", "", "serve sessions at /hub and the control API at /api", turn_on(&H::on), {}, kRestart},
        {"data", "DIR", "keep sessions and history here, not in memory (none)", text(&H::data, "a path"), {}, kRestart},
        {"fsync",
         "WHEN",
         "when history reaches the disk: always, interval or never (interval)",
         choice([](auto& o) -> auto& { return o.hub.fsync; },
                {{"always", FsyncWhen::kAlways}, {"interval", FsyncWhen::kInterval}, {"never", FsyncWhen::kNever}}),
         {},
         kRestart},
        {"fsync-interval", "TIME", "that interval (1s)", time(&H::fsync_interval_ms), {}, kRestart},
        {"history-max-count",
         "N",
         "messages kept of a session (0); 0: all",
         count(&H::history_max_count),
         {},
         kRestart},
        {"history-max-age",
         "TIME",
         "for how long they are kept (0); 0: for ever",
         long_time(&H::history_max_age_ms),
         {},
         kRestart},
        {"history-max-bytes",
         "BYTES",
         "of them kept of a session (0); 0: all",
         bytes(&H::history_max_bytes),
         {},
         kRestart},
        {"sessions", "FILE", "sessions to begin with, as JSON (none)", text(&H::sessions, "a path"), {}, kRestart},
        {"max-sessions", "N", "sessions at a time (10000); 0: no limit", count(&H::max_sessions)},
    };
}

std::vector<Flag> hub_client_flags() {
    using H = HubFlags;
    return {
        {"jwt-secret-file", "FILE", "secrets of tokens, one a line; read again at SIGHUP (none)",
         text(&H::jwt_secret_file, "a path")},
        {"jwt-issuer", "NAME", "who must have issued a token (any)", text(&H::jwt_issuer, "a name")},
        {"jwt-audience", "NAME", "whom a token must be for (any)", text(&H::jwt_audience, "a name")},
        {"jwt-leeway", "TIME", "by which clocks may differ (30s)", time(&H::jwt_leeway_ms)},
        {"admin-key-file", "FILE", "the control API's key; read again at SIGHUP (none)",
         text(&H::admin_key_file, "a path")},
        {"messages-per-user-minute", "N", "stored messages of a user (60); 0: no limit",
         count(&H::messages_per_user_minute)},
        {"message-burst", "N", "of these at once (0); 0: a minute's", count(&H::message_burst)},
        {"retry-interval", "TIME", "between resends of what is not acknowledged (30s)", time(&H::retry_interval_ms)},
        {"resume-timeout", "TIME", "in which a client may take up where it was (24h)", time(&H::resume_timeout_ms)},
        {"accept-then-close", "", "refuse upgrades by close code 4000 + status, which pages can see",
         turn_on(&H::accept_then_close)},
    };
}

std::vector<Flag> other_flags() {
    return {
        {"log-level", "LEVEL", "error, warn, info or debug (info)",
         choice([](auto& o) -> auto& { return o.log_level; },
                {{"error", LogLevel::kError},
                 {"warn", LogLevel::kWarn},
                 {"info", LogLevel::kInfo},
                 {"debug", LogLevel::kDebug}})},
        {"log-format", "FORMAT", "text or json (text)",
         choice([](auto& o) -> auto& { return o.log_format; },
                {{"text", LogFormat::kText}, {"json", LogFormat::kJson}})},
        {"log-file", "PATH", "append the log to this file (standard error)", text(&Options::log_file, "a path")},
        {"access-log",
         "WHETHER",
         "log requests and closes, at level info: on or off (on)",
         choice([](auto& o) -> auto& { return o.access_log; }, {{"on", true}, {"off", false}}),
         {},
         Applies::kRestart},
        {"config",
         "FILE",
         "read options from here, too, and again at SIGHUP (none)",
         {[](Options&, std::string_view) { return std::string(); }, nullptr}},
        {"check-config", "", "print the whole configuration as a file, and end", request(&Options::check_config)},
        {"version", "", "print the version", request(&Options::version)},
        {"help", "", "print this", request(&Options::help)},
    };
}

// In the order of --help.
constexpr struct Group {
    const char* title;
    std::vector<Flag> (*flags)();
} kGroups[] = {
    {"Listening", listening_flags},
    {"Origins and proxies", origin_flags},
    {"Compression", deflate_flags},
    {"Limits", limit_flags},
    {"Limits by client, and memory", client_flags},
    {"Times", time_flags},
    {"Sockets", socket_flags},
    {"The hub", hub_flags},
    {"The hub: who may enter, and what they may do", hub_client_flags},
    {"Process", process_flags},
    {"Log and configuration", other_flags},
};

void add_line(const Flag& flag, std::string* text) {
    std::string left = "  --" + std::string(flag.name);
    if (!flag.value.empty()) left += " " + std::string(flag.value);
    left.resize(left.size() < 32 ? 32 : left.size() + 1, ' ');
    *text += left + std::string(flag.help) + "\n";
}

}  // namespace

const std::vector<Flag>& flags() {
    static const std::vector<Flag> kFlags = [] {
        std::vector<Flag> all;
        for (const Group& group : kGroups) {
            for (Flag& flag : group.flags()) all.push_back(std::move(flag));
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

std::string help_text() {
    std::string text =
        "usage: wsd [flags]\n"
        "       wsd token --help\n\n"
        "Serves WebSocket connections: sessions with --hub, and without it an echo of their messages.\n"
        "Without --port or --listen it listens on port 9001 of --host. Values in parentheses are defaults;\n"
        "--hub has others for some. A switch takes =yes and =no. All flags but the last four are also keys\n"
        "of the file that --config names (ping-interval = 30s), and all but the last three variables of the\n"
        "environment (WSD_PING_INTERVAL=30s). Flags count most, then variables, then the file.\n";
    for (const Group& group : kGroups) {
        text += std::string("\n") + group.title + "\n";
        for (const Flag& flag : group.flags()) add_line(flag, &text);
    }
    return text;
}

}  // namespace app
