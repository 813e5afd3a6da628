#include "ws/utf8.h"

namespace wsd::ws {

namespace {

enum : Utf8State {
    kOneMore = 6,  // any continuation byte, then the character is whole
    kTwoMore = 12,
    kThreeMore = 18,
    kAfterE0 = 24,  // these four take only a part of the continuation bytes next
    kAfterEd = 30,
    kAfterF0 = 36,
    kAfterF4 = 42,
};
static_assert(kUtf8Invalid + 6 <= 64, "nine states of six bits fill a row");

struct Move {
    Utf8State from;
    uint8_t first, last;  // bytes
    Utf8State to;
};

// RFC 3629 §4, line by line; what does not stand here is wrong.
constexpr Move kMoves[] = {
    {kUtf8Start, 0x00, 0x7f, kUtf8Start},  // U+0000 to U+007F
    {kUtf8Start, 0xc2, 0xdf, kOneMore},    // U+0080 to U+07FF; c0 and c1 could only begin what one byte says
    {kUtf8Start, 0xe0, 0xe0, kAfterE0},    // U+0800 to U+0FFF
    {kUtf8Start, 0xe1, 0xec, kTwoMore},    // U+1000 to U+CFFF
    {kUtf8Start, 0xed, 0xed, kAfterEd},    // U+D000 to U+D7FF
    {kUtf8Start, 0xee, 0xef, kTwoMore},    // U+E000 to U+FFFF
    {kUtf8Start, 0xf0, 0xf0, kAfterF0},    // U+10000 to U+3FFFF
    {kUtf8Start, 0xf1, 0xf3, kThreeMore},  // U+40000 to U+FFFFF
    {kUtf8Start, 0xf4, 0xf4, kAfterF4},    // U+100000 to U+10FFFF; f5 and above would all be past it
    {kOneMore, 0x80, 0xbf, kUtf8Start},    // the last byte
    {kTwoMore, 0x80, 0xbf, kOneMore},      // the last but one
    {kThreeMore, 0x80, 0xbf, kTwoMore},    // the second of four
    {kAfterE0, 0xa0, 0xbf, kOneMore},      // below, two bytes would do
    {kAfterEd, 0x80, 0x9f, kOneMore},      // above are the surrogates
    {kAfterF0, 0x90, 0xbf, kTwoMore},      // below, three bytes would do
    {kAfterF4, 0x80, 0x8f, kTwoMore},      // above is past U+10FFFF
};

constexpr std::array<uint64_t, 256> make_rows() {
    std::array<uint64_t, 256> rows{};
    for (uint64_t& row : rows) {
        for (unsigned state = 0; state <= kUtf8Invalid; state += 6) row |= uint64_t(kUtf8Invalid) << state;
    }
    for (const Move& move : kMoves) {
        for (unsigned byte = move.first; byte <= move.last; byte++) {
            rows[byte] &= ~(uint64_t(63) << move.from);
            rows[byte] |= uint64_t(move.to) << move.from;
        }
    }
    return rows;
}

constexpr std::array<uint8_t, kUtf8Invalid + 1> make_leads() {
    std::array<uint8_t, kUtf8Invalid + 1> leads{};
    for (const Move& move : kMoves) {
        if (move.from == kUtf8Start && move.to != kUtf8Start) leads[move.to] = move.first;
    }
    leads[kUtf8Invalid] = 0xff;
    return leads;
}

}  // namespace

constinit const std::array<uint64_t, 256> kUtf8Rows = make_rows();
constinit const std::array<uint8_t, kUtf8Invalid + 1> kUtf8Leads = make_leads();

}  // namespace wsd::ws
