// What unmasking and judging text cost, for every kernel that runs here. Prints "unmask/avx2/1024  23.1 ns/op
// 44.4 GB/s". "ascii" is plain ASCII, "mixed" is text of two- and three-byte characters with spaces between the words.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "support/bench.h"
#include "ws/kernels.h"

using namespace wsd::ws;

namespace {

constexpr size_t kSizes[] = {16, 20, 125, 1024, 16384, 65536};
constexpr size_t kHeaderMax = 14;

alignas(64) uint8_t buffer[65536 + 128];

// Payloads of one length, taken in turn: bytes that were stored a moment ago in other words than they are now loaded in
// would make the load wait, which no payload does that the kernel has received. Each lies where it would if its frame
// began at an aligned address, behind its header (§5.2), and all of them fit in the first cache.
class Payloads {
  public:
    explicit Payloads(size_t len)
        : first_(buffer + 2 +
                 (len < 126     ? 0
                  : len < 65536 ? 2
                                : 8) +
                 4),
          stride_((kHeaderMax + len + 63) / 64 * 64),
          count_(stride_ < 16384 ? 16384 / stride_ : 1) {}

    size_t count() const { return count_; }
    uint8_t* next() {
        i_ = i_ + 1 < count_ ? i_ + 1 : 0;
        return first_ + i_ * stride_;
    }

  private:
    uint8_t* first_;
    size_t stride_;
    size_t count_;
    size_t i_ = 0;
};

// `len` bytes of `unit` over and over; where its last piece would end inside a character, spaces.
std::string text_of(const std::string& unit, size_t len) {
    std::string text;
    while (text.size() <= len) text += unit;
    size_t end = len;
    while ((uint8_t(text[end]) & 0xc0) == 0x80) end--;
    text.resize(end);
    text.resize(len, ' ');
    return text;
}

template <class Run>
void bench(const std::string& what, const char* kernel, size_t len, const Run& run) {
    const double ns = test::best_ns((size_t(16) << 20) / (len + 64), run);
    std::printf("%s/%s/%zu  %.1f ns/op  %.1f GB/s\n", what.c_str(), kernel, len, ns, double(len) / ns);
}

void bench_unmask(const Kernels& k, size_t len) {
    Payloads payloads(len);
    bench("unmask", k.name, len, [&] {
        uint8_t* const p = payloads.next();
        k.unmask(p, len, 0x3d21fa37);
        test::keep(p);
    });
}

void bench_text(const Kernels& k, size_t len, const char* name, const std::string& unit) {
    const std::string text = text_of(unit, len);
    Payloads payloads(len);
    for (size_t i = 0; i < payloads.count(); i++) {
        uint8_t* const p = payloads.next();
        std::memcpy(p, text.data(), len);
        if (k.utf8(p, len, kUtf8Start) != kUtf8Start) std::abort();
    }
    bench(std::string("utf8_") + name, k.name, len, [&] {
        const Utf8State state = k.utf8(payloads.next(), len, kUtf8Start);
        test::keep(&state);
    });
    // A mask of zeros costs what any costs, and leaves the text as it is for the next turn.
    bench(std::string("unmask_utf8_") + name, k.name, len, [&] {
        const Utf8State state = k.unmask_utf8(payloads.next(), len, 0, kUtf8Start);
        test::keep(&state);
    });
}

}  // namespace

int main() {
    for (const Kernels& k : kernels_all()) {
        if (kernels_find(k.name) == nullptr) continue;
        for (const size_t len : kSizes) bench_unmask(k, len);
        for (const size_t len : kSizes) bench_text(k, len, "ascii", "The quick brown fox jumps over the lazy dog. ");
        for (const size_t len : kSizes) bench_text(k, len, "mixed", "Привет 世界 ελληνικά 日本語のテキスト ");
    }
}
