// Bytes that nobody can guess.
#pragma once

#include <sys/random.h>

#include <cstdlib>
#include <string>

namespace app::hub {

constexpr size_t kSecretBytes = 32;

// At most 256, as so many are given whole (getrandom(2)).
inline std::string random_bytes(size_t count) {
    std::string bytes(count, '\0');
    if (getrandom(bytes.data(), count, 0) != ssize_t(count)) std::abort();
    return bytes;
}

}  // namespace app::hub
