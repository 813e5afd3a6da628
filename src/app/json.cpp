#include "app/json.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <set>
#include <string>
#include <utility>

#include "app/utf8.h"

namespace app {

// What the values of one text share. Deques, as values point to what is in them while more is added.
struct JsonStorage {
    std::unique_ptr<char[]> unescaped;  // all strings that have escapes; null where none has
    std::deque<std::vector<Json>> arrays;
    std::deque<std::vector<JsonMember>> objects;
};

namespace {

// Up to so many names, comparing a new one with each is faster than keeping them in order.
constexpr size_t kFewNames = 16;

constexpr uint64_t each_byte(uint8_t value) { return 0x0101010101010101u * value; }

// Does one of eight bytes end a run of plain ones: a quote, a backslash, a control, or a byte that is not ASCII? Bit 7
// of a byte of (x - n) is set where the byte was below n; a byte above one that borrowed may be hit wrongly, which only
// has it looked at.
bool ends_plain(uint64_t x) {
    const uint64_t quote = x ^ each_byte('"'), backslash = x ^ each_byte('\\');
    return (x | (x - each_byte(0x20)) | (quote - each_byte(1)) | (backslash - each_byte(1))) & each_byte(0x80);
}

bool is_plain(char c) { return uint8_t(c) >= 0x20 && uint8_t(c) < 0x80 && c != '"' && c != '\\'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = char(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr bool is_high_surrogate(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
constexpr bool is_low_surrogate(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

uint32_t unit_of(const char* hex) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) unit = unit << 4 | uint32_t(hex_digit(hex[i]));
    return unit;
}

// The bytes that one-letter escapes stand for, in the order of kEscapeLetters.
constexpr std::string_view kEscapeLetters = "\"\\/bfnrt";
constexpr std::string_view kEscapedBytes = "\"\\/\b\f\n\r\t";

// Resolves the escapes of a string that has been judged; returns where it ends. It never grows by that.
char* unescape(std::string_view raw, char* to) {
    for (const char *p = raw.data(), *const end = p + raw.size(); p < end;) {
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        if (p[1] != 'u') {
            *to++ = kEscapedBytes[kEscapeLetters.find(p[1])];
            p += 2;
            continue;
        }
        uint32_t scalar = unit_of(p + 2);
        p += 6;
        if (is_high_surrogate(scalar)) {
            scalar = 0x10000 + ((scalar & 0x3ff) << 10) + (unit_of(p + 2) & 0x3ff);
            p += 6;
        }
        to = utf8_put(to, scalar);
    }
    return to;
}

// `names` are those of `members`, once they are more than a few. A tree, and no table that a sender could have degrade
// by names of one hash.
bool is_new_name(std::string_view name, const std::vector<JsonMember>& members, std::set<std::string_view>* names) {
    if (members.size() < kFewNames) {
        for (const JsonMember& member : members) {
            if (member.name == name) return false;
        }
        return true;
    }
    if (names->empty()) {
        for (const JsonMember& member : members) names->insert(member.name);
    }
    return names->insert(name).second;
}

}  // namespace

// Recursive descent, as deep as the limit allows. Each read_ function begins at the first byte of what it reads, leaves
// `at_` behind its last, and returns false with the error set.
class JsonReader {
  public:
    JsonReader(std::string_view text, const JsonLimits& limits, JsonError* error)
        : text_(text), limits_(limits), error_(error), storage_(std::make_shared<JsonStorage>()) {}

    bool read(Json* json);

  private:
    bool fail(const char* why);
    bool ended() const { return at_ == text_.size(); }
    bool next_is(char c) const { return !ended() && text_[at_] == c; }
    bool take(char c);
    void skip_space();
    bool skip_digits();

    bool read_value(Json* json);
    bool read_literal(std::string_view word, JsonType type, Json* json);
    bool read_number(Json* json);
    bool read_array(Json* json);
    bool read_object(Json* json);
    bool read_member(std::vector<JsonMember>* members, std::set<std::string_view>* names);
    bool read_text(std::string_view* string);
    bool read_escape();
    bool read_unit(uint32_t* unit);

    size_t end_of_plain(size_t at) const;
    std::string_view unescaped(std::string_view raw);

    std::string_view text_;
    JsonLimits limits_;
    JsonError* error_;
    std::shared_ptr<JsonStorage> storage_;
    char* unescaped_end_ = nullptr;  // of what is used of storage_->unescaped
    size_t at_ = 0;                  // the next byte
    unsigned depth_ = 0;             // arrays and objects that are open
};

bool JsonReader::fail(const char* why) {
    *error_ = {at_, why};
    return false;
}

bool JsonReader::take(char c) {
    if (!next_is(c)) return false;
    at_++;
    return true;
}

void JsonReader::skip_space() {
    while (!ended() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) at_++;
}

bool JsonReader::read(Json* json) {
    if (text_.size() > limits_.bytes) {
        at_ = limits_.bytes;
        return fail("text too long");
    }
    if (text_.substr(0, 3) == "\xef\xbb\xbf") return fail("byte order mark");
    skip_space();
    *json = Json();
    if (!read_value(json)) return false;
    skip_space();
    if (!ended()) return fail("something behind the value");
    json->storage_ = std::move(storage_);
    return true;
}

bool JsonReader::read_value(Json* json) {
    if (ended()) return fail("a value expected");
    const size_t start = at_;
    bool good = false;
    switch (text_[at_]) {
        case '{': good = read_object(json); break;
        case '[': good = read_array(json); break;
        case 't': good = read_literal("true", JsonType::kBool, json); break;
        case 'f': good = read_literal("false", JsonType::kBool, json); break;
        case 'n': good = read_literal("null", JsonType::kNull, json); break;
        case '"': {
            std::string_view string;
            good = read_text(&string);
            json->type_ = JsonType::kString;
            json->value_ = string;
            break;
        }
        default: good = read_number(json); break;
    }
    json->text_ = text_.substr(start, at_ - start);
    return good;
}

bool JsonReader::read_literal(std::string_view word, JsonType type, Json* json) {
    for (const char c : word) {
        if (!take(c)) return fail("a value expected");
    }
    json->type_ = type;
    return true;
}

bool JsonReader::skip_digits() {
    const size_t start = at_;
    while (!ended() && is_digit(text_[at_])) at_++;
    return at_ > start;
}

// §6
bool JsonReader::read_number(Json* json) {
    const size_t start = at_;
    const bool negative = take('-');
    if (!take('0') && !skip_digits()) return fail(negative ? "a digit expected" : "a value expected");
    if (take('.') && !skip_digits()) return fail("a digit expected");
    if (take('e') || take('E')) {
        if (!take('+')) (void)take('-');
        if (!skip_digits()) return fail("a digit expected");
    }
    const std::string_view text = text_.substr(start, at_ - start);
    double number = 0;
    const std::from_chars_result parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    // Out of range is said of both ends alike, and what is too small is 0 or the least there is. The locale is "C".
    if (parsed.ec != std::errc()) number = std::strtod(std::string(text).c_str(), nullptr);
    if (!std::isfinite(number)) {
        at_ = start;
        return fail("number too large");
    }
    json->type_ = JsonType::kNumber;
    json->value_ = number;
    return true;
}

bool JsonReader::read_array(Json* json) {
    if (++depth_ > limits_.depth) return fail("nested too deep");
    std::vector<Json>& items = storage_->arrays.emplace_back();
    json->type_ = JsonType::kArray;
    json->value_ = &std::as_const(items);
    at_++;
    skip_space();
    if (!next_is(']')) {
        do {
            skip_space();
            if (!read_value(&items.emplace_back())) return false;
            skip_space();
        } while (take(','));
    }
    if (!take(']')) return fail("',' or ']' expected");
    depth_--;
    return true;
}

bool JsonReader::read_object(Json* json) {
    if (++depth_ > limits_.depth) return fail("nested too deep");
    std::vector<JsonMember>& members = storage_->objects.emplace_back();
    std::set<std::string_view> names;
    json->type_ = JsonType::kObject;
    json->value_ = &std::as_const(members);
    at_++;
    skip_space();
    if (!next_is('}')) {
        do {
            skip_space();
            if (!read_member(&members, &names)) return false;
            skip_space();
        } while (take(','));
    }
    if (!take('}')) return fail("',' or '}' expected");
    depth_--;
    return true;
}

bool JsonReader::read_member(std::vector<JsonMember>* members, std::set<std::string_view>* names) {
    if (!next_is('"')) return fail("a name expected");
    const size_t start = at_;
    std::string_view name;
    if (!read_text(&name)) return false;
    if (!is_new_name(name, *members, names)) {
        at_ = start;
        return fail("name for the second time");
    }
    skip_space();
    if (!take(':')) return fail("':' expected");
    skip_space();
    members->push_back({name, {}});
    return read_value(&members->back().value);
}

size_t JsonReader::end_of_plain(size_t at) const {
    for (uint64_t eight; at + sizeof eight <= text_.size(); at += sizeof eight) {
        std::memcpy(&eight, text_.data() + at, sizeof eight);
        if (ends_plain(eight)) break;
    }
    while (at < text_.size() && is_plain(text_[at])) at++;
    return at;
}

// §7
bool JsonReader::read_text(std::string_view* string) {
    const size_t start = ++at_;
    bool escaped = false;
    for (;;) {
        at_ = end_of_plain(at_);
        if (ended()) return fail("string not ended");
        if (text_[at_] == '"') break;
        if (text_[at_] == '\\') {
            escaped = true;
            if (!read_escape()) return false;
            continue;
        }
        if (uint8_t(text_[at_]) < 0x20) return fail("control character in a string");
        const size_t len = utf8_character(text_.substr(at_, 4));
        if (len == 0) return fail("not UTF-8");
        at_ += len;
    }
    const std::string_view raw = text_.substr(start, at_ - start);
    *string = escaped ? unescaped(raw) : raw;
    at_++;
    return true;
}

bool JsonReader::read_unit(uint32_t* unit) {
    const size_t start = at_;
    while (at_ < start + 4) {
        if (ended() || hex_digit(text_[at_]) < 0) return fail("four hexadecimal digits expected");
        at_++;
    }
    *unit = unit_of(text_.data() + start);
    return true;
}

bool JsonReader::read_escape() {
    const size_t start = at_++;
    if (!take('u')) {
        if (ended() || kEscapeLetters.find(text_[at_]) == std::string_view::npos) return fail("unknown escape");
        at_++;
        return true;
    }
    uint32_t unit = 0, low = 0;
    if (!read_unit(&unit)) return false;
    if (!is_high_surrogate(unit) && !is_low_surrogate(unit)) return true;
    if (is_high_surrogate(unit) && text_.substr(at_, 2) == "\\u") {
        at_ += 2;
        if (!read_unit(&low)) return false;
        if (is_low_surrogate(low)) return true;
    }
    // What no UTF-8 can say (§8.2); let through, it would come out again as something that no receiver takes.
    at_ = start;
    return fail("half of a surrogate pair");
}

std::string_view JsonReader::unescaped(std::string_view raw) {
    if (!unescaped_end_) {
        storage_->unescaped = std::make_unique_for_overwrite<char[]>(text_.size());
        unescaped_end_ = storage_->unescaped.get();
    }
    char* const start = std::exchange(unescaped_end_, unescape(raw, unescaped_end_));
    return {start, size_t(unescaped_end_ - start)};
}

bool parse_json(std::string_view text, const JsonLimits& limits, Json* json, JsonError* error) {
    return JsonReader(text, limits, error).read(json);
}

// ------------------------------------------------------------------------------------------------------------- values

bool Json::boolean() const { return text_ == "true"; }
double Json::number() const { return std::get<double>(value_); }
std::string_view Json::string() const { return std::get<std::string_view>(value_); }
const std::vector<Json>& Json::items() const { return *std::get<const std::vector<Json>*>(value_); }
const std::vector<JsonMember>& Json::members() const { return *std::get<const std::vector<JsonMember>*>(value_); }

std::optional<int64_t> Json::integer() const {
    int64_t n = 0;
    if (!is(JsonType::kNumber)) return {};
    const char* const end = text_.data() + text_.size();
    const std::from_chars_result parsed = std::from_chars(text_.data(), end, n);
    if (parsed.ec != std::errc() || parsed.ptr != end) return {};
    return n;
}

const Json* Json::find(std::string_view name) const {
    if (!is(JsonType::kObject)) return nullptr;
    for (const JsonMember& member : members()) {
        if (member.name == name) return &member.value;
    }
    return nullptr;
}

}  // namespace app
