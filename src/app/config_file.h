// The configuration file: lines of `key = value`. It is read here into its lines, and values are written so that they
// read back to the same; what a key means is the option table's business.
//
//     # A comment stands on a line of its own, or behind a blank.
//     max-connections = 50000
//     listen = 127.0.0.1:9001
//     listen = "unix:/run/with space # and hash"
//
// Blanks around key and value do not count. In double quotes, \" \\ and \n stand for a quote, a backslash and a line
// feed, and everything else for itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace app {

struct ConfigLine {
    unsigned number;  // from 1
    std::string key;
    std::string value;
};

// Splits a file's text into its lines that say something. False sets `*number` and `*error` to the first line that is
// none, and what is wrong with it.
bool parse_config(std::string_view text, std::vector<ConfigLine>* lines, unsigned* number, std::string* error);

constexpr size_t kConfigMaxBytes = 1u << 20;  // of a file that a person wrote

// `key = value` with its newline.
std::string format_config_line(std::string_view key, std::string_view value);

}  // namespace app
