// What stands in a request, as texts to look at.
#pragma once

#include <strings.h>

#include <string_view>

#include "wsd.h"

namespace app {

// Empty where there is none.
inline std::string_view view_of(wsd_str text) { return {text.p ? text.p : "", text.len}; }

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace app
