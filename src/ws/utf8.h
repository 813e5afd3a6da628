// UTF-8 judged as it comes (§8.1, RFC 3629 §4): an automaton that knows after each byte whether any text goes on so.
// It decodes nothing, keeps nothing but its state, and does not tell where a wrong byte stood.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wsd::ws {

// Where in a text a stream of bytes stands. A text may end at kUtf8Start alone: every other state is inside a
// character or past a wrong byte. The values are places in a row of kUtf8Rows.
using Utf8State = uint8_t;
constexpr Utf8State kUtf8Start = 0;
constexpr Utf8State kUtf8Invalid = 48;  // a wrong byte was met: absorbing

// For each byte a row of the states it leads to: the one that follows `state` is the six bits at bit `state`.
extern const std::array<uint64_t, 256> kUtf8Rows;

// The state after `p[0, len)`, a byte at a time: for short ranges and the remains of long ones.
inline Utf8State utf8_run(Utf8State state, const uint8_t* p, size_t len) {
    // What stands above the six bits is left there, as a shift looks at no more: one shift a byte is all that waits
    // for the byte before.
    uint64_t wide = state;
#pragma GCC unroll 8
    for (size_t i = 0; i < len; i++) wide = kUtf8Rows[p[i]] >> (wide & 63);
    return Utf8State(wide & 63);
}

// A byte after which a text that began with it stands at `state`: 0 for kUtf8Start, a byte that no text holds for
// kUtf8Invalid. Whoever judges bytes by those before them takes up a text again from this one byte.
extern const std::array<uint8_t, kUtf8Invalid + 1> kUtf8Leads;

// The state after a right text (or piece of one) of three bytes or more, from its last three.
inline Utf8State utf8_state_after(const uint8_t* last_three) {
    if (last_three[2] < 0x80) return kUtf8Start;
    // Continuation bytes in front end a character: had it a byte to come, its first would be among the three.
    size_t skip = 0;
    while (skip < 3 && (last_three[skip] & 0xc0) == 0x80) skip++;
    return utf8_run(kUtf8Start, last_three + skip, 3 - skip);
}

}  // namespace wsd::ws
