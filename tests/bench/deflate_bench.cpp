// What compressing JSON costs and gains, against zlib (1 against its level 1, 2 against its level 6): messages that
// stand alone, and a stream of them with takeover. Prints for each "alone/1/1024  2210 ns  zlib 11900 ns  5.38 x
// 392 B  zlib 399 B  98.3 %", times and sizes being of one message.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "deflate/deflate.h"
#include "support/bench.h"
#include "support/json_messages.h"

using namespace wsd;
using namespace wsd::deflate;

namespace {

using Messages = std::vector<std::string>;

constexpr size_t kSizes[] = {100, 1024, 16384, size_t(1) << 20};
constexpr uint8_t kWindowBits = 15;
constexpr int kRounds = 15;

Bytes bytes_of(const std::string& s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

// zlib as servers use it: raw, one stream for all messages, started anew for each that stands alone.
class Zlib {
  public:
    explicit Zlib(Level level) {
        if (deflateInit2(&z_, level == Level::kFast ? 1 : 6, Z_DEFLATED, -kWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
            std::abort();
        }
    }
    ~Zlib() { deflateEnd(&z_); }
    Zlib(const Zlib&) = delete;
    Zlib& operator=(const Zlib&) = delete;

    void reset() { deflateReset(&z_); }
    size_t message(Bytes in, uint8_t* out, size_t room) {
        z_.next_in = const_cast<Bytef*>(in.p);
        z_.avail_in = uInt(in.len);
        z_.next_out = out;
        z_.avail_out = uInt(room);
        if (::deflate(&z_, Z_SYNC_FLUSH) != Z_OK || z_.avail_out == 0) std::abort();
        return room - z_.avail_out - 4;
    }

  private:
    z_stream z_ = {};
};

struct Result {
    double ns;
    double bytes;
};

template <class Run>
double round_ns(const Run& run) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const size_t total = run();
    test::keep(&total);
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// Both compress a message and return its size. They take turns, so that what slows one slows the other, too.
template <class Ours, class Theirs>
std::array<Result, 2> compare(const Messages& messages, const Ours& ours, const Theirs& theirs) {
    const double count = double(messages.size());
    const auto all = [&](const auto& one) {
        size_t total = 0;
        for (const std::string& m : messages) total += one(bytes_of(m));
        return total;
    };
    std::array<Result, 2> results = {Result{1e18, double(all(ours)) / count},
                                     Result{1e18, double(all(theirs)) / count}};
    for (int round = 0; round < kRounds; round++) {
        results[0].ns = std::min(results[0].ns, round_ns([&] { return all(ours); }) / count);
        results[1].ns = std::min(results[1].ns, round_ns([&] { return all(theirs); }) / count);
    }
    return results;
}

void print(const char* how, Level level, size_t size, const std::array<Result, 2>& results) {
    const auto& [ours, zlib] = results;
    std::printf("%s/%u/%zu  %.0f ns  zlib %.0f ns  %.2f x  %.1f B  zlib %.1f B  %.2f %%\n", how, unsigned(level), size,
                ours.ns, zlib.ns, zlib.ns / ours.ns, ours.bytes, zlib.bytes, 100 * ours.bytes / zlib.bytes);
}

void bench(const Messages& messages, size_t size, Level level) {
    const Params params{level, kWindowBits};
    const auto encoder = std::make_unique<Encoder>();
    encoder_init(*encoder);
    std::vector<uint8_t> out(deflate_bound(2 * size + 1024));
    Zlib zlib(level);
    const auto ours_alone = [&](Bytes in) {
        return deflate_alone(*encoder, params, in, End::kMessage, out.data(), out.size());
    };
    const auto zlib_alone = [&](Bytes in) {
        zlib.reset();
        return zlib.message(in, out.data(), out.size());
    };
    print("alone", level, size, compare(messages, ours_alone, zlib_alone));

    std::vector<uint64_t> room(context_size(params) / sizeof(uint64_t) + 1);
    Context& context = *context_init(room.data(), params);
    zlib.reset();
    const auto ours_with = [&](Bytes in) {
        return deflate_with(*encoder, context, in, End::kMessage, out.data(), out.size());
    };
    const auto zlib_with = [&](Bytes in) { return zlib.message(in, out.data(), out.size()); };
    print("takeover", level, size, compare(messages, ours_with, zlib_with));
}

}  // namespace

int main() {
    for (const Level level : {Level::kFast, Level::kBalanced}) {
        std::printf("level %u: a context of 15 bits is %zu bytes, the encoder %zu\n", unsigned(level),
                    context_size({level, kWindowBits}), sizeof(Encoder));
        for (const size_t size : kSizes) {
            // Enough for none to be learnt by heart by the branch predictor; a stream longer than any window.
            const size_t count = size >= kSizes[3] ? 1 : (size_t(1) << 20) / size;
            bench(test::json_messages(count, size), size, level);
        }
    }
}
