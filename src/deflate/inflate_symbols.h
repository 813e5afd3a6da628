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

// As load_le64, of one to seven bytes: from both ends, the two parts overlapping, as any loop over them would be
// guessed wrong at its end.
inline uint64_t load_few(const uint8_t* p, size_t len) {
    if (len >= 4) return load_le32(p) | uint64_t(load_le32(p + len - 4)) << 8 * (len - 4);
    return p[0] | unsigned(p[len / 2]) << 8 * (len / 2) | unsigned(p[len - 1]) << 8 * (len - 1);
}

inline uint64_t low_bits(uint64_t word, unsigned count) { return word & ((uint64_t(1) << count) - 1); }  // `count` < 64

// Fills up to 56 bits at least, or with all that is left of the input.
inline void refill(HeldBits& held, Bytes* in) {
    if (in->len == 0) return;
    held.bits |= (in->len >= 8 ? load_le64(in->p) : load_few(in->p, in->len)) << held.count;
    const size_t fits = (63 - held.count) / 8;
    const size_t taken = in->len < fits ? in->len : fits;
    *in = drop(*in, taken);
    held.count += 8 * unsigned(taken);
    held.bits = low_bits(held.bits, held.count);
}

// Takes `count` bits of those held, less than 64.
inline unsigned take_bits(HeldBits& held, unsigned count) {
    const unsigned taken = unsigned(low_bits(held.bits, count));
    held.bits >>= count;
    held.count -= count;
    return taken;
}

// The block that was read is over.
inline void end_block(Inflater& inflater) {
    inflater.step = InflateStep::kBlock;
    if (inflater.last_block) take_bits(inflater.held, inflater.held.count & 7);
}

}  // namespace wsd::deflate
