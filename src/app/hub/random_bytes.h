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

// A name that is never given twice, also not by a later process: 128 bits in hexadecimal digits.
inline std::string random_name() {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string name;
    for (const char byte : random_bytes(16)) {
        name += kDigits[static_cast<unsigned char>(byte) >> 4];
        name += kDigits[byte & 15];
    }
    return name;
}

}  // namespace app::hub
