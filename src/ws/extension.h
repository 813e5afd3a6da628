// The grammar of Sec-WebSocket-Extensions (§9.1): one element of the list, read name first and then a parameter at a
// time. What any extension means is not known here.
#pragma once

#include "base/bytes.h"

namespace wsd::ws {

// One parameter of an offer.
struct ExtensionParam {
    Bytes name;
    bool has_value;
    Bytes value;  // without quotes; what a backslash escaped in quotes keeps its backslash
};

enum class ExtensionStep : uint8_t { kParam, kEnd, kMalformed };

// Reads the extension's name at the start of `element` and moves `*element` behind it; false if there is no token.
[[nodiscard]] bool read_extension_name(Bytes* element, Bytes* name);

// Reads one parameter, or finds the end, and moves `*element` behind it.
//   kMalformed  no ";" and token, or a value that is no token and no quoted string of one
[[nodiscard]] ExtensionStep read_extension_param(Bytes* element, ExtensionParam* param);

// Does the whole of `element` follow the grammar?
bool extension_is_clean(Bytes element);

}  // namespace wsd::ws
