// Bits that nobody can guess, from the system.
#pragma once

#include <cstddef>

namespace wsd {

// Fills [p, p + len); false, with errno, if the system has none to give.
[[nodiscard]] bool random_bytes(void* p, size_t len);

}  // namespace wsd
