// Options from their three sources, and the whole configuration as a file.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "app/option_table.h"

namespace {

// A file with this text; gone with the object.
struct File {
    std::string path = "/tmp/wsd-options-XXXXXX";

    explicit File(const std::string& text) {
        const int fd = mkstemp(path.data());
        REQUIRE(fd >= 0);
        close(fd);
        std::ofstream(path) << text;
    }
    ~File() { unlink(path.c_str()); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
};

struct Read {
    std::unique_ptr<app::Options> options = std::make_unique<app::Options>();
    std::string error;
    bool ok;

    explicit Read(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
        std::vector<char*> argv{const_cast<char*>("wsd")}, variables;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        for (std::string& variable : environment) variables.push_back(variable.data());
        variables.push_back(nullptr);
        ok = app::read_options({int(argv.size()), argv.data(), variables.data()}, options.get(), &error);
        CHECK(ok == error.empty());
    }
};

using Words = std::vector<std::string>;

// A value other than the default, and other than an earlier one, for every option that a file may set.
std::string another_value(const app::Flag& flag) {
    const struct {
        std::string_view name;
        const char* value;
    } kValues[] = {{"port", "4321"},
                   {"host", "::1"},
                   {"listen", "unix:/tmp/a # b"},
                   {"allow-origin", "https://example.com,*.example.org"},
                   {"trusted-proxies", "10.0.0.0/8, unix:"},
                   {"forwarded-header", "forwarded"},
                   {"fsync", "always"},
                   {"proxy-protocol", "optional"},
                   {"deflate-level", "2"},
                   {"deflate-server-window-bits", "9"},
                   {"deflate-client-window-bits", "10"},
                   {"message-over-rate", "close"},
                   {"kernels", "scalar"},
                   {"user", "nobody"},
                   {"log-level", "debug"},
                   {"log-format", "json"},
                   {"access-log", "off"},
                   {"no-deflate", "yes"},
                   {"subprotocols", "chat"},
                   {"memory-soft-bytes", "1G"},
                   {"memory-hard-bytes", "3G"}};
    for (const auto& row : kValues) {
        if (flag.name == row.name) return row.value;
    }
    if (flag.value == "TIME") return "1234567ms";
    if (flag.value == "BYTES") return "5000";
    if (flag.value == "N" || flag.value == "SECONDS") return "77";
    if (flag.value == "PATH") return "/tmp/" + std::string(flag.name);
    return flag.value.empty() ? "yes" : "127.0.0.1:0";
}

}  // namespace

TEST_CASE("flags count before the environment, that before the file, that before the defaults") {
    const File file("max-connections = 1\nmax-headers = 1\nmax-fragments = 1\n");
    const Read read({"--max-connections=3", "--config=" + file.path},
                    {"WSD_MAX_CONNECTIONS=2", "WSD_MAX_HEADERS=2", "HOME=/", "WSDX=1"});
    REQUIRE_MESSAGE(read.ok, read.error);
    CHECK(read.options->config.connection_max_count == 3);
    CHECK(read.options->config.head_max_count == 2);
    CHECK(read.options->config.fragment_max_count == 1);
    CHECK(read.options->config.message_max_bytes == 16u << 20);
}

TEST_CASE("a source that says where to listen says all of it") {
    const File file("listen = 127.0.0.1:1\nport = 2\nhost = ::1\n");
    CHECK(Read({"--config", file.path}).options->listen == Words{"127.0.0.1:1", "[::1]:2"});
    CHECK(Read({}, {"WSD_CONFIG=" + file.path, "WSD_LISTEN=unix:/a"}).options->listen == Words{"unix:/a"});
    CHECK(Read({"--port=3", "--listen=fd:4"}, {"WSD_CONFIG=" + file.path, "WSD_PORT=5"}).options->listen ==
          Words{"[::1]:3", "fd:4"});
}

TEST_CASE("a switch is yes or no, so that what counts more can take it back") {
    const File file("limits-dry-run = yes\nno-deflate = yes\n");
    CHECK(Read({"--config", file.path}).options->config.limits_dry_run == 1);
    CHECK(Read({"--config", file.path}).options->config.deflate == 0);
    CHECK(Read({"--config", file.path, "--limits-dry-run=no"}).options->config.limits_dry_run == 0);
    CHECK(Read({"--config", file.path}, {"WSD_NO_DEFLATE=no"}).options->config.deflate == 1);
    CHECK(Read({"--sandbox"}).options->sandbox);
    CHECK(Read({"--sandbox=1"}).error == "--sandbox: expected yes or no, not \"1\"");
}

TEST_CASE("what is wrong is named where it stands") {
    const struct {
        const char* text;
        const char* error;  // behind the file's name
    } kRows[] = {
        {"port = 1\nmax-headers = many\n", ":2: max-headers: expected a number, not \"many\""},
        {"nonsense = 1\n", ":1: unknown key: \"nonsense\""},
        {"--port = 1\n", ":1: unknown key: \"--port\""},
        {"port\n", ":1: expected key = value"},
        {"config = other\n", ":1: config: only the command line may say this"},
        {"help = yes\n", ":1: help: only the command line may say this"},
        {"\nmax-head-bytes = 1\n", ":2: max-head-bytes: the value is out of range"},
        {"origins-required = yes\n", ":1: origins-required: needs --allow-origin"},
        {"proxy-protocol = optional\n", ":1: proxy-protocol: optional needs --trusted-proxies"},
        {"log-file =\n", ":1: log-file: expected a path, not \"\""},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.text);
        const File file(row.text);
        CHECK(Read({"--config", file.path}).error == file.path + row.error);
    }
    CHECK(Read({"--config=/nonexistent"}).error == "/nonexistent: No such file or directory");
    CHECK(Read({}, {"WSD_MAX_HEADERS=x"}).error == "WSD_MAX_HEADERS: expected a number, not \"x\"");
    CHECK(Read({}, {"WSD_KERNELS=abacus"}).error ==
          "WSD_KERNELS: this CPU runs none of that name, out of avx512, avx2, ssse3, neon and scalar");
    CHECK(Read({}, {"WSD_MAX_HEADER=1"}).error == "unknown variable: \"WSD_MAX_HEADER\"");
    CHECK(Read({}, {"WSD_HELP=yes"}).error == "unknown variable: \"WSD_HELP\"");
    CHECK(Read({"--prot=1"}).error == "unknown flag: \"--prot\" (see --help)");
}

TEST_CASE("whoever asks for help gets it, whatever the other sources say") {
    CHECK(Read({"--help", "--config=/nonexistent"}, {"WSD_NONSENSE=1"}).options->help);
    CHECK(Read({"--version"}, {"WSD_PORT=x"}).options->version);
}

TEST_CASE("the configuration as a file reads back to the same, at the defaults and away from them") {
    const Read defaults({});
    const std::string text = app::config_text(*defaults.options);
    const File file(text);
    const Read again({"--config", file.path});
    REQUIRE_MESSAGE(again.ok, again.error);
    CHECK(app::config_text(*again.options) == text);

    Words arguments;
    for (const app::Flag& flag : app::flags()) {
        if (!flag.setting.get) continue;
        arguments.push_back("--" + std::string(flag.name) + "=" + another_value(flag));
    }
    arguments.push_back("--listen=[::1]:0");
    const Read whole(arguments);
    REQUIRE_MESSAGE(whole.ok, whole.error);
    const std::string changed = app::config_text(*whole.options);
    const File second(changed);
    const Read back({"--config", second.path});
    REQUIRE_MESSAGE(back.ok, back.error);
    CHECK(app::config_text(*back.options) == changed);
    CHECK(back.options->listen == Words{"[::1]:4321", "unix:/tmp/a # b", "[::1]:0"});
    CHECK(back.options->config.handshake_grace_ms == 1234567);
    // Every option is in it, and differs.
    for (const app::Flag& flag : app::flags()) {
        if (!flag.setting.get || flag.name == "port") continue;  // that has become a --listen
        CAPTURE(flag.name);
        CHECK(text.find("\n" + std::string(flag.name) + " =") + text.find("# " + std::string(flag.name) + " =") !=
              2 * std::string::npos);
        CHECK(flag.setting.get(*back.options) != flag.setting.get(*defaults.options));
        CHECK(flag.setting.get(*back.options) == flag.setting.get(*whole.options));
    }
}

TEST_CASE("what changed is told apart by whether a restart is needed for it") {
    const Read before({"--max-headers=5", "--port=1"});
    const Read after({"--max-headers=6", "--port=2", "--allow-origin=https://example.com", "--no-deflate"});
    CHECK(app::changed_options(*before.options, *after.options, false) == Words{"allow-origin", "max-headers"});
    CHECK(app::changed_options(*before.options, *after.options, true) == Words{"listen", "no-deflate"});
    CHECK(app::changed_options(*before.options, *before.options, true).empty());
}
