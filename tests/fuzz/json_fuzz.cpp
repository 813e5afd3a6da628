// Any bytes as a JSON text, at any limit of depth. What is read is UTF-8 that the library's own validator takes;
// written again value by value it reads to the same; every value's text() by itself reads to that value; and no byte
// outside the input is touched (every text ends before a page nobody may read). Any bytes written as a string come out
// as valid JSON.
#include <cstdlib>
#include <cstring>
#include <string>

#include "app/json.h"
#include "app/json_writer.h"
#include "support/guard_page.h"
#include "ws/utf8.h"

using namespace app;

namespace {

constexpr size_t kInputMax = 4096;

void require(bool condition) {
    if (!condition) std::abort();
}

bool is_utf8(std::string_view text) {
    using namespace wsd::ws;
    return utf8_run(kUtf8Start, reinterpret_cast<const uint8_t*>(text.data()), text.size()) == kUtf8Start;
}

void write(const Json& json, JsonWriter* writer) {
    switch (json.type()) {
        case JsonType::kNull: writer->null(); break;
        case JsonType::kBool: writer->boolean(json.boolean()); break;
        case JsonType::kString: writer->string(json.string()); break;
        case JsonType::kNumber:
            if (const auto n = json.integer())
                writer->number(*n);
            else
                writer->decimal(json.number());
            break;
        case JsonType::kArray:
            writer->begin_array();
            for (const Json& item : json.items()) write(item, writer);
            writer->end_array();
            break;
        case JsonType::kObject:
            writer->begin_object();
            for (const JsonMember& member : json.members()) write(member.value, &writer->key(member.name));
            writer->end_object();
            break;
    }
}

bool same(const Json& a, const Json& b) {
    if (a.type() != b.type()) return false;
    switch (a.type()) {
        case JsonType::kNull: return true;
        case JsonType::kBool: return a.boolean() == b.boolean();
        case JsonType::kNumber: return a.number() == b.number();
        case JsonType::kString: return a.string() == b.string();
        case JsonType::kArray: {
            if (a.items().size() != b.items().size()) return false;
            for (size_t i = 0; i < a.items().size(); i++) {
                if (!same(a.items()[i], b.items()[i])) return false;
            }
            return true;
        }
        case JsonType::kObject: {
            if (a.members().size() != b.members().size()) return false;
            for (const JsonMember& member : a.members()) {
                const Json* const other = b.find(member.name);
                if (!other || !same(member.value, *other)) return false;
            }
            return true;
        }
    }
    return false;
}

// Each value reads by itself to what it is, and the names of an object are found.
void check_parts(const Json& json, const JsonLimits& limits) {
    Json alone;
    JsonError error;
    require(parse_json(json.text(), limits, &alone, &error));
    require(same(json, alone) && alone.text() == json.text());
    if (json.is(JsonType::kString)) require(is_utf8(json.string()));
    if (json.is(JsonType::kArray)) {
        for (const Json& item : json.items()) check_parts(item, limits);
    }
    if (json.is(JsonType::kObject)) {
        for (const JsonMember& member : json.members()) {
            require(json.find(member.name) == &member.value);
            check_parts(member.value, limits);
        }
    }
}

void check_string(std::string_view bytes) {
    const std::string text = JsonWriter().string(bytes).take();
    Json json;
    JsonError error;
    require(parse_json(text, {text.size(), 0}, &json, &error) && json.is(JsonType::kString));
    require((json.string() == bytes) == is_utf8(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1 || size > kInputMax) return 0;
    static test::GuardPage page(kInputMax);
    const JsonLimits limits{kInputMax, data[0] % 40u};
    const uint8_t* const guarded = page.before_end(data + 1, size - 1);
    const std::string_view text(reinterpret_cast<const char*>(guarded), size - 1);
    check_string(text);

    Json json;
    JsonError error;
    if (!parse_json(text, limits, &json, &error)) {
        require(error.offset <= text.size() && *error.why);
        return 0;
    }
    require(is_utf8(text));
    check_parts(json, limits);
    JsonWriter writer;
    write(json, &writer);
    const std::string written = writer.take();
    Json again;
    require(parse_json(written, {written.size(), limits.depth}, &again, &error));
    require(same(json, again));
    return 0;
}
