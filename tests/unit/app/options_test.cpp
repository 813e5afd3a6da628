#include "app/options.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

struct Parsed {
    app::Options options;
    std::string error;
    bool ok;

    explicit Parsed(std::vector<std::string> arguments) {
        std::vector<char*> argv{const_cast<char*>("wsd")};
        for (std::string& argument : arguments) argv.push_back(argument.data());
        ok = app::read_options({int(argv.size()), argv.data(), nullptr}, &options, &error);
    }
};

}  // namespace

TEST_CASE("without flags the library's defaults hold") {
    const Parsed parsed({});
    CHECK(parsed.ok);
    CHECK(parsed.options.config.message_max_bytes == 16u << 20);
    CHECK(parsed.options.listen.empty());
}

TEST_CASE("values stand behind the flag or an equals sign, with their units") {
    const Parsed parsed({"--ping-interval", "500ms", "--idle-timeout=2m", "--stale-timeout=7",
                         "--max-message-bytes=64K", "--max-connections=5", "--log-format=json", "--log-level", "debug",
                         "--drain-grace=0"});
    REQUIRE(parsed.ok);
    CHECK(parsed.options.config.ping_interval_ms == 500);
    CHECK(parsed.options.config.idle_timeout_ms == 120000);
    CHECK(parsed.options.config.stale_timeout_ms == 7000);
    CHECK(parsed.options.config.message_max_bytes == 65536);
    CHECK(parsed.options.config.connection_max_count == 5);
    CHECK(parsed.options.log_format == app::LogFormat::kJson);
    CHECK(parsed.options.log_level == app::LogLevel::kDebug);
    CHECK(parsed.options.drain_grace_ms == 0);
}

TEST_CASE("a switch stands alone") {
    const Parsed none({});
    CHECK_FALSE(none.options.version);
    CHECK_FALSE(none.options.help);
    CHECK(none.options.config.allow_http10 == 0);
    const Parsed all({"--version", "--help", "--allow-http10"});
    REQUIRE(all.ok);
    CHECK(all.options.version);
    CHECK(all.options.help);
    CHECK(all.options.config.allow_http10 == 1);
}

TEST_CASE("compression is on, and its flags reach the configuration") {
    CHECK(Parsed({}).options.config.deflate == 1);
    CHECK(Parsed({"--no-deflate"}).options.config.deflate == 0);
    const Parsed all({"--deflate-level=2", "--deflate-threshold=1K", "--deflate-server-takeover",
                      "--deflate-client-takeover", "--deflate-server-window-bits=9", "--deflate-client-window-bits=10",
                      "--deflate-memory-bytes=1M"});
    REQUIRE(all.ok);
    CHECK(all.options.config.deflate_level == 2);
    CHECK(all.options.config.deflate_threshold_bytes == 1024);
    CHECK(all.options.config.deflate_server_takeover == 1);
    CHECK(all.options.config.deflate_client_takeover == 1);
    CHECK(all.options.config.deflate_server_window_bits == 9);
    CHECK(all.options.config.deflate_client_window_bits == 10);
    CHECK(all.options.config.deflate_memory_max_bytes == 1u << 20);
}

TEST_CASE("limits by client and the memory budget reach the configuration") {
    const Parsed all({"--max-connections-per-ip=10", "--connections-per-ip-minute=60", "--connections-per-ip-burst=20",
                      "--message-rate=100", "--message-rate-burst=200", "--message-over-rate=close",
                      "--handshake-min-rate=1K", "--handshake-grace=2s", "--limits-dry-run", "--memory-soft-bytes=64M",
                      "--memory-hard-bytes=1G"});
    REQUIRE(all.ok);
    CHECK(all.options.config.ip_connection_max_count == 10);
    CHECK(all.options.config.ip_connect_per_min == 60);
    CHECK(all.options.config.ip_connect_burst_count == 20);
    CHECK(all.options.config.message_per_s == 100);
    CHECK(all.options.config.message_burst_count == 200);
    CHECK(all.options.config.message_over_rate == WSD_OVER_RATE_CLOSE);
    CHECK(all.options.config.handshake_bytes_per_s == 1024);
    CHECK(all.options.config.handshake_grace_ms == 2000);
    CHECK(all.options.config.limits_dry_run == 1);
    CHECK(all.options.config.memory_soft_bytes == 64u << 20);
    CHECK(all.options.config.memory_hard_bytes == 1u << 30);
    CHECK(Parsed({"--message-over-rate=pause"}).options.config.message_over_rate == WSD_OVER_RATE_PAUSE);
    CHECK(Parsed({"--message-over-rate=drop"}).error == "--message-over-rate: expected pause or close, not \"drop\"");
    CHECK(Parsed({"--message-rate=1000001"}).error == "--message-rate: the value is out of range");
    CHECK(Parsed({"--memory-soft-bytes=2M", "--memory-hard-bytes=1M"}).error ==
          "--memory-soft-bytes: the value is out of range");
}

TEST_CASE("who may connect and who is believed about clients reaches the configuration") {
    const Parsed none({});
    CHECK(none.options.config.origins == nullptr);
    CHECK(none.options.config.trusted_proxies == nullptr);
    CHECK(none.options.proxy_protocol == WSD_PROXY_OFF);
    const Parsed all({"--allow-origin=https://example.com,*.example.org", "--origins-required", "--trusted-proxies",
                      "10.0.0.0/8,unix:", "--forwarded-header=forwarded", "--proxy-protocol=optional"});
    REQUIRE(all.ok);
    CHECK(all.options.origins == "https://example.com,*.example.org");
    CHECK(all.options.config.origins_required == 1);
    CHECK(all.options.trusted_proxies == "10.0.0.0/8,unix:");
    CHECK(all.options.config.forwarded_header == WSD_FORWARDED);
    CHECK(all.options.proxy_protocol == WSD_PROXY_OPTIONAL);
    CHECK(Parsed({"--proxy-protocol=required"}).options.proxy_protocol == WSD_PROXY_REQUIRED);
    CHECK(Parsed({"--trusted-proxies=10.0.0.1/8"}).error ==
          "--trusted-proxies: an address has bits set behind its prefix");
}

TEST_CASE("a port is on the host, whichever comes first") {
    CHECK(Parsed({"--port", "80"}).options.listen == std::vector<std::string>{"127.0.0.1:80"});
    CHECK(Parsed({"--port", "80", "--host", "*"}).options.listen == std::vector<std::string>{"*:80"});
    CHECK(Parsed({"--host", "::1", "--port=80"}).options.listen == std::vector<std::string>{"[::1]:80"});
    CHECK(app::address_on_host(Parsed({"--host", "::1"}).options, "9001") == "[::1]:9001");
    CHECK(Parsed({"--listen=unix:/a", "--port=1", "--listen=fd:3"}).options.listen ==
          std::vector<std::string>{"unix:/a", "127.0.0.1:1", "fd:3"});
}

TEST_CASE("what is wrong is named in one line") {
    const struct {
        std::vector<std::string> arguments;
        const char* named;
    } kRows[] = {
        {{"--prot", "80"}, "--prot"},
        {{"--port"}, "--port"},
        {{"--port", "65536"}, "--port"},
        {{"--port", "x"}, "--port"},
        {{"--port", "-1"}, "--port"},
        {{"--help=yes"}, "--help"},
        {{"stray"}, "stray"},
        {{"-p"}, "-p"},
        {{"--listen", "nowhere"}, "--listen"},
        {{"--listen", "127.0.0.1:65536"}, "--listen"},
        {{"--listen", "PORT:80"}, "--listen"},
        {{"--admin-listen", "a.name:80"}, "--admin-listen"},
        {{"--host", "a.name"}, "--host"},
        {{"--max-message-bytes", "1T"}, "--max-message-bytes"},
        {{"--max-message-bytes", "99999999999999999999"}, "--max-message-bytes"},
        {{"--max-headers", "65536"}, "--max-headers"},
        {{"--ping-interval", "1y"}, "--ping-interval"},
        {{"--log-level", "loud"}, "--log-level"},
        {{"--log-format", "xml"}, "--log-format"},
        {{"--kernels", "abacus"}, "--kernels"},
        {{"--busy-poll-us", "1000001"}, "--busy-poll-us"},
        {{"--max-head-bytes", "100"}, "--max-head-bytes"},
        {{"--send-low-bytes", "2M"}, "--send-low-bytes"},
        {{"--subprotocols", "no token"}, "--subprotocols"},
        {{"--allow-origin", "https://example.com/"}, "--allow-origin"},
        {{"--origins-required"}, "--allow-origin"},
        {{"--trusted-proxies", "localhost"}, "--trusted-proxies"},
        {{"--forwarded-header", "via"}, "--forwarded-header"},
        {{"--proxy-protocol", "on"}, "--proxy-protocol"},
        {{"--proxy-protocol", "optional"}, "--trusted-proxies"},
        {{"--deflate-level", "3"}, "--deflate-level"},
        {{"--deflate-server-window-bits", "7"}, "--deflate-server-window-bits"},
        {{"--deflate-client-window-bits", "16"}, "--deflate-client-window-bits"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.named);
        const Parsed parsed(row.arguments);
        CHECK_FALSE(parsed.ok);
        CHECK(parsed.error.find(row.named) != std::string::npos);
        CHECK(parsed.error.find('\n') == std::string::npos);
    }
}

TEST_CASE("help lists every flag that is taken") {
    const std::string help = app::help_text();
    for (const char* flag : {"--port", "--listen", "--max-fragments", "--close-timeout", "--version"}) {
        CHECK(help.find(flag) != std::string::npos);
    }
    for (size_t at = 0, end = 0; (end = help.find('\n', at)) != std::string::npos; at = end + 1) CHECK(end - at <= 100);
    // It says that all but the last three are variables of the environment, and all but the last four keys of a file.
    size_t at = 0;
    for (const char* flag : {"  --access-log", "  --config", "  --check-config", "  --version", "  --help"}) {
        CHECK(help.find(flag) > at);
        at = help.find(flag);
    }
    CHECK(help.find("\n  --", at + 1) == std::string::npos);
    CHECK(Parsed({"--help"}).options.help);
    CHECK(Parsed({"--version"}).options.version);
}

TEST_CASE("the hub has defaults of its own, which give way to what is said") {
    const Parsed plain({});
    CHECK(plain.options.config.ip_connection_max_count == 0);
    CHECK(plain.options.config.refusals_json == 0);
    const Parsed hub({"--hub"});
    REQUIRE(hub.ok);
    CHECK(hub.options.hub.on);
    CHECK(hub.options.config.ip_connection_max_count == 10);
    CHECK(hub.options.config.ip_connect_per_min == 60);
    CHECK(hub.options.config.write_timeout_ms == 5000);
    CHECK(hub.options.config.stale_timeout_ms == 60000);
    CHECK(hub.options.config.message_max_bytes == 1u << 20);
    CHECK(std::string(hub.options.config.subprotocols) == "wsd.v1");
    CHECK(hub.options.config.refusals_json == 1);
    CHECK(hub.options.config.origins_required == 0);
    const Parsed said({"--max-connections-per-ip=0", "--write-timeout=10s", "--subprotocols=a,b", "--hub"});
    REQUIRE(said.ok);
    CHECK(said.options.config.ip_connection_max_count == 0);
    CHECK(said.options.config.write_timeout_ms == 10000);
    CHECK(std::string(said.options.config.subprotocols) == "a,b");
    const Parsed taken_back({"--hub", "--hub=no"});
    CHECK_FALSE(taken_back.options.hub.on);
    CHECK(taken_back.options.config.ip_connection_max_count == 0);
}

TEST_CASE("with a list of origins the hub asks for one, unless that is said not to be") {
    CHECK(Parsed({"--hub", "--allow-origin=https://a.example"}).options.config.origins_required == 1);
    CHECK(Parsed({"--hub", "--allow-origin=https://a.example", "--origins-required=no"})
              .options.config.origins_required == 0);
    CHECK(Parsed({"--allow-origin=https://a.example"}).options.config.origins_required == 0);
}

TEST_CASE("origins stand in one list or in several flags") {
    const Parsed parsed({"--allow-origin=https://a.example,b.example", "--allow-origin", "*.c.example"});
    REQUIRE(parsed.ok);
    CHECK(std::string(parsed.options.config.origins) == "https://a.example,b.example,*.c.example");
}

TEST_CASE("what the hub rests on is read, with its units") {
    const Parsed parsed({"--hub", "--data=/d", "--fsync=never", "--fsync-interval=5s", "--history-max-age=30d",
                         "--history-max-bytes=8G", "--history-max-count=7", "--sessions=/s", "--max-sessions=3",
                         "--jwt-secret-file=/j", "--jwt-issuer=i", "--jwt-audience=a", "--jwt-leeway=1m",
                         "--admin-key-file=/k", "--messages-per-user-minute=0", "--message-burst=9",
                         "--retry-interval=1s", "--resume-timeout=1h", "--accept-then-close"});
    REQUIRE(parsed.ok);
    const app::HubFlags& hub = parsed.options.hub;
    CHECK(hub.data == "/d");
    CHECK(hub.fsync == app::FsyncWhen::kNever);
    CHECK(hub.fsync_interval_ms == 5000);
    CHECK(hub.history_max_age_ms == 30ull * 86400 * 1000);
    CHECK(hub.history_max_bytes == 8ull << 30);
    CHECK(hub.history_max_count == 7);
    CHECK(hub.sessions == "/s");
    CHECK(hub.max_sessions == 3);
    CHECK(hub.jwt_secret_file == "/j");
    CHECK(hub.jwt_issuer == "i");
    CHECK(hub.jwt_audience == "a");
    CHECK(hub.jwt_leeway_ms == 60000);
    CHECK(hub.admin_key_file == "/k");
    CHECK(hub.messages_per_user_minute == 0);
    CHECK(hub.message_burst == 9);
    CHECK(hub.retry_interval_ms == 1000);
    CHECK(hub.resume_timeout_ms == 3600000);
    CHECK(hub.accept_then_close);
}

TEST_CASE("what has no meaning without the hub is missed where it is off") {
    for (const char* const flag :
         {"--data", "--sessions", "--jwt-secret-file", "--jwt-issuer", "--jwt-audience", "--admin-key-file"}) {
        CAPTURE(flag);
        CHECK(Parsed({flag, "x"}).error == std::string(flag) + ": needs --hub");
        CHECK(Parsed({flag, "x", "--hub"}).ok);
        CHECK(Parsed({flag, "x", "--version"}).ok);
    }
}
