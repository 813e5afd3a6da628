// Two loops over the same symbols. The fast one looks neither at the end of the input nor at that of the output, as it
// stops in time before both. The careful one takes the rest: a symbol is read whole or not at all, so that one that is
// cut needs no state but its bits.
#include "deflate/inflate_symbols.h"

namespace wsd::deflate {
namespace {

struct Tables {
    const Entry* litlen;
    const Entry* distances;
    uint32_t litlen_mask;  // as wide as the first table
};

// The first table of distances is always as wide as it may be, so that its mask is known.
constexpr unsigned kDistanceMask = (1u << kDistanceWidth) - 1;

Tables tables_of(const Inflater& s) {
    if (s.fixed_codes) return {kFixedLitLen.data(), kFixedDistance.data(), (1u << kFixedLitLenWidth) - 1};
    return {s.litlen.data(), s.distances.data(), (1u << s.litlen_width) - 1};
}

// What the extra bits add to the base of `e`, whose code `bits` begins with (§3.2.5).
inline unsigned value_of(Entry e, uint64_t bits) {
    return entry_value(e) + unsigned(low_bits(bits, entry_bits(e)) >> entry_code_bits(e));
}

// The entry that a link leads to; `bits` are those behind the link's.
inline Entry follow(const Entry* table, Entry link, uint64_t bits) {
    return table[entry_value(link) + low_bits(bits, entry_code_bits(link))];
}

// ---------------------------------------------------------------------------------------------------------- matches

constexpr size_t kCopyOverrun = 64;  // a match is copied in words, and may be written so much too far

template <size_t kSize>
inline void copy_word(uint8_t* to, const uint8_t* from) {
    uint8_t word[kSize];
    std::memcpy(word, from, kSize);
    std::memcpy(to, word, kSize);
}

// A match with itself, of a period of less than a word. Copied by bytes until a multiple of the period is as long as a
// word, it goes on in words from there.
void copy_near(uint8_t* to, size_t distance, size_t len) {
    const size_t period = (8 + distance - 1) / distance * distance;
    const size_t start = period - distance;
    for (size_t i = 0; i < start; i++) to[i] = (to - distance)[i];
    for (size_t i = start; i < len; i += 8) copy_word<8>(to + i, to + i - period);
}

inline void copy_match(uint8_t* to, size_t distance, size_t len) {
    const uint8_t* const from = to - distance;
    if (distance >= 16) [[likely]] {
        // Most matches end within these four: a wrong guess at a length costs more than a store.
        copy_word<16>(to, from);
        copy_word<16>(to + 16, from + 16);
        copy_word<16>(to + 32, from + 32);
        copy_word<16>(to + 48, from + 48);
        for (size_t i = 64; i < len; i += 16) copy_word<16>(to + i, from + i);
    } else if (distance >= 8) {
        for (size_t i = 0; i < len; i += 8) copy_word<8>(to + i, from + i);
    } else {
        copy_near(to, distance, len);
    }
}

// ------------------------------------------------------------------------------------------------------ the fast loop

// The state while the loop runs, in registers. A word is loaded behind the bits held, whatever part of it fits: what
// does not is loaded again, as the same bits in the same place.
struct Fast {
    uint64_t bits;
    uint32_t bit_count;  // in its low six bits; what stands above them is of no account
    const uint8_t* in;
    uint8_t* out;
};

// 56 bits or more are held then. Reads 8 bytes, moves on by 7 at most.
inline void refill(Fast& f) {
    f.bits |= load_le64(f.in) << (f.bit_count & 63);
    f.in += 7 - (f.bit_count >> 3 & 7);
    f.bit_count |= 56;
}

// Moves on behind `e`; returns the bits from before.
inline uint64_t skip(Fast& f, Entry e) {
    const uint64_t bits = f.bits;
    f.bits >>= entry_bits(e);
    f.bit_count -= e;
    return bits;
}

// A turn of the loop takes two literals and a match of the longest codes, which is 68 bits; so the last refill reads
// eight bytes from the ninth on.
constexpr size_t kFastInput = 9 + 8;
constexpr size_t kFastRoom = 3 + 258 + kCopyOverrun;

// An entry is looked up before the refill that follows it, so that its load need not wait for that: with 56 bits, a
// literal, a length and a distance without links, and then the place of one entry more.
static_assert(kLitLenWidth + (kLitLenWidth + 5) + (kDistanceWidth + 13) + kLitLenWidth <= 56);
// The same behind a length, or a distance, with a link, after which the bits are filled up.
static_assert((kCodeLenMax - kLitLenWidth + 5) + (kDistanceWidth + 13) + kLitLenWidth <= 56);
static_assert((kCodeLenMax - kDistanceWidth + 13) + kLitLenWidth <= 56);

inline Entry litlen_at(const Fast& f, const Tables& t) { return t.litlen[f.bits & t.litlen_mask]; }

inline void put(Fast& f, Entry literal) { *f.out++ = uint8_t(literal >> 16); }

// Why the loop ended.
enum class Stop : uint8_t { kEdge, kBlockEnd, kMalformed };

__attribute__((noinline)) Stop run_fast(Fast& state, const Tables& tables, const uint8_t* in_last, const Output& out) {
    Fast f = state;
    const Tables t = tables;
    uint8_t* const out_last = out.p + out.room - kFastRoom;
    Stop stop = Stop::kEdge;
    Entry e = litlen_at(f, t);
    while (f.in <= in_last && f.out <= out_last) {
        // Bits are skipped before it is known what they are: if that is guessed wrong, this at least is done.
        uint64_t bits = skip(f, e);
        if (e & kEntryLiteral) {
            put(f, e);
            e = litlen_at(f, t);
            bits = skip(f, e);
            if (e & kEntryLiteral) {
                put(f, e);
                e = litlen_at(f, t);
                refill(f);
                bits = skip(f, e);
            }
        }
        if (e & kEntryLink) [[unlikely]] {
            refill(f);
            e = follow(t.litlen, e, f.bits);
            bits = skip(f, e);
        }
        if (e & kEntryLiteral) {
            put(f, e);
            e = litlen_at(f, t);
            refill(f);
            continue;
        }
        if (e & kEntryOdd) [[unlikely]] {
            stop = e & kEntryEnd ? Stop::kBlockEnd : Stop::kMalformed;
            break;
        }
        const size_t len = value_of(e, bits);
        e = t.distances[f.bits & kDistanceMask];
        bits = skip(f, e);
        if (e & kEntryLink) [[unlikely]] {
            refill(f);
            e = follow(t.distances, e, f.bits);
            bits = skip(f, e);
        }
        const size_t distance = value_of(e, bits);
        if ((e & kEntryOdd) || distance > out.reach || distance > size_t(f.out - out.p)) [[unlikely]] {
            stop = Stop::kMalformed;
            break;
        }
        e = litlen_at(f, t);
        refill(f);
        copy_match(f.out, distance, len);
        f.out += len;
    }
    state = f;
    return stop;
}

// So much is read from a copy at once, as each run of the loop costs a wrong guess at its end.
constexpr size_t kTailMax = 64;
static_assert(kTailMax >= kFastInput - 1);  // all that the loop leaves of a longer piece

// What a run over the copy took was held or in the `len` bytes: it used none of the zeros behind them.
bool only_real(const Fast& f, const uint8_t* copy, size_t len) {
    const size_t taken = size_t(f.in - copy);
    return taken <= len || (f.bit_count & 63) >= 8 * (taken - len);
}

// The last bytes are read from a copy with zeros behind it. Most often the block ends in them, as the message does: so
// the loop runs until all is used that is held. If it found no end by then, some of what it took for bits was not
// there: then the bytes are read again, but only as long as there are two more than the bits held, with which a turn
// finds all of its bits, though it may read further.
Stop run_tail(Fast& f, const Tables& t, const uint8_t* in_end, const Output& out) {
    constexpr size_t kTurn = 2, kHeld = sizeof f.bits;
    const size_t len = size_t(in_end - f.in);
    if (len > kTailMax) return Stop::kEdge;
    uint8_t copy[kTailMax + kHeld + kFastInput];
    std::memcpy(copy, f.in, len);
    std::memset(copy + len, 0, kHeld + kFastInput);
    const Fast before = f;
    f.in = copy;
    Stop stop = run_fast(f, t, copy + len + kHeld, out);
    if (stop != Stop::kBlockEnd || !only_real(f, copy, len)) {
        f = before;
        if (len < kTurn) return Stop::kEdge;
        f.in = copy;
        stop = run_fast(f, t, copy + len - kTurn, out);
    }
    const size_t taken = size_t(f.in - copy);
    const size_t real = taken < len ? taken : len;
    f.bit_count = (f.bit_count & 63) - 8 * unsigned(taken - real);
    f.in = in_end - len + real;
    return stop;
}

Progress read_fast(Inflater& s, const Tables& t, Bytes* in, Output& out) {
    if (out.room - out.end < kFastRoom) return Progress::kGoOn;
    refill(s.held, in);
    if (s.held.count < 56) return Progress::kGoOn;
    Fast f = {s.held.bits, s.held.count, in->p, out.p + out.end};
    const uint8_t* const in_end = in->p + in->len;
    Stop stop = Stop::kEdge;
    if (in->len > kTailMax) stop = run_fast(f, t, in_end - kFastInput, out);
    if (stop == Stop::kEdge) stop = run_tail(f, t, in_end, out);
    s.held.count = f.bit_count & 63;
    s.held.bits = low_bits(f.bits, s.held.count);
    *in = {f.in, size_t(in_end - f.in)};
    out.end = size_t(f.out - out.p);
    if (stop == Stop::kBlockEnd) end_block(s);
    return stop == Stop::kMalformed ? Progress::kMalformed : Progress::kGoOn;
}

// --------------------------------------------------------------------------------------------------- the careful loop

// The entry that `bits` begin with, bits of its link included. It may be of more bits than are held: then it is not the
// right one, but the right one is no shorter than what is held either.
inline Entry peek(const Entry* table, uint32_t mask, uint64_t bits) {
    const Entry e = table[bits & mask];
    if (!(e & kEntryLink)) [[likely]]
        return e;
    const unsigned width = entry_bits(e);
    return follow(table, e, bits >> width) + width * 0x101;
}

// A match, of which `len_entry` is peeked at. Taken is all of it, or nothing.
inline Progress read_match(Inflater& s, HeldBits& held, const Tables& t, Entry len_entry, Output& out) {
    HeldBits behind = held;
    if (entry_bits(len_entry) > behind.count) return Progress::kNeedInput;
    take_bits(behind, entry_bits(len_entry));
    const Entry e = peek(t.distances, kDistanceMask, behind.bits);
    if (entry_code_bits(e) > behind.count) return Progress::kNeedInput;
    if (e & kEntryOdd) return Progress::kMalformed;
    if (entry_bits(e) > behind.count) return Progress::kNeedInput;
    const unsigned len = value_of(len_entry, held.bits), distance = value_of(e, behind.bits);
    take_bits(behind, entry_bits(e));
    held = behind;
    if (len + kCopyOverrun <= out.room - out.end && distance <= out.end && distance <= out.reach) [[likely]] {
        copy_match(out.p + out.end, distance, len);
        out.end += len;
        return Progress::kGoOn;
    }
    s.copy_left = len;
    s.distance = distance;
    s.step = InflateStep::kMatch;
    return finish_match(s, out);
}

// `held` are the state's own, in registers.
inline Progress read_careful(Inflater& s, HeldBits& held, const Tables& t, Bytes* in, Output& out) {
    for (;;) {
        if (held.count < 48) refill(held, in);
        const Entry e = peek(t.litlen, t.litlen_mask, held.bits);
        if (entry_code_bits(e) > held.count) return Progress::kNeedInput;
        if (e & kEntryLiteral) {
            if (out.end == out.room) return Progress::kNeedRoom;
            out.p[out.end++] = uint8_t(e >> 16);
            take_bits(held, entry_bits(e));
        } else if (e & kEntryOdd) {
            if (!(e & kEntryEnd)) return Progress::kMalformed;
            take_bits(held, entry_bits(e));
            s.step = InflateStep::kBlock;
            return Progress::kGoOn;
        } else {
            const Progress progress = read_match(s, held, t, e, out);
            if (progress != Progress::kGoOn) return progress;
        }
    }
}

}  // namespace

Progress finish_match(Inflater& s, Output& out) {
    if (s.distance > out.end || s.distance > out.reach) return Progress::kMalformed;
    const size_t room = out.room - out.end;
    const size_t len = s.copy_left < room ? s.copy_left : room;
    uint8_t* const to = out.p + out.end;
    for (size_t i = 0; i < len; i++) to[i] = (to - s.distance)[i];
    out.end += len;
    s.copy_left -= uint32_t(len);
    if (s.copy_left > 0) return Progress::kNeedRoom;
    s.step = InflateStep::kSymbols;
    return Progress::kGoOn;
}

Progress read_symbols(Inflater& s, Bytes* in, Output& out) {
    const Tables tables = tables_of(s);
    Progress progress = read_fast(s, tables, in, out);
    if (progress != Progress::kGoOn || s.step != InflateStep::kSymbols) return progress;
    HeldBits held = s.held;
    Bytes rest = *in;
    progress = read_careful(s, held, tables, &rest, out);
    s.held = held;
    *in = rest;
    if (s.step == InflateStep::kBlock) end_block(s);
    return progress;
}

}  // namespace wsd::deflate
