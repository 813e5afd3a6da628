// Bits into bytes, lowest first (RFC 1951 §3.1.1). The writer holds up to 63 bits and lets whole bytes go when told to.
#pragma once

#include "base/bytes.h"

namespace wsd::deflate {

struct BitWriter {
    uint64_t bits = 0;   // not yet written, the next one lowest
    unsigned count = 0;  // of them; at most 7 after bits_flush
    uint8_t* out;        // where the next byte goes
    uint8_t* end;        // behind the room

    BitWriter(uint8_t* room, size_t size) : out(room), end(room + size) {}
};

// Bits that may yet be written.
inline uint64_t bits_room(const BitWriter& w) { return uint64_t(w.end - w.out) * 8 - w.count; }

// `value` < 1 << `count`; at most 63 bits may gather between two flushes.
inline void bits_put(BitWriter& w, uint64_t value, unsigned count) {
    w.bits |= value << w.count;
    w.count += count;
}

// A code's bits are first bit lowest, so that they are written as any number is.
struct Code {
    uint16_t bits;
    uint16_t len;
};

inline void code_put(BitWriter& w, Code code) { bits_put(w, code.bits, code.len); }

// Writes the whole bytes, for which there is room: that is the caller's to know. Where there is room for a word, a word
// is stored, and what stood behind the bytes in it is lost.
inline void bits_flush(BitWriter& w) {
    if (w.end - w.out >= 8) [[likely]] {
        store_le64(w.out, w.bits);
        w.out += w.count >> 3;
        w.bits >>= w.count & ~7u;
        w.count &= 7;
        return;
    }
    for (; w.count >= 8; w.count -= 8) {
        *w.out++ = uint8_t(w.bits);
        w.bits >>= 8;
    }
}

// Zero bits up to the next byte, which is written.
inline void bits_align(BitWriter& w) {
    w.count = (w.count + 7) & ~7u;
    bits_flush(w);
}

}  // namespace wsd::deflate
