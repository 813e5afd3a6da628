// What inflating costs, beside zlib, on JSON messages that zlib deflated at level 6. Prints "inflate/alone/1024
// 2105 ns/message  zlib 4210  2.00x". "alone": each message a stream of its own; "takeover": one stream for all of
// them (RFC 7692 §7.1.1), with the window that this needs kept.
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "deflate/inflate.h"
#include "support/bench.h"
#include "support/json_messages.h"

using namespace wsd::deflate;
using wsd::Bytes;

namespace {

constexpr size_t kWindow = 32768;
constexpr uint8_t kTail[] = {0, 0, 0xff, 0xff};  // RFC 7692 §7.2.1

void require(bool condition) {
    if (!condition) std::abort();
}

// Messages, and what they are on the wire: a flush ends each, without its last four bytes.
struct Corpus {
    std::vector<std::string> texts;
    std::vector<std::string> wires;
    size_t largest = 0;
    bool takeover;
};

Corpus corpus_of(size_t bytes, bool takeover) {
    const size_t count = std::clamp<size_t>((size_t(1) << 20) / bytes, 3, 1000);
    Corpus corpus = {test::json_messages(count, bytes), {}, 0, takeover};
    z_stream z = {};
    require(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    for (const std::string& text : corpus.texts) {
        if (!takeover) require(deflateReset(&z) == Z_OK);
        std::string wire(2 * text.size() + 64, 0);
        z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        z.avail_in = uInt(text.size());
        z.next_out = reinterpret_cast<Bytef*>(wire.data());
        z.avail_out = uInt(wire.size());
        require(::deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0 && z.avail_out > 0);
        wire.resize(wire.size() - z.avail_out - sizeof kTail);
        corpus.wires.push_back(wire);
        corpus.largest = std::max(corpus.largest, text.size());
    }
    deflateEnd(&z);
    return corpus;
}

// Both inflate one message after the other and give what came of it; `restart` begins a stream.
class Zlib {
  public:
    explicit Zlib(const Corpus& corpus) : room_(corpus.largest + 512) { require(inflateInit2(&z_, -15) == Z_OK); }
    ~Zlib() { inflateEnd(&z_); }
    Zlib(const Zlib&) = delete;
    Zlib& operator=(const Zlib&) = delete;

    void restart() { (void)inflateReset(&z_); }
    Bytes message(const std::string& wire) {
        z_.next_out = room_.data();
        z_.avail_out = uInt(room_.size());
        z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(wire.data()));
        z_.avail_in = uInt(wire.size());
        (void)::inflate(&z_, Z_SYNC_FLUSH);
        z_.next_in = const_cast<uint8_t*>(kTail);
        z_.avail_in = sizeof kTail;
        (void)::inflate(&z_, Z_SYNC_FLUSH);
        return {room_.data(), room_.size() - z_.avail_out};
    }

  private:
    z_stream z_ = {};
    std::vector<uint8_t> room_;
};

// With takeover the window goes back to the front when the room behind it gets short; as often as it would for a buffer
// of two windows, or for each message if those are large.
class Ours {
  public:
    explicit Ours(const Corpus& corpus)
        : largest_(corpus.largest + 512), room_(kWindow + std::max(kWindow, corpus.largest + 512)) {}

    void restart() {
        inflater_reset(inflater_);
        end_ = 0;
    }
    Bytes message(const std::string& wire) {
        if (room_.size() - end_ < largest_) {
            std::memmove(room_.data(), room_.data() + end_ - kWindow, kWindow);
            end_ = kWindow;
        }
        const size_t start = end_;
        Output out = {room_.data(), end_, room_.size(), kWindow};
        Bytes in = {reinterpret_cast<const uint8_t*>(wire.data()), wire.size()};
        (void)wsd::deflate::inflate(inflater_, &in, out);
        require(inflate_tail(inflater_));
        end_ = out.end;
        return {room_.data() + start, end_ - start};
    }

  private:
    Inflater inflater_ = {};
    size_t largest_;
    std::vector<uint8_t> room_;
    size_t end_ = 0;
};

template <class Decoder, class Each>
void all(const Corpus& corpus, Decoder& decoder, const Each& each) {
    decoder.restart();
    for (size_t i = 0; i < corpus.wires.size(); i++) {
        if (!corpus.takeover) decoder.restart();
        each(i, decoder.message(corpus.wires[i]));
    }
}

template <class Decoder>
void check(const Corpus& corpus, Decoder& decoder) {
    all(corpus, decoder, [&](size_t i, Bytes got) {
        require(got.len == corpus.texts[i].size() && std::memcmp(got.p, corpus.texts[i].data(), got.len) == 0);
    });
}

// Nanoseconds for a message of the corpus.
template <class Decoder>
double round_ns(const Corpus& corpus, Decoder& decoder) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    all(corpus, decoder, [](size_t, Bytes got) { test::keep(got.p); });
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / double(corpus.wires.size());
}

void bench(size_t bytes, bool takeover) {
    const Corpus corpus = corpus_of(bytes, takeover);
    Zlib zlib(corpus);
    Ours ours(corpus);
    check(corpus, zlib);
    check(corpus, ours);
    size_t total = 0;
    for (const std::string& text : corpus.texts) total += text.size();
    const size_t rounds = 15 + (size_t(64) << 20) / total;
    double theirs_ns = 1e18, ours_ns = 1e18;
    // They take turns, so that what slows one slows the other, too.
    for (size_t round = 0; round < rounds; round++) {
        theirs_ns = std::min(theirs_ns, round_ns(corpus, zlib));
        ours_ns = std::min(ours_ns, round_ns(corpus, ours));
    }
    std::printf("inflate/%s/%zu  %.0f ns/message  zlib %.0f  %.2fx\n", takeover ? "takeover" : "alone", bytes, ours_ns,
                theirs_ns, theirs_ns / ours_ns);
}

}  // namespace

int main() {
    for (const bool takeover : {false, true}) {
        for (const size_t bytes : {100, 1024, 16384, 1 << 20}) bench(bytes, takeover);
    }
}
