// What stands in a request, as texts to look at.
#pragma once

#include <optional>
#include <string_view>

#include "app/text.h"
#include "wsd.h"

namespace app {

// Empty where there is none.
inline std::string_view view_of(wsd_str text) { return {text.p ? text.p : "", text.len}; }

// What follows "Bearer" in an Authorization (RFC 6750 §2.1), in whatever case that is; none of another scheme.
inline std::optional<std::string_view> bearer_credentials(std::string_view authorization) {
    constexpr std::string_view kScheme = "Bearer ";
    if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return std::nullopt;
    return authorization.substr(kScheme.size());
}

}  // namespace app
