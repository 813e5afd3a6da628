// CRC-32C (Castagnoli; RFC 3720, appendix B.4), which guards what is on disk against damage, not against forgery.
#pragma once

#include <cstdint>
#include <string_view>

namespace app::hub {

// The checksum of `bytes`; with `before`, that of all that was given before and then `bytes`.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace app::hub
