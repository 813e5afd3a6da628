// The table of the daemon's options. An option has one name, whether a flag, a line of the configuration file or a
// variable of the environment sets it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/options.h"

namespace app {

// How an option is read from its text and shown as text again, so that what is shown reads back to the same.
struct Setting {
    // Empty for success, else what was expected.
    std::function<std::string(Options&, std::string_view)> set;

    // No text where the option is not set, several where it was repeated. None for what only the command line may say.
    std::function<std::vector<std::string>(const Options&)> get;
};

enum class Applies : uint8_t { kReload, kRestart };  // from when a changed file takes effect

struct Flag {
    std::string_view name;
    std::string_view value;  // how --help calls it; empty for a switch
    std::string_view help;
    Setting setting;
    std::string_view field = {};  // of wsd_config, where the library judges the value
    Applies applies = Applies::kReload;
};

const std::vector<Flag>& flags();

// Null if there is none of that name.
const Flag* find_flag(std::string_view name);

}  // namespace app
