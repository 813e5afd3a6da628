// Texts as files and headers hold them.
#pragma once

#include <strings.h>

#include <string>
#include <string_view>

namespace app {

constexpr std::string_view kBlanks = " \t\r";

// Without the blanks around it.
std::string_view trimmed(std::string_view text);

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Adds the text of a file of up to `most` bytes, be it a pipe. False, with errno; EFBIG for more.
[[nodiscard]] bool read_text_file(const std::string& path, size_t most, std::string* text);

}  // namespace app
