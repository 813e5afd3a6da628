// DEFLATE read (RFC 1951): a stream in pieces of any size, as permessage-deflate sends it (RFC 7692 §7.2.2). It never
// allocates, keeps no window (what was decoded before lies in front of the output), and never writes beyond the room
// that it is given. It takes off no header or trailer of another format, and computes no checksum.
#pragma once

#include <array>

#include "base/bytes.h"
#include "deflate/decode_table.h"

namespace wsd::deflate {

// What comes next in the stream.
enum class InflateStep : uint8_t {
    kBlock,        // a block's header, §3.2.3
    kStoredSize,   // §3.2.4
    kStored,       // the bytes of a stored block
    kCodeCounts,   // §3.2.7, its first line
    kCodeLengths,  // the lengths of the code for code lengths
    kLengths,      // the code lengths themselves
    kSymbols,      // literals, and lengths with their distances
    kMatch,        // the rest of a match that the output had no room for
    kDead,         // no valid stream came
};

// Bits taken from the input and not used yet.
struct HeldBits {
    uint64_t bits;   // the next one lowest; zeros above
    uint32_t count;  // 0 to 63
};

// How far the code lengths of a block are read.
struct LengthsRead {
    uint32_t done;        // of all
    uint32_t used_count;  // of these, lengths that are not 0
    uint32_t before;      // the last one, which may be repeated
};

// The state of one stream between two pieces of its input. All fields are the decoder's own; it holds no pointers.
struct Inflater {
    HeldBits held;
    InflateStep step;
    bool last_block;   // the current one says that it is (§3.2.3)
    bool fixed_codes;  // the current block's codes are those of §3.2.6

    uint32_t copy_left;  // bytes of a stored block or of a match still to come
    uint32_t distance;   // of that match

    // The header of a block with codes of its own, as far as it is read.
    uint16_t litlen_count;      // code lengths for literals and lengths, §3.2.7's HLIT + 257
    uint16_t lengths_count;     // all of them, for distances as well
    uint8_t meta_length_count;  // code lengths for the code of code lengths, HCLEN + 4
    LengthsRead lengths;
    std::array<uint16_t, kCodeLenMax + 1> litlen_counts;    // as GivenLengths has them
    std::array<uint16_t, kCodeLenMax + 1> distance_counts;  // these too
    std::array<uint16_t, kLiteralSymbols + kDistanceSymbols>
        used;  // first the literals and lengths, as GivenLengths has it

    uint8_t lengths_width;  // of the table of the code for code lengths
    uint8_t litlen_width;   // of the first table; that of the distances is always as wide as it may be
    std::array<Entry, kLitLenEntries> litlen;
    std::array<Entry, kDistanceEntries> distances;  // first the table of the code for code lengths
};

// The start of a stream. It touches a few words only: the tables are filled when a block needs them.
void inflater_reset(Inflater& inflater);

// Where the decoded bytes go. `p[0, end)` are the newest bytes decoded before, at least `reach` of them if there are as
// many; between calls they may be moved, and the oldest dropped.
struct Output {
    uint8_t* p;      // borrowed; may be null if `room` is 0
    size_t end;      // moved on by inflate()
    size_t room;     // nothing is written beyond; `p[end, room)` may hold anything afterwards
    uint32_t reach;  // the largest distance allowed, 1 << window bits (RFC 7692 §7.1.2)
};

enum class Inflate : uint8_t {
    kNeedInput,  // all of `*in` is used, or held in the state
    kNeedRoom,   // the output is full, and a byte more would follow: never said when what came just fits
    kMalformed,  // no valid stream begins like this; the same for every call until a reset
};

// Decodes from `*in`, which is moved past what was taken. However the input and the room are cut, the same bytes and
// the same verdict come of them. After a last block (BFINAL) the next one begins at the next byte: a sender may end a
// message so (RFC 7692 §7.2.3.4). A distance over `out.reach`, or to before the first byte decoded, is malformed.
[[nodiscard]] Inflate inflate(Inflater& inflater, Bytes* in, Output& out);

// As inflate() with 00 00 ff ff, which a message is sent without (RFC 7692 §7.2.2), where an empty stored block waits
// for nothing else: so most messages end. False: this one does not, and nothing was done.
[[nodiscard]] bool inflate_tail(Inflater& inflater);

// Is the stream between two blocks and at the boundary of a byte, as it is where a message ends (RFC 7692 §7.2.2)?
bool inflate_at_boundary(const Inflater& inflater);

}  // namespace wsd::deflate
