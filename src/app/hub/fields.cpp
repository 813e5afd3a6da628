#include "app/hub/fields.h"

#include <algorithm>

#include "app/hub/envelope.h"
#include "app/utf8.h"

namespace app::hub {
namespace {

// Names of fields are the client's, and messages are to stay readable.
constexpr size_t kShownMaxBytes = 64;

}  // namespace

Fields::Fields(const Json& object, std::string path, std::string* why)
    : object_(object), path_(std::move(path)), why_(why) {
    if (object_.is(JsonType::kObject)) return;
    ok_ = false;
    *why_ = path_.empty() ? "not an object" : path_ + ": not an object";
}

std::string Fields::path_of(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

std::string Fields::path_of(std::string_view name, size_t index) const {
    return path_of(name) + "[" + std::to_string(index) + "]";
}

bool Fields::wrong(std::string_view name, std::string_view what) {
    if (ok_) *why_ = path_of(name) + ": " + std::string(what);
    ok_ = false;
    return false;
}

// The field, where it is to be read; null in place of a value says that there is none.
const Json* Fields::look(std::string_view name, Need need) {
    known_.push_back(name);
    if (!ok_) return nullptr;
    const Json* const value = object_.find(name);
    if (value && !value->is(JsonType::kNull)) return value;
    if (need == Need::kRequired) wrong(name, "missing");
    return nullptr;
}

bool Fields::identifier(std::string_view name, Need need, std::string* out) {
    const Json* const value = look(name, need);
    if (!value) return false;
    if (!value->is(JsonType::kString) || !is_identifier(value->string())) {
        return wrong(name, "not 1 to 64 characters of A-Z a-z 0-9 _ - .");
    }
    *out = value->string();
    return true;
}

bool Fields::text(std::string_view name, Need need, std::string* out) {
    const Json* const value = look(name, need);
    if (!value) return false;
    if (!value->is(JsonType::kString)) return wrong(name, "not a string");
    if (utf8_count(value->string()) > kTextMaxChars) {
        return wrong(name, "longer than " + std::to_string(kTextMaxChars) + " characters");
    }
    *out = value->string();
    return true;
}

bool Fields::flag(std::string_view name, bool* out) {
    const Json* const value = look(name, Need::kOptional);
    if (!value) return false;
    if (!value->is(JsonType::kBool)) return wrong(name, "neither true nor false");
    *out = value->boolean();
    return true;
}

bool Fields::object(std::string_view name, Need need, const Json** out) {
    const Json* const value = look(name, need);
    if (!value) return false;
    if (!value->is(JsonType::kObject)) return wrong(name, "not an object");
    *out = value;
    return true;
}

bool Fields::array(std::string_view name, size_t most, const Json** out) {
    const Json* const value = look(name, Need::kOptional);
    if (!value) return false;
    if (!value->is(JsonType::kArray)) return wrong(name, "not an array");
    if (value->items().size() > most) return wrong(name, "more than " + std::to_string(most));
    *out = value;
    return true;
}

bool Fields::word(std::string_view name, Need need, std::initializer_list<std::string_view> words, size_t* out) {
    const Json* const value = look(name, need);
    if (!value) return false;
    std::string list;
    size_t place = 0;
    for (const std::string_view word : words) {
        if (value->is(JsonType::kString) && value->string() == word) {
            *out = place;
            return true;
        }
        list.append(place++ ? " or " : "").append(word);
    }
    return wrong(name, "not " + list);
}

bool Fields::finish() {
    if (!ok_) return false;
    for (const JsonMember& member : object_.members()) {
        if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
        return wrong(member.name.substr(0, kShownMaxBytes), "no such field");
    }
    return true;
}

}  // namespace app::hub
