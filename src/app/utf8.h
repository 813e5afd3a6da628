// UTF-8 (RFC 3629) a character at a time: what JSON and the hub need of it. Whole messages are judged by the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace app {

// Bytes of the well-formed character that `text` begins with: 1 to 4; 0 where there is none.
size_t utf8_character(std::string_view text);

// Characters of a text that is UTF-8.
size_t utf8_count(std::string_view text);

// Writes a Unicode scalar value and returns where it ends; 4 bytes are enough.
char* utf8_put(char* to, uint32_t scalar);

}  // namespace app
