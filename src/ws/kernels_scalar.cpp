// The kernels that run everywhere: eight bytes at a time while they are ASCII, else the automaton. They also take what
// is too short for vectors, which is most of what people send: a message of 20 bytes should cost a few words.
#include <cstring>

#include "ws/kernels_impl.h"

namespace wsd::ws::scalar {

namespace {

// A word of `mask`, in memory order like it.
template <class Word>
Word repeat(uint32_t mask) {
    return Word(mask) * Word(0x1'0000'0001);
}

template <class Word>
Word load(const uint8_t* p) {
    Word word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

template <class Word>
void store(uint8_t* p, Word word) {
    std::memcpy(p, &word, sizeof word);
}

// A range that is only looked at, and one that is unmasked on the way: what follows is the same for both.
struct Plain {
    const uint8_t* p;

    uint64_t peek(size_t at) const { return load<uint64_t>(p + at); }
    uint64_t take(size_t at) const { return load<uint64_t>(p + at); }
    void put(size_t, uint64_t) const {}
};
struct Masked {
    uint8_t* p;
    uint32_t mask;

    // The word at `at` unmasked, without storing it.
    uint64_t peek(size_t at) const { return load<uint64_t>(p + at) ^ repeat<uint64_t>(rotate_mask(mask, at)); }
    // Unmasks the word at `at`, a multiple of 4.
    uint64_t take(size_t at) const {
        const uint64_t word = load<uint64_t>(p + at) ^ repeat<uint64_t>(mask);
        store(p + at, word);
        return word;
    }
    void put(size_t at, uint64_t word) const { store(p + at, word); }
};

bool ascii(uint64_t word) { return (word & 0x8080'8080'8080'8080) == 0; }

// Needs eight bytes. The last word mostly overlaps the one before it; it is loaded first, while the bytes before it
// are still as they came, and stored last.
template <class Range>
Utf8State judge(Range range, size_t len, Utf8State state) {
    const size_t last = len - 8;
    const uint64_t tail = range.peek(last);
    size_t at = 0;
    for (; at < last; at += 8) {
        const bool skip = ascii(range.take(at)) && state == kUtf8Start;
        if (!skip) state = utf8_run(state, range.p + at, 8);
    }
    range.put(last, tail);
    // What is ASCII as a whole is so after `at` too, where the word may have been judged in part.
    if (ascii(tail) && state == kUtf8Start) return state;
    return utf8_run(state, range.p + at, len - at);
}

// Up to seven bytes: two words of half the size that overlap, or one by one.
void unmask_few(uint8_t* p, size_t len, uint32_t mask) {
    if (len >= 4) {
        const uint32_t first = load<uint32_t>(p) ^ mask;
        const uint32_t last = load<uint32_t>(p + len - 4) ^ rotate_mask(mask, len);  // len - 4 is len to a mask
        store(p, first);
        store(p + len - 4, last);
        return;
    }
    uint8_t key[4];
    store(key, mask);
    for (size_t i = 0; i < len; i++) p[i] ^= key[i];
}

}  // namespace

void unmask(uint8_t* p, size_t len, uint32_t mask) {
    if (len < 8) return unmask_few(p, len, mask);
    const Masked range{p, mask};
    const size_t last = len - 8;
    const uint64_t tail = range.peek(last);  // as in judge()
    for (size_t at = 0; at < last; at += 8) range.take(at);
    range.put(last, tail);
}

Utf8State utf8(const uint8_t* p, size_t len, Utf8State state) {
    if (len < 8) return utf8_run(state, p, len);
    return judge(Plain{p}, len, state);
}

Utf8State unmask_utf8(uint8_t* p, size_t len, uint32_t mask, Utf8State state) {
    if (len < 8) {
        unmask_few(p, len, mask);
        return utf8_run(state, p, len);
    }
    return judge(Masked{p, mask}, len, state);
}

}  // namespace wsd::ws::scalar
