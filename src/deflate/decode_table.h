// Prefix codes as tables (RFC 1951 §3.2.2), for reading them: the next bits of a stream, taken as a number, are the
// place of what they mean. A table is as wide as the longest code, up to a limit; longer codes go on in tables behind
// it. It reads no stream, and says nothing about what a symbol does but its base and its extra bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "deflate/tables.h"

namespace wsd::deflate {

// What the next bits mean, in one word, so that one load tells all there is to know:
//   bits 0..5    how many bits to move on: the code's own, and the extra bits that follow them
//   bits 8..13   how many of these are the code's own; for kEntryLink, the width of the table that it leads to
//   bits 14..15  the kind
//   bits 16..30  the literal; the base of the length or distance; the place of the table that kEntryLink leads to
//   bit 31       a literal
using Entry = uint32_t;
constexpr Entry kEntryLiteral = 1u << 31;
constexpr Entry kEntryOdd = 1u << 15;   // no literal, length or distance: one of the next two, or else no code at all
constexpr Entry kEntryLink = 1u << 14;  // a code that goes on in another table
constexpr Entry kEntryEnd = 1u << 16;   // if odd and no link: the end of the block

constexpr unsigned entry_bits(Entry e) { return e & 63; }
constexpr unsigned entry_code_bits(Entry e) { return e >> 8 & 63; }
constexpr unsigned entry_value(Entry e) { return e >> 16; }  // of anything but a literal

// The widest first tables. A wider one finds more codes at once, but takes longer to build.
constexpr unsigned kLitLenWidth = 10;
constexpr unsigned kDistanceWidth = 8;
constexpr unsigned kLengthsWidth = kRunLenMax;

// Entries enough for every code over 286 or 30 symbols with those widths, found by search over all shapes of codes.
constexpr size_t kLitLenEntries = 1332;
constexpr size_t kDistanceEntries = 400;
constexpr size_t kLengthsEntries = size_t(1) << kLengthsWidth;

// A code, from its code lengths: only the symbols that have one, in their order, as symbol << 4 | length.
struct GivenLengths {
    std::array<uint16_t, kCodeLenMax + 1> counts;  // of the symbols of each length; the first is not looked at
    std::span<const uint16_t> used;
};

enum class CodeShape : uint8_t {
    kComplete,  // every sequence of bits is a code
    kEmpty,     // there is no code
    kSingle,    // one code of one bit: the other bit means nothing
    kBroken,    // anything else: some bits mean two things or, with more than one code, nothing
};
CodeShape code_shape(const GivenLengths& code);

// Fills `table` and returns the width of its first part. `code` is not broken; `meanings` has for each symbol the entry
// of a code of no bits; `table` has the entries that suffice for the symbols and `width_max`.
unsigned build_table(const GivenLengths& code, const Entry* meanings, unsigned width_max, std::span<Entry> table);

// Makes a table of `width`, in which no code is longer, as wide as `wanted`, if it is not.
void widen_table(std::span<Entry> table, unsigned width, unsigned wanted);

extern const std::array<Entry, kFixedLiteralSymbols> kLitLenMeanings;
extern const std::array<Entry, kFixedDistanceSymbols> kDistanceMeanings;
extern const std::array<Entry, kRunSymbols> kLengthsMeanings;  // the value is the symbol itself

// The codes of every block with fixed codes (§3.2.6); that of the distances is wider than it must be.
constexpr unsigned kFixedLitLenWidth = 9;
extern const std::array<Entry, size_t(1) << kFixedLitLenWidth> kFixedLitLen;
extern const std::array<Entry, size_t(1) << kDistanceWidth> kFixedDistance;

}  // namespace wsd::deflate
