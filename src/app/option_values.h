// Values of options as text: numbers, sizes, times and switches, each read and shown by one pair of functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/option_table.h"

namespace app {

struct Suffix {
    std::string_view text;
    uint64_t factor;
};

// A whole number up to `max` once it is multiplied, with one of the suffixes.
bool parse_scaled(std::string_view text, std::initializer_list<Suffix> suffixes, uint64_t max, uint64_t* out);

// Each in the largest unit that says it exactly.
bool parse_ms(std::string_view text, uint32_t* ms);
std::string format_ms(uint32_t ms);
bool parse_bytes(std::string_view text, uint64_t max, uint64_t* bytes);
std::string format_bytes(uint64_t bytes);

constexpr const char* kTimeForm = "a time, as 30s, 500ms or 5m (0: off)";

// A value in one line, whatever it holds: for messages.
std::string shown(std::string_view value);

// "a, b or c".
std::string either(const std::vector<std::string>& words);

// One of a few words, each with its value. `at` gives the field of the Options, which may be const.
template <class At, class T = std::remove_cvref_t<std::invoke_result_t<At, Options&>>>
Setting choice(At at, const std::type_identity_t<std::vector<std::pair<const char*, T>>>& words) {
    return {[=](Options& options, std::string_view text) -> std::string {
                std::vector<std::string> known;
                for (const auto& [word, value] : words) {
                    known.emplace_back(word);
                    if (text != word) continue;
                    at(options) = value;
                    return {};
                }
                return either(known);
            },
            [=](const Options& options) -> std::vector<std::string> {
                for (const auto& [word, value] : words) {
                    if (at(options) == value) return {word};
                }
                return {};
            }};
}

// ------------------------------------------------------------------------------------------- fields of wsd_config

template <class T>
Setting count(T wsd_config::*field) {
    return {[field](Options& options, std::string_view text) -> std::string {
                uint64_t n = 0;
                if (!parse_scaled(text, {{"", 1}}, uint64_t(std::numeric_limits<T>::max()), &n)) return "a number";
                options.config.*field = T(n);
                return {};
            },
            [field](const Options& options) -> std::vector<std::string> {
                return {std::to_string(options.config.*field)};
            }};
}

template <class T>
Setting bytes(T wsd_config::*field) {
    return {[field](Options& options, std::string_view text) -> std::string {
                uint64_t n = 0;
                if (!parse_bytes(text, uint64_t(std::numeric_limits<T>::max()), &n)) {
                    return "bytes, as 65536, 64K or 16M";
                }
                options.config.*field = T(n);
                return {};
            },
            [field](const Options& options) -> std::vector<std::string> {
                return {format_bytes(uint64_t(options.config.*field))};
            }};
}

Setting time(uint32_t wsd_config::*field);

// A switch: "yes" sets the field to 1, or to 0 where the switch says no to it.
Setting turn_on(int wsd_config::*field);
Setting turn_off(int wsd_config::*field);

// A list that the library copies and judges; `text` is what the field points to.
Setting borrowed_text(std::string Options::*text, const char* wsd_config::*field);

// ---------------------------------------------------------------------------------------------- fields of Options

Setting time(uint32_t Options::*field);
Setting turn_on(bool Options::*field);

// ---------------------------------------------------------------------------------------------- fields of HubFlags

Setting time(uint32_t HubFlags::*field);
Setting long_time(uint64_t HubFlags::*field);  // also in days
Setting turn_on(bool HubFlags::*field);
Setting text(std::string HubFlags::*field, const char* expected);
Setting bytes(uint64_t HubFlags::*field);

template <class T>
Setting count(T HubFlags::*field) {
    return {
        [field](Options& options, std::string_view text) -> std::string {
            uint64_t n = 0;
            if (!parse_scaled(text, {{"", 1}}, uint64_t(std::numeric_limits<T>::max()), &n)) return "a number";
            options.hub.*field = T(n);
            return {};
        },
        [field](const Options& options) -> std::vector<std::string> { return {std::to_string(options.hub.*field)}; }};
}

// A switch of the command line that asks for something else than serving.
Setting request(bool Options::*field);

// Any text but an empty one, which is what stands for "not set"; `expected` says what of.
Setting text(std::string Options::*field, const char* expected);

}  // namespace app
