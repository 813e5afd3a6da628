#include "options.h"

#include <arpa/inet.h>

#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

namespace wsbench {
namespace {

struct Flag {
    std::string_view name;
    std::string_view value;  // how --help calls it; empty for a switch
    std::string_view help;
    bool (*set)(Options&, std::string_view);  // false: not such a value
};

template <class T>
bool parse(std::string_view text, T least, T* out) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *out);
    return failure == std::errc{} && end == text.data() + text.size() && *out >= least;
}

// "127.0.0.2" or "127.0.0.2-127.0.0.9".
bool parse_source(Options& options, std::string_view text) {
    const size_t dash = text.find('-');
    const std::string first(text.substr(0, dash));
    const std::string last(dash == text.npos ? text : text.substr(dash + 1));
    in_addr from, to;
    if (inet_pton(AF_INET, first.c_str(), &from) != 1 || inet_pton(AF_INET, last.c_str(), &to) != 1) return false;
    options.source_first = ntohl(from.s_addr);
    options.source_last = ntohl(to.s_addr);
    return options.source_first != 0 && options.source_first <= options.source_last;
}

template <auto Field, auto Value>
bool set(Options& options, std::string_view) {
    options.*Field = Value;
    return true;
}

template <auto Field, int Least>
bool number(Options& options, std::string_view text) {
    using T = std::remove_reference_t<decltype(options.*Field)>;
    return parse<T>(text, T(Least), &(options.*Field));
}

template <auto Field>
bool word(Options& options, std::string_view text) {
    options.*Field = text;
    return !text.empty();
}

using O = Options;
constexpr Flag kFlags[] = {
    {"host", "ADDR", "IPv4 address of the server (127.0.0.1)", word<&O::host>},
    {"port", "N", "its port (9001)", number<&O::port, 1>},
    {"unix", "PATH", "its unix socket, instead of host and port", word<&O::unix_path>},
    {"source", "RANGE", "connect from 127.0.0.2 or 127.0.0.2-127.0.0.9, in turn: each has its own ports", parse_source},

    {"conns", "N", "connections (1)", number<&O::conns, 1>},
    {"size", "BYTES", "of each message's payload (125)", number<&O::size, 0>},
    {"depth", "N", "messages in flight on each connection (1)", number<&O::depth, 1>},
    {"active", "N", "connections of these that send messages, the others being silent (all)", number<&O::active, 1>},
    {"publish", "N", "messages in flight from one connection to a server that sends each to all",
     number<&O::publish, 1>},
    {"binary", "", "binary messages (the default)", set<&O::content, Content::kBinary>},
    {"text", "", "text messages of ASCII", set<&O::content, Content::kAscii>},
    {"utf8", "", "text messages of two- and three-byte characters", set<&O::content, Content::kUtf8>},
    {"json-text", "", "text messages of JSON records", set<&O::content, Content::kJson>},
    {"deflate", "", "messages compressed by permessage-deflate, without context takeover", set<&O::deflate, true>},
    {"raw", "", "no WebSocket: the same bytes, headers and masks included, to a plain TCP echo", set<&O::raw, true>},

    {"secs", "S", "to measure (5) or to hold (until SIGTERM)", number<&O::secs, 0>},
    {"warmup", "S", "before measuring (0.5)", number<&O::warmup, 0>},
    {"messages", "N", "on each connection, instead of --secs; none of them is warm-up", number<&O::messages, 1>},
    {"rate", "N", "messages a second in all, each sent when it is due; latency counts from then", number<&O::rate, 0>},
    {"verify", "", "compare what comes back with what was sent", set<&O::verify, true>},

    {"idle", "", "open the connections, echo --messages on each, then hold them", set<&O::mode, Mode::kHold>},
    {"half-heads", "", "send half a request head on each connection, then hold them", set<&O::mode, Mode::kHalfHeads>},
    {"upgrade", "", "connect all, then measure how fast all are upgraded", set<&O::mode, Mode::kUpgrade>},
    {"churn", "", "connect, upgrade and leave over and over, --conns at a time", set<&O::mode, Mode::kChurn>},

    {"server-pid", "PID", "tell that process's CPU time and memory too", number<&O::server_pid, 1>},
    {"json", "", "print JSON, one object a line", set<&O::json, true>},
    {"help", "", "print this", set<&O::help, true>},
};

const Flag* find_flag(std::string_view name) {
    for (const Flag& flag : kFlags) {
        if (flag.name == name) return &flag;
    }
    return nullptr;
}

// What no single flag can judge; empty if nothing.
std::string check(const Options& options) {
    const bool load = options.mode == Mode::kLoad;
    if (options.rate > 0 && (options.messages || !load)) return "--rate goes with --secs alone";
    if (options.raw && !load) return "--raw measures messages: it goes with no other mode";
    if (options.publish && (options.raw || options.rate > 0 || options.active || !load)) {
        return "--publish goes with none of --raw, --rate, --active and modes that do not measure messages";
    }
    if (options.active > options.conns) return "--active is more than --conns";
    if (options.raw && options.deflate) return "--raw knows no --deflate";
    if (options.verify && options.deflate) return "--verify compares bytes as they come, which --deflate changes";
    if (options.messages && !load && options.mode != Mode::kHold) return "--messages goes with echoes and --idle";
    if (options.source_first && !options.unix_path.empty()) return "a unix socket has no source address";
    return {};
}

}  // namespace

bool parse_options(int argc, char** argv, Options* options, std::string* error) {
    constexpr double kUnset = -1;
    options->secs = options->warmup = kUnset;
    for (int i = 1; i < argc; i++) {
        const std::string_view argument = argv[i];
        const Flag* const flag = argument.substr(0, 2) == "--" ? find_flag(argument.substr(2)) : nullptr;
        if (!flag) {
            *error = "unknown argument: " + std::string(argument);
            return false;
        }
        if (!flag->value.empty() && ++i == argc) {
            *error = std::string(argument) + " needs a value: " + std::string(flag->value);
            return false;
        }
        if (!flag->set(*options, argv[i])) {
            *error = std::string(argument) + ": not a value it takes: " + argv[i];
            return false;
        }
    }
    const bool timed = options->mode == Mode::kLoad || options->mode == Mode::kChurn;
    if (options->secs == kUnset) options->secs = timed ? 5 : 0;
    if (options->warmup == kUnset) options->warmup = timed && !options->messages ? 0.5 : 0;
    *error = check(*options);
    return error->empty();
}

std::string help_text() {
    std::string text =
        "usage: wsbench [flags]\n\n"
        "Loads an echo server and tells messages a second and latencies. Values in parentheses are defaults.\n\n";
    for (const Flag& flag : kFlags) {
        std::string left = "  --" + std::string(flag.name);
        if (!flag.value.empty()) left += " " + std::string(flag.value);
        left.resize(24, ' ');
        text += left + std::string(flag.help) + "\n";
    }
    return text;
}

}  // namespace wsbench
