// WSD_ASSERT: a condition that only a bug of ours can break. It is checked in every build, because a server
// that goes on with broken state is worse than one that stops. Input from a peer or a caller is never asserted.
#pragma once

#include <cstdlib>

#define WSD_ASSERT(condition)                                \
    do {                                                     \
        if (__builtin_expect(!(condition), 0)) std::abort(); \
    } while (0)
