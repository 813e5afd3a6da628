// The loops over payload bytes: unmasking (§5.3) and UTF-8 validation (§8.1), each alone and both in one pass.
// One table, fastest first, of implementations for one kind of CPU each; the last runs everywhere.
// No kernel reads or writes a byte outside the range it is given, and none keeps anything between calls.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ws/utf8.h"

namespace wsd::ws {

struct Kernels {
    const char* name;
    uint32_t needs;  // base/cpu.h features that must all be present

    // XORs byte i of `p[0, len)` with byte i % 4 of `mask` in memory order.
    void (*unmask)(uint8_t* p, size_t len, uint32_t mask);

    // The state after `p[0, len)`: kUtf8Invalid if a byte of it cannot continue any text, be it the last.
    Utf8State (*utf8)(const uint8_t* p, size_t len, Utf8State state);

    // unmask, then utf8, touching each byte once. All of the range is unmasked, whatever the answer.
    Utf8State (*unmask_utf8)(uint8_t* p, size_t len, uint32_t mask, Utf8State state);
};

// The mask for what follows `consumed` bytes of a payload that began under `mask`, in memory order as before.
constexpr uint32_t rotate_mask(uint32_t mask, uint64_t consumed) {
    const int bits = int(consumed % 4 * 8);
    return std::endian::native == std::endian::little ? std::rotr(mask, bits) : std::rotl(mask, bits);
}

// All that this build has, fastest first, whether or not this CPU can run them; the last is "scalar".
std::span<const Kernels> kernels_all();

// The first that runs on this CPU or, where `name` is not null, the one of that name if it can run here;
// null if it cannot or does not exist.
const Kernels* kernels_find(const char* name);

}  // namespace wsd::ws
