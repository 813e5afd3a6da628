// Base64url without padding (RFC 4648 §5, RFC 7515 §2), strict: one text for each sequence of bytes, so that no second
// form of a token passes for another one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace app::hub {

std::string base64url_encode(std::string_view bytes);

// None for text with padding, white space or anything else that is not of the alphabet, of an impossible length, or
// with bits left over that are not zero.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace app::hub
