// Puts the configuration together from its sources, and judges it as a whole. Each source is first read into entries,
// so that what counts more can overrule what counts less, whatever the order in which they stand.
#include <cctype>
#include <cerrno>
#include <cstring>
#include <map>

#include "app/config_file.h"
#include "app/option_table.h"
#include "app/option_values.h"
#include "app/text.h"

namespace app {
namespace {

struct Entry {
    const Flag* flag;
    std::string value;
    std::string where;  // how a message names it: "--port", "WSD_PORT", "wsd.conf:3: port"
};

using Entries = std::vector<Entry>;

bool fail(std::string* error, std::string text) {
    *error = std::move(text);
    return false;
}

bool is_switch(const Flag& flag) { return flag.value.empty(); }
bool command_line_only(const Flag& flag) { return !flag.setting.get; }

// ---------------------------------------------------------------------------------------------------- command line

// The argument at `*at`, and the one behind it where that is its value.
bool read_argument(const Sources& sources, int* at, Entry* entry, std::string* error) {
    const std::string_view argument = sources.argv[*at];
    if (argument.substr(0, 2) != "--") return fail(error, "unexpected argument: " + shown(argument) + " (see --help)");
    const size_t equals = argument.find('=');
    const std::string name(argument.substr(2, equals == argument.npos ? argument.npos : equals - 2));
    const Flag* const flag = find_flag(name);
    if (!flag) return fail(error, "unknown flag: " + shown("--" + name) + " (see --help)");
    *entry = {flag, "yes", "--" + name};
    if (equals != argument.npos) {
        if (is_switch(*flag) && command_line_only(*flag)) return fail(error, entry->where + " takes no value");
        entry->value = argument.substr(equals + 1);
    } else if (!is_switch(*flag)) {
        if (++*at == sources.argc) return fail(error, entry->where + " needs a value: " + std::string(flag->value));
        entry->value = sources.argv[*at];
    }
    return true;
}

bool read_command_line(const Sources& sources, Entries* entries, std::string* error) {
    for (int at = 1; at < sources.argc; at++) {
        Entry entry{};
        if (!read_argument(sources, &at, &entry, error)) return false;
        entries->push_back(std::move(entry));
    }
    return true;
}

// ----------------------------------------------------------------------------------------------------- environment

// WSD_MAX_CONNECTIONS is max-connections.
std::string option_of(std::string_view variable) {
    std::string name;
    for (const char c : variable.substr(std::strlen("WSD_"))) {
        name += c == '_' ? '-' : char(std::tolower(static_cast<unsigned char>(c)));
    }
    return name;
}

bool read_environment(const Sources& sources, Entries* entries, std::string* error) {
    for (char** at = sources.environment; at && *at; at++) {
        const std::string_view text = *at;
        const std::string_view variable = text.substr(0, text.find('='));
        if (variable.substr(0, 4) != "WSD_" || variable.size() == text.size()) continue;
        const Flag* const flag = find_flag(option_of(variable));
        const bool known = flag && (!command_line_only(*flag) || flag->name == "config");
        if (!known) return fail(error, "unknown variable: " + shown(variable));
        entries->push_back({flag, std::string(text.substr(variable.size() + 1)), std::string(variable)});
    }
    return true;
}

// ------------------------------------------------------------------------------------------------------------ file

bool read_file(const std::string& path, Entries* entries, std::string* error) {
    std::string text;
    if (!read_text_file(path, kConfigMaxBytes, &text)) return fail(error, path + ": " + std::strerror(errno));
    std::vector<ConfigLine> lines;
    unsigned number = 0;
    std::string wrong;
    if (!parse_config(text, &lines, &number, &wrong))
        return fail(error, path + ":" + std::to_string(number) + ": " + wrong);
    for (const ConfigLine& line : lines) {
        const std::string where = path + ":" + std::to_string(line.number) + ": ";
        const Flag* const flag = find_flag(line.key);
        if (!flag) return fail(error, where + "unknown key: " + shown(line.key));
        if (command_line_only(*flag)) return fail(error, where + line.key + ": only the command line may say this");
        entries->push_back({flag, line.value, where + line.key});
    }
    return true;
}

// The last --config counts, as with every flag that is not for repeating.
std::string config_path(const Entries& environment, const Entries& command_line) {
    std::string path;
    for (const Entries* entries : {&environment, &command_line}) {
        for (const Entry& entry : *entries) {
            if (entry.flag->name == "config") path = entry.value;
        }
    }
    return path;
}

// -------------------------------------------------------------------------------------------------------- judging

// Where each option was last set, for messages about values that turn out to be wrong later.
using Places = std::map<std::string_view, std::string>;

bool apply(const Entries& entries, Options* options, Places* places, std::string* error) {
    std::vector<std::string> addresses, admin_addresses;
    std::string origins;
    addresses.swap(options->listen);  // a source that says where to listen says all of it
    admin_addresses.swap(options->admin_listen);
    origins.swap(options->origins);
    for (const Entry& entry : entries) {
        const std::string expected = entry.flag->setting.set(*options, entry.value);
        if (!expected.empty()) {
            return fail(error, entry.where + ": expected " + expected + ", not " + shown(entry.value));
        }
        (*places)[entry.flag->name] = entry.where;
    }
    if (options->listen.empty()) addresses.swap(options->listen);
    if (options->admin_listen.empty()) admin_addresses.swap(options->admin_listen);
    if (options->origins.empty()) origins.swap(options->origins);
    return true;
}

std::string place_of(const Places& places, std::string_view name) {
    const auto found = places.find(name);
    return found == places.end() ? "--" + std::string(name) : found->second;
}

// What can only be judged when everything is known: the values together, and what the library makes of them.
bool judge(Options* options, const Places& places, std::string* error) {
    for (std::string& address : options->listen) {
        if (address.rfind("PORT:", 0) == 0) address = address_on_host(*options, address.substr(5));
    }
    if (options->proxy_protocol == WSD_PROXY_OPTIONAL && !options->config.trusted_proxies) {
        return fail(error, place_of(places, "proxy-protocol") + ": optional needs --trusted-proxies");
    }
    if (options->config.origins_required && !options->config.origins) {
        return fail(error, place_of(places, "origins-required") + ": needs --allow-origin");
    }
    if (options->drain_window_ms > options->drain_grace_ms) {
        return fail(error, place_of(places, "drain-window") + ": longer than --drain-grace");
    }
    const char* const field = wsd_config_invalid(&options->config);
    if (!field) return true;
    const std::string why = wsd_config_invalid_why(&options->config);
    for (const Flag& flag : flags()) {
        if (flag.field == field) return fail(error, place_of(places, flag.name) + ": " + why);
    }
    return fail(error, std::string(field) + ": " + why);
}

// --------------------------------------------------------------------------------------------------------------- hub

// Does the one of the sources that counts most turn the hub on? What is wrong with a value is told later.
bool wants_hub(std::initializer_list<const Entries*> sources) {
    bool on = false;
    for (const Entries* entries : sources) {
        for (const Entry& entry : *entries) {
            if (entry.flag->name == "hub") on = entry.value == "yes";
        }
    }
    return on;
}

// The hub is for people in browsers: what one address may take is bounded, a peer that is gone is known to be within
// two heartbeats, and a message over the hub's own limit still arrives whole, so that it can be answered.
void set_hub_defaults(Options* options) {
    options->config.ip_connection_max_count = 10;
    options->config.ip_connect_per_min = 60;
    options->config.write_timeout_ms = 5000;
    options->config.stale_timeout_ms = 60000;
    options->config.message_max_bytes = 1u << 20;
    options->subprotocols = "wsd.v1";
    options->config.subprotocols = options->subprotocols.c_str();
    options->config.refusals_json = 1;
}

// What has no meaning without the hub, and would be missed where somebody forgot to turn it on.
bool judge_hub(const Options& options, const Places& places, std::string* error) {
    if (options.hub.on || options.help || options.version) return true;
    for (const char* const name :
         {"data", "sessions", "jwt-secret-file", "jwt-issuer", "jwt-audience", "admin-key-file"}) {
        if (places.contains(name)) return fail(error, place_of(places, name) + ": needs --hub");
    }
    return true;
}

bool only_asks(const Entries& command_line, Options* options) {
    for (const Entry& entry : command_line) {
        if (entry.flag->name == "help" || entry.flag->name == "version") entry.flag->setting.set(*options, "");
    }
    return options->help || options->version;
}

}  // namespace

bool read_options(const Sources& sources, Options* options, std::string* error) {
    wsd_config_init(&options->config, sizeof options->config);
    options->config.deflate = 1;
    Entries command_line, environment, file;
    Places places;
    if (!read_command_line(sources, &command_line, error)) return false;
    if (!only_asks(command_line, options)) {
        if (!read_environment(sources, &environment, error)) return false;
        const std::string path = config_path(environment, command_line);
        if (!path.empty() && !read_file(path, &file, error)) return false;
    }
    if (wants_hub({&file, &environment, &command_line})) set_hub_defaults(options);
    for (const Entries* entries : {&file, &environment, &command_line}) {
        if (!apply(*entries, options, &places, error)) return false;
    }
    if (!options->origins.empty()) options->config.origins = options->origins.c_str();
    if (options->hub.on && options->config.origins && !places.contains("origins-required")) {
        options->config.origins_required = 1;
    }
    return judge_hub(*options, places, error) && judge(options, places, error);
}

std::string address_on_host(const Options& options, std::string_view port) {
    const bool v6 = options.host.find(':') != std::string::npos && options.host[0] != '[';
    return (v6 ? "[" + options.host + "]:" : options.host + ":").append(port);
}

std::string config_text(const Options& options) {
    std::string text;
    for (const Flag& flag : flags()) {
        if (command_line_only(flag)) continue;
        const std::vector<std::string> values = flag.setting.get(options);
        if (values.empty()) text += "# " + std::string(flag.name) + " =\n";
        for (const std::string& value : values) text += format_config_line(flag.name, value);
    }
    return text;
}

std::vector<std::string> changed_options(const Options& before, const Options& after, bool need_restart) {
    std::vector<std::string> names;
    for (const Flag& flag : flags()) {
        if (command_line_only(flag) || (flag.applies == Applies::kRestart) != need_restart) continue;
        if (flag.setting.get(before) != flag.setting.get(after)) names.emplace_back(flag.name);
    }
    return names;
}

}  // namespace app
