// `wsd token`: prints a token with which somebody may enter the hub, for trying things out and for scripts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace app {

// Do the arguments of the program ask for it?
bool asks_for_token(int argc, char** argv);

// Makes what is to be printed of the arguments behind "token" as of `now_s`: a token, or the text of --help. False sets
// `*error` to one line that names the flag at fault.
[[nodiscard]] bool token_command(int argc, char** argv, int64_t now_s, std::string* output, std::string* error);

}  // namespace app
