// Writes JSON texts that are always valid: commas and nesting are its own affair, strings are escaped, and bytes that
// are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace app {

// Calls chain: JsonWriter().begin_object().key("a").number(1).end_object().take(). Calls out of order are bugs, and
// asserted.
class JsonWriter {
  public:
    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);
    JsonWriter& string(std::string_view text);
    JsonWriter& number(int64_t n);
    JsonWriter& number(uint64_t n);
    JsonWriter& decimal(double n);  // null where it is not finite, which JSON cannot say
    JsonWriter& boolean(bool is_true);
    JsonWriter& null();

    // One value that is a valid JSON text already, as Json::text() is.
    JsonWriter& raw(std::string_view json);

    // The text, once every object and array is ended; the writer is then empty.
    std::string take();

  private:
    void begin_value();
    JsonWriter& begin(char open, char close);
    JsonWriter& end(char close);
    template <class Number>
    JsonWriter& digits(Number n);

    std::string text_;
    std::string open_;  // what is yet to be closed, as the characters that do
};

// Adds a JSON string, with its quotes, to a text that is put together otherwise. DEL is escaped too, for terminals.
void append_json_string(std::string* out, std::string_view text);

}  // namespace app
