#include "app/json_writer.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <utility>

#include "app/utf8.h"

namespace app {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool is_plain(char c) { return uint8_t(c) >= 0x20 && uint8_t(c) < 0x7f && c != '"' && c != '\\'; }

void append_escape(std::string* out, char c) {
    constexpr char kHex[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        *out += '\\';
        *out += c;
    } else {
        out->append("\\u00") += kHex[uint8_t(c) >> 4];
        *out += kHex[uint8_t(c) & 15];
    }
}

}  // namespace

void append_json_string(std::string* out, std::string_view text) {
    *out += '"';
    while (!text.empty()) {
        size_t len = 0;
        while (len < text.size() && is_plain(text[len])) len++;
        out->append(text.substr(0, len));
        text.remove_prefix(len);
        if (text.empty()) break;
        len = utf8_character(text);
        if (len == 1)
            append_escape(out, text[0]);
        else
            out->append(len ? text.substr(0, len) : kReplacement);
        text.remove_prefix(len ? len : 1);
    }
    *out += '"';
}

// What stands last tells where the next value stands: behind a name, first in something, or behind another value.
void JsonWriter::begin_value() {
    const char last = text_.empty() ? '\0' : text_.back();
    if (open_.empty()) {
        assert(text_.empty());
    } else if (open_.back() == '}') {
        assert(last == ':');
    } else if (last != '[') {
        text_ += ',';
    }
}

JsonWriter& JsonWriter::begin(char open, char close) {
    begin_value();
    text_ += open;
    open_ += close;
    return *this;
}

JsonWriter& JsonWriter::end(char close) {
    assert(!open_.empty() && open_.back() == close && text_.back() != ':');
    open_.pop_back();
    text_ += close;
    return *this;
}

JsonWriter& JsonWriter::begin_object() { return begin('{', '}'); }
JsonWriter& JsonWriter::end_object() { return end('}'); }
JsonWriter& JsonWriter::begin_array() { return begin('[', ']'); }
JsonWriter& JsonWriter::end_array() { return end(']'); }

JsonWriter& JsonWriter::key(std::string_view name) {
    assert(!open_.empty() && open_.back() == '}' && text_.back() != ':');
    if (text_.back() != '{') text_ += ',';
    append_json_string(&text_, name);
    text_ += ':';
    return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
    begin_value();
    append_json_string(&text_, text);
    return *this;
}

template <class Number>
JsonWriter& JsonWriter::digits(Number n) {
    char digits[32];  // the shortest form of any double is of 24
    const std::to_chars_result written = std::to_chars(digits, digits + sizeof digits, n);
    return raw({digits, size_t(written.ptr - digits)});
}

JsonWriter& JsonWriter::number(int64_t n) { return digits(n); }
JsonWriter& JsonWriter::number(uint64_t n) { return digits(n); }
JsonWriter& JsonWriter::decimal(double n) { return std::isfinite(n) ? digits(n) : null(); }
JsonWriter& JsonWriter::boolean(bool is_true) { return raw(is_true ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
    assert(!json.empty());
    begin_value();
    text_.append(json);
    return *this;
}

std::string JsonWriter::take() {
    assert(open_.empty() && !text_.empty());
    return std::exchange(text_, {});
}

}  // namespace app
