#include "app/hub/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "app/config_file.h"
#include "app/text.h"

namespace app::hub {

bool read_lines(const std::string& path, std::vector<TextLine>* lines, std::string* error) {
    std::string text;
    if (!read_text_file(path, kConfigMaxBytes, &text)) {
        *error = path + ": " + std::strerror(errno);
        return false;
    }
    unsigned number = 1;
    for (size_t at = 0; at < text.size(); number++) {
        const size_t end = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, end - at);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.find_first_not_of(" \t") != line.npos) lines->push_back({number, std::move(line)});
        at = end + 1;
    }
    return true;
}

bool read_only_line(const std::string& path, std::string* text, std::string* error) {
    std::vector<TextLine> lines;
    if (!read_lines(path, &lines, error)) return false;
    if (lines.size() != 1) {
        *error = path + ": expected one line, not " + std::to_string(lines.size());
        return false;
    }
    *text = std::move(lines[0].text);
    return true;
}

}  // namespace app::hub
