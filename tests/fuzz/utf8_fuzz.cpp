// Any bytes as text. The automaton stands where arithmetic on code points says after every byte; every kernel gives the
// automaton's verdict, from any state it can be in, at once and in any chopping; what was masked comes out plain; no
// byte outside the range is touched (every range lies between two pages nobody may read).
#include <cstdlib>
#include <cstring>
#include <vector>

#include "support/guard_page.h"
#include "support/plain_utf8.h"
#include "ws/kernels.h"

using namespace wsd::ws;

namespace {

constexpr size_t kInputMax = 4096;  // also a page: such a text touches both guards

void require(bool condition) {
    if (!condition) std::abort();
}

const std::vector<const Kernels*> kRunnable = [] {
    std::vector<const Kernels*> runnable;
    for (const Kernels& k : kernels_all()) {
        if (kernels_find(k.name)) runnable.push_back(&k);
    }
    return runnable;
}();

// The states after each byte, the first being the one before all.
std::vector<Utf8State> states_of(const std::vector<uint8_t>& text) {
    const test::PlainUtf8 plain = test::plain_utf8(text.data(), text.size());
    std::vector<Utf8State> states{kUtf8Start};
    for (size_t i = 0; i < text.size(); i++) {
        states.push_back(utf8_run(states.back(), &text[i], 1));
        require((states.back() == kUtf8Invalid) == (i >= plain.wrong_at));
    }
    require((states.back() == kUtf8Start) == plain.whole);
    require(utf8_run(kUtf8Start, text.data(), text.size()) == states.back());
    return states;
}

// Judges `p[0, text.size())`, a copy of `text`, in pieces whose sizes follow from `seed`, masked and plain.
void chop(const Kernels& k, uint8_t* p, const std::vector<uint8_t>& text, const std::vector<Utf8State>& states,
          uint32_t mask, uint32_t seed) {
    const uint32_t span = 2 + (seed >> 16) % 200;  // pieces of nothing come up too
    k.unmask(p, text.size(), mask);
    uint32_t rotated = mask;
    for (size_t at = 0; at < text.size();) {
        seed = seed * 1664525 + 1013904223;
        size_t len = (seed >> 8) % span;
        if (len > text.size() - at) len = text.size() - at;
        require(k.unmask_utf8(p + at, len, rotated, states[at]) == states[at + len]);
        require(k.utf8(p + at, len, states[at]) == states[at + len]);
        rotated = rotate_mask(rotated, len);
        at += len;
    }
    require(text.empty() || std::memcmp(p, text.data(), text.size()) == 0);
}

void whole(const Kernels& k, uint8_t* p, const std::vector<uint8_t>& text, Utf8State state, uint32_t mask) {
    require(k.utf8(p, text.size(), kUtf8Start) == state);
    k.unmask(p, text.size(), mask);
    uint8_t key[4];
    std::memcpy(key, &mask, sizeof key);
    for (size_t i = 0; i < text.size(); i++) require(p[i] == (text[i] ^ key[i % 4]));
    require(k.unmask_utf8(p, text.size(), mask, kUtf8Start) == state);
    require(text.empty() || std::memcmp(p, text.data(), text.size()) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static test::GuardPage page(kInputMax);
    uint32_t mask = 0, seed = 0;
    if (size < sizeof mask + sizeof seed) return 0;
    std::memcpy(&mask, data, sizeof mask);
    std::memcpy(&seed, data + sizeof mask, sizeof seed);
    data += sizeof mask + sizeof seed;
    size -= sizeof mask + sizeof seed;
    const std::vector<uint8_t> text(data, data + (size < kInputMax ? size : kInputMax));
    const std::vector<Utf8State> states = states_of(text);
    for (const Kernels* k : kRunnable) {
        whole(*k, page.before_end(text.data(), text.size()), text, states.back(), mask);
        whole(*k, page.after_start(text.data(), text.size()), text, states.back(), mask);
        chop(*k, page.before_end(text.data(), text.size()), text, states, mask, seed);
    }
    return 0;
}
