#include "ws/utf8.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/hex.h"
#include "support/plain_utf8.h"

using namespace wsd::ws;

namespace {

using Text = std::vector<uint8_t>;

// After each byte of `p[0, len)`: is the automaton where arithmetic says?
bool agrees(const uint8_t* p, size_t len) {
    Utf8State state = kUtf8Start;
    for (size_t n = 1; n <= len; n++) {
        state = utf8_run(state, p + n - 1, 1);
        const test::PlainUtf8 plain = test::plain_utf8(p, n);
        if ((state == kUtf8Invalid) != (plain.wrong_at < n)) return false;
        if ((state == kUtf8Start) != plain.whole) return false;
    }
    return utf8_run(kUtf8Start, p, len) == state;
}

Text encode(uint32_t code) {
    if (code < 0x80) return {uint8_t(code)};
    if (code < 0x800) return {uint8_t(0xc0 | code >> 6), uint8_t(0x80 | (code & 63))};
    const uint8_t last = uint8_t(0x80 | (code & 63)), middle = uint8_t(0x80 | (code >> 6 & 63));
    if (code < 0x10000) return {uint8_t(0xe0 | code >> 12), middle, last};
    return {uint8_t(0xf0 | code >> 18), uint8_t(0x80 | (code >> 12 & 63)), middle, last};
}

constexpr size_t kNone = SIZE_MAX;

struct Row {
    const char* what;
    const char* bytes;
    size_t wrong_at;  // kNone: nothing is wrong
    bool whole;
};

const Row kRows[] = {
    {"nothing", "", kNone, true},
    {"Greek", "ce ba e1 bd b9 cf 83 ce bc ce b5", kNone, true},
    {"NUL is a character", "00", kNone, true},
    {"least of one byte and greatest", "00 7f", kNone, true},
    {"least of two bytes and greatest", "c2 80 df bf", kNone, true},
    {"least of three bytes and greatest", "e0 a0 80 ef bf bf", kNone, true},
    {"least of four bytes and greatest", "f0 90 80 80 f4 8f bf bf", kNone, true},
    {"before and after the surrogates", "ed 9f bf ee 80 80", kNone, true},
    {"not characters, but code points", "ef bf be ef bf bf f0 9f bf be", kNone, true},
    {"a byte order mark is text", "ef bb bf", kNone, true},
    {"two bytes, one to come", "41 c3", kNone, false},
    {"three bytes, two to come", "41 e2", kNone, false},
    {"three bytes, one to come", "41 e2 82", kNone, false},
    {"four bytes, three to come", "41 f0", kNone, false},
    {"four bytes, two to come", "41 f0 9f", kNone, false},
    {"four bytes, one to come", "41 f0 9f 98", kNone, false},
    {"nothing begun", "80", 0, false},
    {"nothing begun, the last that continues", "bf", 0, false},
    {"nothing begun after a character", "c3 a9 a9", 2, false},
    {"a fourth after three", "e2 82 ac ac", 3, false},
    {"a fifth after four", "f0 9f 98 80 80", 4, false},
    {"ASCII where one is to come", "c3 28", 1, false},
    {"ASCII where two are to come", "e2 28 a1", 1, false},
    {"ASCII where the third is to come", "e2 82 28", 2, false},
    {"ASCII where the fourth is to come", "f0 9f 98 28", 3, false},
    {"a character where one is to come", "c3 c3 a9", 1, false},
    {"a character where the third is to come", "e2 82 c3 a9", 2, false},
    {"a slash in two bytes", "c0 af", 0, false},
    {"c1", "c1 bf", 0, false},
    {"a slash in three bytes", "e0 80 af", 1, false},
    {"a slash in four bytes", "f0 80 80 af", 1, false},
    {"greatest that two bytes would say, in three", "e0 9f bf", 1, false},
    {"greatest that three bytes would say, in four", "f0 8f bf bf", 1, false},
    {"first surrogate", "ed a0 80", 1, false},
    {"last surrogate", "ed bf bf", 1, false},
    {"a pair of surrogates", "ed a1 8c ed be b4", 1, false},
    {"U+110000", "f4 90 80 80", 1, false},
    {"f5", "f5 80 80 80", 0, false},
    {"five bytes", "f8 88 80 80 80", 0, false},
    {"six bytes", "fc 84 80 80 80 80", 0, false},
    {"fe", "fe", 0, false},
    {"ff", "ff", 0, false},
    {"the byte order mark of UTF-16", "ff fe 41 00", 0, false},
};

// In every way a character's third and fourth byte can be right or wrong.
constexpr uint8_t kFollowers[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xe1, 0xff};

}  // namespace

TEST_CASE("text is refused at the first byte that continues no text, and may end between characters alone") {
    for (const Row& row : kRows) {
        CAPTURE(row.what);
        const Text text = test::hex(row.bytes);
        Utf8State state = kUtf8Start;
        size_t wrong_at = kNone;
        for (size_t i = 0; i < text.size(); i++) {
            state = utf8_run(state, &text[i], 1);
            if (state == kUtf8Invalid && wrong_at == kNone) wrong_at = i;
        }
        CHECK(wrong_at == row.wrong_at);
        CHECK((state == kUtf8Start) == row.whole);
        CHECK(agrees(text.data(), text.size()));
    }
}

TEST_CASE("the automaton stands where arithmetic on code points says, after every byte") {
    long wrong = 0;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            for (const uint8_t c : kFollowers) {
                for (const uint8_t d : kFollowers) {
                    const uint8_t text[] = {uint8_t(a), uint8_t(b), c, d};
                    wrong += !agrees(text, sizeof text);
                }
            }
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("every code point is text, and every surrogate is refused at its second byte") {
    long wrong = 0;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        const Text text = encode(code);
        const bool surrogate = code >= 0xd800 && code <= 0xdfff;
        const Utf8State second = utf8_run(kUtf8Start, text.data(), text.size() < 2 ? text.size() : 2);
        wrong += utf8_run(kUtf8Start, text.data(), text.size()) != (surrogate ? kUtf8Invalid : kUtf8Start);
        wrong += (second == kUtf8Invalid) != surrogate;
    }
    CHECK(wrong == 0);
}

TEST_CASE("a wrong byte is never forgotten") {
    for (int byte = 0; byte < 256; byte++) {
        const uint8_t one = uint8_t(byte);
        CHECK(utf8_run(kUtf8Invalid, &one, 1) == kUtf8Invalid);
    }
}

TEST_CASE("each state has a byte that leads to it") {
    for (int lead = 0; lead < 256; lead++) {
        const uint8_t first = uint8_t(lead);
        const Utf8State state = utf8_run(kUtf8Start, &first, 1);
        CAPTURE(lead);
        CHECK(utf8_run(kUtf8Start, &kUtf8Leads[state], 1) == state);
        for (int next = 0; next < 256; next++) {  // the states inside a character
            const uint8_t second = uint8_t(next);
            const Utf8State inside = utf8_run(state, &second, 1);
            REQUIRE(utf8_run(kUtf8Start, &kUtf8Leads[inside], 1) == inside);
        }
    }
}

TEST_CASE("the state after right text follows from its last three bytes") {
    const Text text =
        test::hex("61 62 63 c3 a9 e2 82 ac f0 9f 98 80 64 c3 a9 65 f4 8f bf bf ed 9f bf e0 a0 80 66 67 f0");
    for (size_t len = 3; len <= text.size(); len++) {
        CAPTURE(len);
        CHECK(utf8_state_after(&text[len - 3]) == utf8_run(kUtf8Start, text.data(), len));
    }
}
