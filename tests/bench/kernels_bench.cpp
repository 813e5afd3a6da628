// What unmasking and judging text cost, for every kernel that runs here. Prints "unmask/avx2/1024  23.1 ns/op
// 44.4 GB/s". "ascii" is plain ASCII, "mixed" is text of two- and three-byte characters with spaces between the words.
#include <cstdio>
#include <cstring>
#include <string>

#include "support/bench.h"
#include "ws/kernels.h"

using namespace wsd::ws;

namespace {

constexpr size_t kSizes[] = {16, 20, 125, 1024, 16384, 65536};
constexpr uint32_t kMask = 0x3d21fa37;

alignas(64) uint8_t buffer[65536 + 64];

// Where a payload of `len` bytes lies when its frame begins at an aligned address: behind its header (§5.2).
uint8_t* payload(size_t len) {
    const size_t length_bytes = len < 126 ? 0 : len < 65536 ? 2 : 8;
    return buffer + 2 + length_bytes + 4;
}

// `unit` over and over, cut at the last whole character that fits and filled up with spaces.
void fill(uint8_t* p, size_t len, const std::string& unit) {
    size_t at = 0;
    for (; at + unit.size() <= len; at += unit.size()) std::memcpy(p + at, unit.data(), unit.size());
    for (size_t n = unit.size(); n > 0; n--) {
        const bool boundary = n == unit.size() || (uint8_t(unit[n]) & 0xc0) != 0x80;
        if (!boundary || at + n > len) continue;
        std::memcpy(p + at, unit.data(), n);
        at += n;
        break;
    }
    std::memset(p + at, ' ', len - at);
}

template <class Run>
void bench(const char* what, const char* kernel, size_t len, const Run& run) {
    const double ns = test::best_ns((size_t(16) << 20) / (len + 64), run);
    std::printf("%s/%s/%zu  %.1f ns/op  %.1f GB/s\n", what, kernel, len, ns, double(len) / ns);
}

void bench_text(const Kernels& k, const char* text, const std::string& unit) {
    const std::string utf8 = std::string("utf8_") + text, both = std::string("unmask_utf8_") + text;
    for (const size_t len : kSizes) {
        uint8_t* const p = payload(len);
        fill(p, len, unit);
        bench(utf8.c_str(), k.name, len, [&] {
            const Utf8State state = k.utf8(p, len, kUtf8Start);
            test::keep(&state);
        });
        // A mask of zeros costs what any costs, and leaves the text as it is for the next run.
        bench(both.c_str(), k.name, len, [&] {
            const Utf8State state = k.unmask_utf8(p, len, 0, kUtf8Start);
            test::keep(&state);
        });
        if (k.utf8(p, len, kUtf8Start) != kUtf8Start) std::printf("the text is wrong\n");
    }
}

}  // namespace

int main() {
    for (const Kernels& k : kernels_all()) {
        if (kernels_find(k.name) == nullptr) continue;
        for (const size_t len : kSizes) {
            uint8_t* const p = payload(len);
            bench("unmask", k.name, len, [&] {
                k.unmask(p, len, kMask);
                test::keep(p);
            });
        }
        bench_text(k, "ascii", "The quick brown fox jumps over the lazy dog. ");
        bench_text(k, "mixed", "Привет 世界 ελληνικά 日本語のテキスト ");
    }
}
