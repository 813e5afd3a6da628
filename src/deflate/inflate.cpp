// The headers of blocks (RFC 1951 §3.2.3 to §3.2.7), and stored ones. Each step takes what it needs all at once or
// waits for more of it: where a stream is cut, the state is the step and the bits held.
#include "deflate/inflate.h"

#include <cstring>

#include "base/assert.h"
#include "deflate/inflate_symbols.h"

namespace wsd::deflate {
namespace {

// Are `count` bits held now?
bool want_bits(Inflater& s, Bytes* in, unsigned count) {
    if (s.held.count < count) refill(s.held, in);
    return s.held.count >= count;
}

size_t least(size_t a, size_t b) { return a < b ? a : b; }

Progress read_stored(Inflater& s, Bytes* in, Output& out) {
    // First what is held already, in whole bytes.
    for (; s.copy_left > 0 && s.held.count > 0 && out.end < out.room; s.copy_left--) {
        out.p[out.end++] = uint8_t(take_bits(s.held, 8));
    }
    const size_t len = s.held.count > 0 ? 0 : least(s.copy_left, least(in->len, out.room - out.end));
    if (len > 0) {
        std::memcpy(out.p + out.end, in->p, len);
        out.end += len;
        *in = drop(*in, len);
        s.copy_left -= uint32_t(len);
    }
    if (s.copy_left > 0) return s.held.count > 0 || in->len > 0 ? Progress::kNeedRoom : Progress::kNeedInput;
    end_block(s);
    return Progress::kGoOn;
}

Progress read_stored_size(Inflater& s, Bytes* in, Output& out) {
    if (!want_bits(s, in, 32)) return Progress::kNeedInput;
    const unsigned both = take_bits(s.held, 32), size = both & 0xffff;
    if (both >> 16 != (size ^ 0xffff)) return Progress::kMalformed;
    s.copy_left = size;
    s.step = InflateStep::kStored;
    return read_stored(s, in, out);
}

// Builds the tables of a block whose code lengths are all there; false if they are none of codes.
bool build_tables(Inflater& s) {
    const std::span<const uint16_t> used = {s.used.data(), s.lengths.used_count};
    size_t litlens = 0;
    for (unsigned bits = 1; bits <= kCodeLenMax; bits++) litlens += s.litlen_counts[bits];
    const GivenLengths litlen = {s.litlen_counts, used.first(litlens)};
    const GivenLengths distance = {s.distance_counts, used.subspan(litlens)};
    // The end of the block has a code (§3.2.7), so there is one that means something.
    while (litlens > 0 && used[litlens - 1] >> 4 > kEndOfBlock) litlens--;
    if (litlens == 0 || used[litlens - 1] >> 4 != kEndOfBlock) return false;
    if (code_shape(litlen) == CodeShape::kBroken || code_shape(distance) == CodeShape::kBroken) {
        return false;
    }
    s.litlen_width = uint8_t(build_table(litlen, kLitLenMeanings.data(), kLitLenWidth, s.litlen));
    const unsigned width = build_table(distance, kDistanceMeanings.data(), kDistanceWidth, s.distances);
    widen_table(s.distances, width, kDistanceWidth);
    return true;
}

// Notes `bits` as the next code length; 0: that symbol has no code.
inline void add_length(Inflater& s, LengthsRead& at, unsigned bits) {
    const bool litlen = at.done < s.litlen_count;
    (litlen ? s.litlen_counts : s.distance_counts)[bits]++;
    s.used[at.used_count] = uint16_t((litlen ? at.done : at.done - s.litlen_count) << 4 | bits);
    at.used_count += bits > 0;
    at.done++;
}

// What a symbol that is no length says (§3.2.7): false if there is nothing to repeat, or no room for it.
inline bool repeat_length(Inflater& s, LengthsRead& at, unsigned symbol, unsigned extra) {
    const unsigned times = extra + (symbol == kManyZeros ? 11 : 3);
    if (at.done + times > s.lengths_count) return false;
    if (symbol != kRepeat) {
        at.before = 0;
        at.done += times;
        return true;
    }
    if (at.done == 0) return false;
    for (unsigned i = 0; i < times; i++) add_length(s, at, at.before);
    return true;
}

Progress read_lengths(Inflater& s, Bytes* in, Output& out) {
    const unsigned mask = (1u << s.lengths_width) - 1;
    HeldBits held = s.held;
    LengthsRead at = s.lengths;
    while (at.done < s.lengths_count) {
        if (held.count < kLengthsWidth + 7) refill(held, in);
        const Entry e = s.distances[held.bits & mask];
        if (entry_bits(e) > held.count) break;
        const unsigned symbol = entry_value(e);
        take_bits(held, entry_code_bits(e));
        if (symbol < kRepeat) {
            at.before = symbol;
            add_length(s, at, symbol);
        } else if (!repeat_length(s, at, symbol, take_bits(held, entry_bits(e) - entry_code_bits(e)))) {
            return Progress::kMalformed;
        }
    }
    s.lengths = at;
    s.held = held;
    if (at.done < s.lengths_count) return Progress::kNeedInput;
    if (!build_tables(s)) return Progress::kMalformed;
    s.fixed_codes = false;
    s.step = InflateStep::kSymbols;
    return read_symbols(s, in, out);
}

// Until they are all there, `used` holds the length of each symbol.
Progress read_code_lengths(Inflater& s, Bytes* in, Output& out) {
    while (s.lengths.done < s.meta_length_count) {
        if (!want_bits(s, in, 3)) return Progress::kNeedInput;
        s.used[kRunOrder[s.lengths.done++]] = uint16_t(take_bits(s.held, 3));
    }
    GivenLengths code = {};
    size_t used_count = 0;
    for (unsigned symbol = 0; symbol < kRunSymbols; symbol++) {
        const unsigned bits = s.used[symbol];
        if (bits == 0) continue;
        code.counts[bits]++;
        s.used[used_count++] = uint16_t(symbol << 4 | bits);
    }
    code.used = {s.used.data(), used_count};
    // Without any code all lengths would be none, that of the end of the block as well.
    if (code_shape(code) != CodeShape::kComplete) return Progress::kMalformed;
    s.lengths_width = uint8_t(build_table(code, kLengthsMeanings.data(), kLengthsWidth, s.distances));
    s.lengths = {};
    s.litlen_counts = {};
    s.distance_counts = {};
    s.step = InflateStep::kLengths;
    return read_lengths(s, in, out);
}

Progress read_code_counts(Inflater& s, Bytes* in, Output& out) {
    if (!want_bits(s, in, 14)) return Progress::kNeedInput;
    const unsigned counts = take_bits(s.held, 14);
    const unsigned litlens = (counts & 31) + kEndOfBlock + 1, distances = (counts >> 5 & 31) + 1;
    if (litlens > kLiteralSymbols || distances > kDistanceSymbols) return Progress::kMalformed;
    s.litlen_count = uint16_t(litlens);
    s.lengths_count = uint16_t(litlens + distances);
    s.meta_length_count = uint8_t((counts >> 10) + 4);
    s.lengths = {};
    for (unsigned symbol = 0; symbol < kRunSymbols; symbol++) s.used[symbol] = 0;
    s.step = InflateStep::kCodeLengths;
    return read_code_lengths(s, in, out);
}

Progress read_block(Inflater& s, Bytes* in, Output& out) {
    if (!want_bits(s, in, 3)) return Progress::kNeedInput;
    const unsigned header = take_bits(s.held, 3), type = header >> 1;
    s.last_block = header & 1;
    if (type == 3) return Progress::kMalformed;
    if (type == 0) {
        take_bits(s.held, s.held.count & 7);
        s.step = InflateStep::kStoredSize;
        return read_stored_size(s, in, out);
    }
    if (type == 1) {
        s.fixed_codes = true;
        s.step = InflateStep::kSymbols;
        return read_symbols(s, in, out);
    }
    s.step = InflateStep::kCodeCounts;
    return read_code_counts(s, in, out);
}

// Each step leads to the next by itself, for as long as there is input: most often there is.
Progress take_step(Inflater& s, Bytes* in, Output& out) {
    switch (s.step) {
        case InflateStep::kBlock: return read_block(s, in, out);
        case InflateStep::kStoredSize: return read_stored_size(s, in, out);
        case InflateStep::kStored: return read_stored(s, in, out);
        case InflateStep::kCodeCounts: return read_code_counts(s, in, out);
        case InflateStep::kCodeLengths: return read_code_lengths(s, in, out);
        case InflateStep::kLengths: return read_lengths(s, in, out);
        case InflateStep::kSymbols: return read_symbols(s, in, out);
        case InflateStep::kMatch: return finish_match(s, out);
        case InflateStep::kDead: return Progress::kMalformed;
    }
    return Progress::kMalformed;
}

}  // namespace

void inflater_reset(Inflater& s) {
    s.held = {};
    s.step = InflateStep::kBlock;
    s.last_block = false;
}

Inflate inflate(Inflater& s, Bytes* in, Output& out) {
    WSD_ASSERT(out.end <= out.room);
    for (;;) {
        switch (take_step(s, in, out)) {
            case Progress::kGoOn: break;
            case Progress::kNeedInput: return Inflate::kNeedInput;
            case Progress::kNeedRoom: return Inflate::kNeedRoom;
            case Progress::kMalformed: s.step = InflateStep::kDead; return Inflate::kMalformed;
        }
    }
}

bool inflate_tail(Inflater& s) {
    if (s.step != InflateStep::kStoredSize || s.held.count > 0) return false;
    end_block(s);
    return true;
}

bool inflate_at_boundary(const Inflater& s) { return s.step == InflateStep::kBlock && s.held.count == 0; }

}  // namespace wsd::deflate
