// The parameters of a query, as browsers and curl write them (the form application/x-www-form-urlencoded).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace app::hub {

constexpr size_t kParameterMaxCount = 32;

using Parameters = std::vector<std::pair<std::string, std::string>>;

// The names and values of a query, decoded (percent and plus); false where it is malformed, a name stands twice, or
// there are more than kParameterMaxCount. A name without `=` has an empty value.
[[nodiscard]] bool parse_query(std::string_view query, Parameters* parameters);

// Null where there is none of that name.
const std::string* find_parameter(const Parameters& parameters, std::string_view name);

}  // namespace app::hub
