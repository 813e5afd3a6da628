#include "app/config_file.h"

#include "app/text.h"

namespace app {
namespace {

bool blank(char c) { return kBlanks.find(c) != kBlanks.npos; }

// Where a comment begins: at a '#' that begins the text or follows a blank.
size_t comment_at(std::string_view text) {
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '#' && (i == 0 || blank(text[i - 1]))) return i;
    }
    return text.npos;
}

// `text` begins with a quote. Null, or what is wrong.
const char* read_quoted(std::string_view text, std::string* value) {
    size_t at = 1;
    for (; at < text.size() && text[at] != '"'; at++) {
        char c = text[at];
        if (c == '\\') {
            if (++at == text.size()) break;
            if (text[at] != '"' && text[at] != '\\' && text[at] != 'n') return "only \\\", \\\\ and \\n may be escaped";
            c = text[at] == 'n' ? '\n' : text[at];
        }
        *value += c;
    }
    if (at >= text.size()) return "the closing quote is missing";
    const std::string_view behind = text.substr(at + 1);
    if (!trimmed(behind.substr(0, comment_at(behind))).empty()) return "something follows the closing quote";
    return nullptr;
}

// Null, or what is wrong; a line that says nothing leaves the key empty.
const char* parse_line(std::string_view text, ConfigLine* line) {
    const std::string_view said = trimmed(text.substr(0, comment_at(text)));
    if (said.empty()) return nullptr;
    const size_t equals = text.find('=');
    if (equals >= size_t(said.data() - text.data()) + said.size()) return "expected key = value";
    line->key = trimmed(text.substr(0, equals));
    if (line->key.empty()) return "expected key = value";
    const std::string_view value = trimmed(text.substr(equals + 1));
    if (value.substr(0, 1) == "\"") return read_quoted(value, &line->value);
    line->value = trimmed(value.substr(0, comment_at(value)));
    return nullptr;
}

}  // namespace

bool parse_config(std::string_view text, std::vector<ConfigLine>* lines, unsigned* number, std::string* error) {
    for (*number = 1; !text.empty(); ++*number) {
        const size_t end = text.find('\n');
        ConfigLine line{*number, {}, {}};
        if (const char* const wrong = parse_line(text.substr(0, end), &line)) {
            *error = (line.key.empty() ? "" : line.key + ": ") + wrong;
            return false;
        }
        if (!line.key.empty()) lines->push_back(line);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return true;
}

std::string format_config_line(std::string_view key, std::string_view value) {
    std::string line = std::string(key) + " = ";
    const bool plain = value == trimmed(value) && value.substr(0, 1) != "\"" && comment_at(value) == value.npos &&
                       value.find('\n') == value.npos;
    if (plain) return line.append(value) += '\n';
    line += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') line += '\\';
        c == '\n' ? line.append("\\n") : line.append(1, c);
    }
    return line += "\"\n";
}

}  // namespace app
