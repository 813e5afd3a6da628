// The inside of a compressed block: literals, and matches with what came before (RFC 1951 §3.2.3). Headers and tables
// are not its business: it finds them in the state.
#pragma once

#include "deflate/inflate.h"

namespace wsd::deflate {

// What a step comes to.
enum class Progress : uint8_t { kGoOn, kNeedInput, kNeedRoom, kMalformed };

// Literals and matches up to the end of the block or of what there is; for `step` kSymbols and then kMatch.
[[nodiscard]] Progress read_symbols(Inflater& inflater, Bytes* in, Output& out);
[[nodiscard]] Progress finish_match(Inflater& inflater, Output& out);

// The block that was read is over.
inline void end_block(Inflater& inflater) {
    inflater.step = InflateStep::kBlock;
    if (!inflater.last_block) return;
    inflater.bits >>= inflater.bit_count & 7;
    inflater.bit_count &= ~7u;
}

inline uint64_t low_bits(uint64_t word, unsigned count) { return word & ((uint64_t(1) << count) - 1); }  // `count` < 64

// Fills up the bits held to 56 at least, or with all that is left of the input.
inline void refill(Inflater& inflater, Bytes* in) {
    if (in->len >= 8) {
        inflater.bits |= load_le64(in->p) << inflater.bit_count;
        const unsigned taken = (63 - inflater.bit_count) / 8;
        *in = drop(*in, taken);
        inflater.bit_count += 8 * taken;
        inflater.bits = low_bits(inflater.bits, inflater.bit_count);
        return;
    }
    for (; in->len > 0 && inflater.bit_count < 56; *in = drop(*in, 1)) {
        inflater.bits |= uint64_t(*in->p) << inflater.bit_count;
        inflater.bit_count += 8;
    }
}

// Takes `count` of the bits held, less than 64.
inline unsigned take_bits(Inflater& inflater, unsigned count) {
    const unsigned taken = unsigned(low_bits(inflater.bits, count));
    inflater.bits >>= count;
    inflater.bit_count -= count;
    return taken;
}

}  // namespace wsd::deflate
