#include "ws/kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "support/guard_page.h"
#include "support/hex.h"

using namespace wsd::ws;

namespace {

using Text = std::vector<uint8_t>;

constexpr size_t kLenMax = 300;  // over four vectors of the widest
constexpr uint32_t kMasks[] = {0x3d21fa37, 0x000000ff, 0xff000000, 0x80808080, 0};
const Utf8State kStates[] = {0, 6, 12, 18, 24, 30, 36, 42, kUtf8Invalid};

std::vector<const Kernels*> runnable() {
    std::vector<const Kernels*> all;
    for (const Kernels& k : kernels_all()) {
        if (kernels_find(k.name)) all.push_back(&k);
    }
    return all;
}

// §5.3 as it is written: octet i of the payload with octet i modulo 4 of the key.
Text xored(const Text& text, uint32_t mask) {
    uint8_t key[4];
    std::memcpy(key, &mask, sizeof key);
    Text out = text;
    for (size_t i = 0; i < out.size(); i++) out[i] ^= key[i % 4];
    return out;
}

Text repeated(const Text& unit, size_t len) {
    Text text(len);
    for (size_t i = 0; i < len; i++) text[i] = unit[i % unit.size()];
    return text;
}

// Texts right, wrong and in between; all long enough to be cut at any length up to kLenMax.
const std::vector<Text>& texts() {
    static const std::vector<Text> all = [] {
        std::vector<Text> out;
        const char* const units[] = {
            "41",
            "c3 a9",
            "e2 82 ac",
            "f0 9f 98 80",
            "41 c3 a9 e2 82 ac f0 9f 98 80 42",
            "ed 9f bf f4 8f bf bf e0 a0 80",
            "80",
            "e2 82",
        };
        for (const char* unit : units) out.push_back(repeated(test::hex(unit), kLenMax));
        Text islands(kLenMax, 'a');  // ASCII with a character now and then, to go in and out of the short cut
        for (size_t i = 0; i + 3 < kLenMax; i += 37) std::copy_n(test::hex("e2 82 ac").begin(), 3, &islands[i]);
        out.push_back(islands);
        Text noise(kLenMax);
        uint32_t random = 1;
        for (uint8_t& byte : noise) byte = uint8_t((random = random * 1664525 + 1013904223) >> 24);
        out.push_back(noise);
        return out;
    }();
    return all;
}

// Both ways to judge `text` give `want`, and what was masked is plain again.
bool judges(const Kernels& k, uint8_t* p, const Text& text, uint32_t mask, Utf8State state, Utf8State want) {
    const size_t len = text.size();
    if (k.utf8(p, len, state) != want || !std::equal(text.begin(), text.end(), p)) return false;
    const Text masked = xored(text, mask);
    std::copy(masked.begin(), masked.end(), p);
    return k.unmask_utf8(p, len, mask, state) == want && std::equal(text.begin(), text.end(), p);
}

}  // namespace

TEST_CASE("kernels are found by name where they run, else the fastest that runs; scalar always does") {
    const std::vector<const Kernels*> all = runnable();
    REQUIRE(!all.empty());
    CHECK(kernels_find(nullptr) == all.front());
    for (const Kernels* k : all) CHECK(kernels_find(k->name) == k);
    CHECK(kernels_find("scalar") == &kernels_all().back());
    for (const char* name : {"", "Scalar", "scalar ", "avx", "fastest"}) CHECK(kernels_find(name) == nullptr);
    std::set<std::string> names;
    for (const Kernels& k : kernels_all()) CHECK(names.insert(k.name).second);
}

TEST_CASE("unmasking is the exclusive or of each byte with its byte of the mask, and of no other byte") {
    test::GuardPage page(kLenMax);
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (size_t len = 0; len <= kLenMax; len++) {
            const Text text(texts().back().begin(), texts().back().begin() + len);
            for (const uint32_t mask : kMasks) {
                const Text want = xored(text, mask);
                uint8_t* const last = page.before_end(text.data(), len);
                k->unmask(last, len, mask);
                const bool right_before_end = std::equal(want.begin(), want.end(), last);
                uint8_t* const first = page.after_start(text.data(), len);
                k->unmask(first, len, mask);
                if (right_before_end && std::equal(want.begin(), want.end(), first)) continue;
                CAPTURE(len);
                CAPTURE(mask);
                FAIL_CHECK("unmasked wrongly");
            }
        }
    }
}

TEST_CASE("unmasking leaves the bytes on both sides as they were, at any alignment") {
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (size_t offset = 0; offset < 64; offset++) {
            for (size_t len = 0; len <= 140; len++) {
                const Text inside(len, 0x55);
                alignas(64) uint8_t bytes[256];
                std::memset(bytes, 0x55, sizeof bytes);
                k->unmask(bytes + offset, len, kMasks[0]);
                const Text want = xored(inside, kMasks[0]);
                bool right = std::equal(want.begin(), want.end(), bytes + offset);
                for (size_t i = 0; i < sizeof bytes; i++) {
                    if (i < offset || i >= offset + len) right = right && bytes[i] == 0x55;
                }
                if (right) continue;
                CAPTURE(offset);
                CAPTURE(len);
                FAIL_CHECK("a byte outside was changed, or one inside was not");
            }
        }
    }
}

TEST_CASE("a payload unmasked in pieces, under the mask rotated for each, is the payload unmasked at once") {
    const Text& text = texts().back();
    const Text want = xored(text, kMasks[0]);
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (size_t piece = 1; piece <= 140; piece++) {
            CAPTURE(piece);
            Text bytes = text;
            uint32_t mask = kMasks[0];
            for (size_t at = 0; at < bytes.size(); at += piece) {
                const size_t len = std::min(piece, bytes.size() - at);
                k->unmask(&bytes[at], len, mask);
                mask = rotate_mask(mask, len);
            }
            CHECK(bytes == want);
        }
    }
    CHECK(rotate_mask(kMasks[0], 0) == kMasks[0]);
    CHECK(rotate_mask(kMasks[0], uint64_t(1) << 40) == kMasks[0]);
    CHECK(rotate_mask(rotate_mask(kMasks[0], 3), UINT64_MAX - 2) == kMasks[0]);  // 3 + 1 more of 4
}

TEST_CASE("every kernel judges as the automaton does, at every length, from every state, against both guards") {
    test::GuardPage page(kLenMax);
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (size_t which = 0; which < texts().size(); which++) {
            for (size_t len = 0; len <= kLenMax; len++) {
                const Text text(texts()[which].begin(), texts()[which].begin() + len);
                const uint32_t mask = kMasks[len % std::size(kMasks)];
                for (const Utf8State state : kStates) {
                    const Utf8State want = utf8_run(state, text.data(), len);
                    const bool right = judges(*k, page.before_end(text.data(), len), text, mask, state, want) &&
                                       judges(*k, page.after_start(text.data(), len), text, mask, state, want);
                    if (right) continue;
                    CAPTURE(which);
                    CAPTURE(len);
                    CAPTURE(int(state));
                    FAIL_CHECK("another verdict than the automaton's");
                }
            }
        }
    }
}

TEST_CASE("a text cut in two anywhere, or into single bytes, is judged as it is at once") {
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (size_t which = 0; which < texts().size(); which++) {
            CAPTURE(which);
            const Text& text = texts()[which];
            const Text masked = xored(text, kMasks[0]);
            const Utf8State want = utf8_run(kUtf8Start, text.data(), text.size());
            Utf8State single = kUtf8Start;
            for (size_t i = 0; i < text.size(); i++) single = k->utf8(&text[i], 1, single);
            CHECK(single == want);
            for (size_t cut = 0; cut <= text.size(); cut++) {
                Text bytes = masked;
                Utf8State state = k->unmask_utf8(bytes.data(), cut, kMasks[0], kUtf8Start);
                state = k->unmask_utf8(bytes.data() + cut, text.size() - cut, rotate_mask(kMasks[0], cut), state);
                if (state == want && bytes == text) continue;
                CAPTURE(cut);
                FAIL_CHECK("the cut changed the verdict or the bytes");
            }
        }
    }
}

TEST_CASE("a wrong byte is refused where it stands, even as the last, and not before") {
    // Each ends with its first wrong byte.
    const char* const kEndings[] = {
        "80",    "bf",    "c0",    "c1",       "f5",       "ff",       "c3 41",       "c3 c3",       "e0 80",
        "e0 9f", "ed a0", "ed bf", "e2 82 41", "e2 82 e2", "f0 80",    "f0 8f",       "f4 90",       "f4 bf",
        "e2 41", "f0 41", "f1 c0", "f0 9f 41", "f0 9f ff", "f4 8f c0", "f0 9f 98 41", "f0 9f 98 f0", "f0 9f 98 80 80",
    };
    test::GuardPage page(kLenMax);
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (const char* ending : kEndings) {
            for (const char* filling : {"61", "c3 a9", "e2 82 ac", "f0 9f 98 80"}) {
                const Text unit = test::hex(filling), bytes = test::hex(ending);
                for (size_t front = 0; front + bytes.size() <= kLenMax - 100; front += unit.size()) {
                    Text text = repeated(unit, front);
                    text.insert(text.end(), bytes.begin(), bytes.end());
                    uint8_t* const p = page.before_end(text.data(), text.size());
                    const Utf8State before = k->utf8(p, text.size() - 1, kUtf8Start);
                    const bool right = before != kUtf8Invalid &&
                                       judges(*k, p, text, kMasks[0], kUtf8Start, kUtf8Invalid) &&
                                       k->utf8(p + text.size() - 1, 1, before) == kUtf8Invalid;
                    if (right) continue;
                    CAPTURE(ending);
                    CAPTURE(filling);
                    CAPTURE(front);
                    FAIL_CHECK("refused too early or too late");
                }
            }
        }
    }
}

TEST_CASE("a character broken off is refused, though its rest comes after any length of ASCII") {
    test::GuardPage page(kLenMax);
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (const char* begun : {"c3", "e2 82", "f0 9f 98"}) {
            for (size_t front = 0; front < 9; front++) {
                for (size_t gap = 1; gap < 160; gap++) {
                    Text text(front, 'a');
                    const Text character = test::hex(begun);
                    text.insert(text.end(), character.begin(), character.end());
                    text.insert(text.end(), gap, 'b');
                    text.push_back(0x80);
                    text.insert(text.end(), 32, 'c');
                    uint8_t* const p = page.before_end(text.data(), text.size());
                    if (judges(*k, p, text, kMasks[0], kUtf8Start, kUtf8Invalid)) continue;
                    CAPTURE(begun);
                    CAPTURE(front);
                    CAPTURE(gap);
                    FAIL_CHECK("taken for a character");
                }
            }
        }
    }
}

TEST_CASE("a wrong byte is not forgotten, however much right text follows") {
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (size_t at = 0; at < kLenMax; at++) {
            Text text = repeated(test::hex("61 c3 a9"), kLenMax);
            text[at] = 0xff;
            CAPTURE(at);
            CHECK(judges(*k, text.data(), Text(text), kMasks[0], kUtf8Start, kUtf8Invalid));
        }
    }
}

TEST_CASE("a long range gives the same wherever it begins, from every state, and leaves what lies around it") {
    constexpr size_t kEdge = 64;  // no alignment asks for more
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        for (size_t offset = 0; offset < kEdge; offset++) {
            for (const size_t len : {2047, 2048, 2049, 2200}) {
                CAPTURE(offset);
                CAPTURE(len);
                const uint32_t mask = kMasks[offset % std::size(kMasks)];
                const Text binary = repeated(texts().back(), len);
                Text room(offset + len + kEdge, 0x55);
                std::copy(binary.begin(), binary.end(), room.begin() + offset);
                k->unmask(room.data() + offset, len, mask);
                Text want(offset + len + kEdge, 0x55);
                const Text unmasked = xored(binary, mask);
                std::copy(unmasked.begin(), unmasked.end(), want.begin() + offset);
                CHECK((room == want));

                const auto judges_there = [&](const Text& text, Utf8State state, Utf8State end) {
                    std::copy(text.begin(), text.end(), room.begin() + offset);
                    return judges(*k, room.data() + offset, text, mask, state, end);
                };
                // From the middle of a character, and with a wrong byte on both sides of where the alignment begins.
                const Text text = repeated(test::hex("e2 82 ac c3 a9 61"), len);
                for (size_t cut = 0; cut < 3; cut++) {
                    const Text rest(text.begin() + cut, text.end());
                    const Utf8State state = utf8_run(kUtf8Start, text.data(), cut);
                    const Utf8State end = utf8_run(state, rest.data(), rest.size());
                    CHECK(judges_there(rest, state, end));
                    CHECK(judges_there(rest, kUtf8Invalid, kUtf8Invalid));
                }
                for (size_t wrong = 0; wrong <= kEdge + 4; wrong++) {
                    Text broken = text;
                    broken[wrong] = 0xff;
                    CHECK(judges_there(broken, kUtf8Start, kUtf8Invalid));
                }
            }
        }
    }
}

TEST_CASE("all one- to four-byte beginnings are judged alike on both sides of every block's end") {
    // A mask of zeros, so that the text stays as it is and only the four bytes have to be written anew.
    constexpr uint8_t kFollowers[] = {0x7f, 0x80, 0xbf, 0xc2};
    constexpr size_t kOffsets[] = {0, 1, 5, 12, 13, 14, 15, 28, 29, 30, 31, 60, 61, 62, 63, 64, 124, 126};
    for (const Kernels* k : runnable()) {
        CAPTURE(k->name);
        Text text(160, 'a');
        long wrong = 0;
        const auto judge = [&](size_t offset, const uint8_t(&four)[4]) {
            const Utf8State ends = utf8_run(kUtf8Start, four, 4);
            const Utf8State follows = utf8_run(ends, text.data() + 150, 10);
            std::memcpy(&text[offset], four, 4);
            wrong += k->utf8(text.data(), offset + 4, kUtf8Start) != ends;
            wrong += k->unmask_utf8(text.data(), text.size(), 0, kUtf8Start) != follows;
            std::memset(&text[offset], 'a', 4);
        };
        for (int lead = 0x7f; lead < 256; lead++) {
            for (int second = 0; second < 256; second++) {
                // Every pair at every place, with four of the sixteen pairs that may follow, all of them in turn.
                for (size_t turn = 0; turn < 4 * std::size(kOffsets); turn++) {
                    const uint8_t third = kFollowers[turn % 4], fourth = kFollowers[(turn / 4 + size_t(second)) % 4];
                    judge(kOffsets[turn % std::size(kOffsets)], {uint8_t(lead), uint8_t(second), third, fourth});
                }
            }
        }
        CHECK(wrong == 0);
    }
}
