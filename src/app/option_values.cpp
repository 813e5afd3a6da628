#include "app/option_values.h"

#include <charconv>

namespace app {
namespace {

// Empty for success.
template <class Set>
std::string read_switch(std::string_view text, Set set) {
    if (text != "yes" && text != "no") return "yes or no";
    set(text == "yes");
    return {};
}

std::vector<std::string> yes_or_no(bool on) { return {on ? "yes" : "no"}; }

Setting switch_of(int wsd_config::*field, bool inverted) {
    return {[=](Options& options, std::string_view text) {
                return read_switch(text, [&](bool on) { options.config.*field = on != inverted; });
            },
            [=](const Options& options) { return yes_or_no((options.config.*field != 0) != inverted); }};
}

// In the largest of the suffixes, which stand from small to large, that says it exactly.
std::string format_scaled(uint64_t n, std::initializer_list<Suffix> suffixes) {
    Suffix best{"", 1};
    for (const Suffix& suffix : suffixes) {
        if (n != 0 && n % suffix.factor == 0) best = suffix;
    }
    return std::to_string(n / best.factor).append(best.text);
}

}  // namespace

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

bool parse_ms(std::string_view text, uint32_t* ms) {
    uint64_t n = 0;
    const bool ok = parse_scaled(text, {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}},
                                 std::numeric_limits<uint32_t>::max(), &n);
    if (ok) *ms = uint32_t(n);
    return ok;
}

std::string format_ms(uint32_t ms) { return format_scaled(ms, {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}}); }

bool parse_bytes(std::string_view text, uint64_t max, uint64_t* bytes) {
    return parse_scaled(text, {{"", 1}, {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}}, max, bytes);
}

std::string format_bytes(uint64_t bytes) {
    return format_scaled(bytes, {{"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}});
}

std::string shown(std::string_view value) {
    std::string text;
    for (const char c : value) text += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return '"' + text + '"';
}

std::string either(const std::vector<std::string>& words) {
    std::string text;
    for (size_t i = 0; i < words.size(); i++) {
        if (i) text += i + 1 < words.size() ? ", " : " or ";
        text += words[i];
    }
    return text;
}

Setting time(uint32_t wsd_config::*field) {
    return {[field](Options& options, std::string_view text) -> std::string {
                return parse_ms(text, &(options.config.*field)) ? "" : kTimeForm;
            },
            [field](const Options& options) -> std::vector<std::string> { return {format_ms(options.config.*field)}; }};
}

Setting turn_on(int wsd_config::*field) { return switch_of(field, false); }
Setting turn_off(int wsd_config::*field) { return switch_of(field, true); }

Setting borrowed_text(std::string Options::*text, const char* wsd_config::*field) {
    return {[=](Options& options, std::string_view value) -> std::string {
                options.*text = value;
                options.config.*field = (options.*text).c_str();
                return {};
            },
            [=](const Options& options) -> std::vector<std::string> {
                if (!(options.config.*field)) return {};
                return {options.*text};
            }};
}

Setting time(uint32_t Options::*field) {
    return {[field](Options& options, std::string_view text) -> std::string {
                return parse_ms(text, &(options.*field)) ? "" : kTimeForm;
            },
            [field](const Options& options) -> std::vector<std::string> { return {format_ms(options.*field)}; }};
}

Setting turn_on(bool Options::*field) {
    return {[field](Options& options, std::string_view text) {
                return read_switch(text, [&](bool on) { options.*field = on; });
            },
            [field](const Options& options) { return yes_or_no(options.*field); }};
}

Setting request(bool Options::*field) {
    return {[field](Options& options, std::string_view) -> std::string {
                options.*field = true;
                return {};
            },
            nullptr};
}

Setting text(std::string Options::*field, const char* expected) {
    return {[=](Options& options, std::string_view value) -> std::string {
                if (value.empty()) return expected;
                options.*field = value;
                return {};
            },
            [=](const Options& options) -> std::vector<std::string> {
                if ((options.*field).empty()) return {};
                return {options.*field};
            }};
}

Setting time(uint32_t HubFlags::*field) {
    return {[field](Options& options, std::string_view text) -> std::string {
                return parse_ms(text, &(options.hub.*field)) ? "" : kTimeForm;
            },
            [field](const Options& options) -> std::vector<std::string> { return {format_ms(options.hub.*field)}; }};
}

Setting long_time(uint64_t HubFlags::*field) {
    return {[field](Options& options, std::string_view text) -> std::string {
                const bool good = parse_scaled(
                    text, {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1000}},
                    uint64_t(std::numeric_limits<int64_t>::max()), &(options.hub.*field));
                return good ? "" : "a time, as 30d, 12h or 90s (0: off)";
            },
            [field](const Options& options) -> std::vector<std::string> {
                return {format_scaled(options.hub.*field,
                                      {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}})};
            }};
}

Setting turn_on(bool HubFlags::*field) {
    return {[field](Options& options, std::string_view text) {
                return read_switch(text, [&](bool on) { options.hub.*field = on; });
            },
            [field](const Options& options) { return yes_or_no(options.hub.*field); }};
}

Setting text(std::string HubFlags::*field, const char* expected) {
    return {[=](Options& options, std::string_view value) -> std::string {
                if (value.empty()) return expected;
                options.hub.*field = value;
                return {};
            },
            [=](const Options& options) -> std::vector<std::string> {
                if ((options.hub.*field).empty()) return {};
                return {options.hub.*field};
            }};
}

Setting bytes(uint64_t HubFlags::*field) {
    return {[field](Options& options, std::string_view text) -> std::string {
                const bool good =
                    parse_bytes(text, uint64_t(std::numeric_limits<int64_t>::max()), &(options.hub.*field));
                return good ? "" : "bytes, as 65536, 64K or 16M";
            },
            [field](const Options& options) -> std::vector<std::string> { return {format_bytes(options.hub.*field)}; }};
}

}  // namespace app
