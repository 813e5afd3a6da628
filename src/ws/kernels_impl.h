// What the files of kernels share and nobody else includes: the names of the loops, and the tables that vectors judge
// UTF-8 by.
#pragma once

#include "ws/kernels.h"

namespace wsd::ws {

using UnmaskLoop = void(uint8_t* p, size_t len, uint32_t mask);
using Utf8Loop = Utf8State(const uint8_t* p, size_t len, Utf8State state);
using UnmaskUtf8Loop = Utf8State(uint8_t* p, size_t len, uint32_t mask, Utf8State state);

// Each is defined where its instructions exist. A wide one hands the ranges too short for it to the next narrower.
namespace avx512 {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace avx512
namespace avx2 {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace avx2
namespace ssse3 {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace ssse3
namespace neon {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace neon
namespace scalar {
UnmaskLoop unmask;
Utf8Loop utf8;
UnmaskUtf8Loop unmask_utf8;
}  // namespace scalar

// How they are made stands in kernels_tables.cpp; the values stand in another file than the loops, because g++
// rebuilds a constant that it knows in every turn of a loop, and loses a fifth of the speed.
struct Utf8Tables {
    using Sixteen = uint8_t[16];
    // Look-ups of half a byte each that, ANDed, leave a bit for each rule that two neighbouring bytes break.
    alignas(16) Sixteen first_high, first_low, second_high;
    // One byte sixteen times.
    alignas(16) Sixteen low_half;
    alignas(16) Sixteen below_three, below_four;  // less these, no byte below e0, or f0, keeps its high bit
    alignas(16) Sixteen two_continue;             // the bit of the rule that is broken in the midst of a character
};
extern const Utf8Tables kUtf8Tables;

}  // namespace wsd::ws
