// Numbers as the system's own protocols write them.
#pragma once

#include <charconv>
#include <string_view>

namespace app {

// The whole text as a decimal number; false for anything else, and for what the type does not hold.
template <class T>
[[nodiscard]] bool parse_number(std::string_view text, T* n) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *n);
    return failure == std::errc{} && end == text.data() + text.size();
}

}  // namespace app
