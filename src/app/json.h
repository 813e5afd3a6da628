// JSON texts (RFC 8259) read strictly: UTF-8 only, no duplicate names, nothing after the value, and bounds on size,
// depth and numbers. What is read borrows: a value and everything in it is valid as long as the text that it was read
// from, and as the outermost value or a copy of it, which owns what does not stand in the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace app {

enum class JsonType : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

struct JsonMember;
struct JsonStorage;

class Json {
  public:
    JsonType type() const { return type_; }
    bool is(JsonType type) const { return type_ == type; }

    // The text of this value as it stood, e.g. to be passed on unchanged.
    std::string_view text() const { return text_; }

    // Each of these is only asked of a value of its type.
    bool boolean() const;
    double number() const;
    std::string_view string() const;  // UTF-8, with escapes resolved; may hold NUL
    const std::vector<Json>& items() const;
    const std::vector<JsonMember>& members() const;

    // The number as a whole one, where it is and is written without fraction and exponent.
    std::optional<int64_t> integer() const;

    // The member of an object with that name; null where there is none, or this is no object.
    const Json* find(std::string_view name) const;

  private:
    friend class JsonReader;
    using Value = std::variant<std::monostate, double, std::string_view, const std::vector<Json>*,
                               const std::vector<JsonMember>*>;
    JsonType type_ = JsonType::kNull;
    std::string_view text_;
    Value value_;                                 // nothing where the text says it all; points into the storage
    std::shared_ptr<const JsonStorage> storage_;  // of the outermost value; null in all others
};

struct JsonMember {
    std::string_view name;
    Json value;
};

struct JsonLimits {
    size_t bytes = 65536;
    unsigned depth = 32;  // arrays and objects within each other
};

struct JsonError {
    size_t offset = 0;     // of the byte that is wrong, or the text's length where it ended too early
    const char* why = "";  // static
};

// Reads one value, with white space around it. False sets `*error`; `*json` is then not to be looked at. A number that
// no finite double holds is an error.
[[nodiscard]] bool parse_json(std::string_view text, const JsonLimits& limits, Json* json, JsonError* error);

}  // namespace app
