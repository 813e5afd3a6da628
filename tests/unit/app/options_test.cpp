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
    const Parsed all({"--max-connections-per-ip=10", "--connects-per-ip=60", "--connects-per-ip-burst=20",
                      "--message-rate=100", "--message-burst=200", "--message-over-rate=close",
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
    const Parsed all({"--origins=https://example.com,*.example.org", "--origins-required", "--trusted-proxies",
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
        {{"--max-head-bytes", "100"}, "--max-head-bytes"},
        {{"--send-low-bytes", "2M"}, "--send-low-bytes"},
        {{"--subprotocols", "no token"}, "--subprotocols"},
        {{"--origins", "https://example.com/"}, "--origins"},
        {{"--origins-required"}, "--origins"},
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
