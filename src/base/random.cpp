#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include <cstdint>

namespace wsd {

bool random_bytes(void* p, size_t len) {
    uint8_t* to = static_cast<uint8_t*>(p);
    while (len > 0) {
        const ssize_t n = getrandom(to, len, 0);
        if (n < 0 && errno != EINTR) return false;
        if (n <= 0) continue;
        to += n;
        len -= size_t(n);
    }
    return true;
}

}  // namespace wsd
