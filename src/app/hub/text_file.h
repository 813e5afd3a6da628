// Small files of lines: secrets and keys.
#pragma once

#include <string>
#include <vector>

namespace app::hub {

struct TextLine {
    unsigned number = 0;  // from 1
    std::string text;     // not blank; without its end, be that of Unix or Windows
};

// All lines that are not blank. False sets `*error` to one line that names the file.
[[nodiscard]] bool read_lines(const std::string& path, std::vector<TextLine>* lines, std::string* error);

// The line of a file that is to have just one. False sets `*error`.
[[nodiscard]] bool read_only_line(const std::string& path, std::string* text, std::string* error);

}  // namespace app::hub
