// What inflating costs, beside zlib, on JSON messages that zlib deflated at level 6. Prints "inflate/alone/1024
// 2105 ns/message  zlib 4210  2.00x". "alone": each message a stream of its own; "takeover": one stream for all of
// them (RFC 7692 §7.1.1), with the window that this needs kept.
#include <zlib.h>

#include <algorithm>
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

// Nanoseconds for a message of the corpus, all of them in turn: `decode(wire)` gives what came of one, and `restart()`
// begins the stream.
template <class Restart, class Decode>
double ns_of(const Corpus& corpus, const Restart& restart, const Decode& decode) {
    const auto all = [&](const auto& each) {
        restart();
        for (size_t i = 0; i < corpus.wires.size(); i++) {
            if (!corpus.takeover) restart();
            each(i, decode(corpus.wires[i]));
        }
    };
    all([&](size_t i, Bytes got) {
        require(got.len == corpus.texts[i].size() && std::memcmp(got.p, corpus.texts[i].data(), got.len) == 0);
    });
    size_t total = 0;
    for (const std::string& text : corpus.texts) total += text.size();
    const size_t runs = 1 + (size_t(8) << 20) / total;
    return test::best_ns(runs, [&] { all([](size_t, Bytes got) { test::keep(got.p); }); }) /
           double(corpus.wires.size());
}

double zlib_ns(const Corpus& corpus) {
    z_stream z = {};
    require(inflateInit2(&z, -15) == Z_OK);
    std::vector<uint8_t> room(corpus.largest + 512);
    const double ns = ns_of(
        corpus, [&] { (void)inflateReset(&z); },
        [&](const std::string& wire) {
            z.next_out = room.data();
            z.avail_out = uInt(room.size());
            z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(wire.data()));
            z.avail_in = uInt(wire.size());
            (void)::inflate(&z, Z_SYNC_FLUSH);
            z.next_in = const_cast<uint8_t*>(kTail);
            z.avail_in = sizeof kTail;
            (void)::inflate(&z, Z_SYNC_FLUSH);
            return Bytes{room.data(), room.size() - z.avail_out};
        });
    inflateEnd(&z);
    return ns;
}

double our_ns(const Corpus& corpus) {
    static Inflater inflater;
    // With takeover the window goes back to the front when the room behind it gets short; as often as it would for a
    // buffer of two windows, or for each message if those are large.
    std::vector<uint8_t> room(kWindow + std::max(kWindow, corpus.largest + 512));
    size_t end = 0;
    return ns_of(
        corpus,
        [&] {
            inflater_reset(inflater);
            end = 0;
        },
        [&](const std::string& wire) {
            if (room.size() - end < corpus.largest + 512) {
                std::memmove(room.data(), room.data() + end - kWindow, kWindow);
                end = kWindow;
            }
            const size_t start = end;
            Output out = {room.data(), end, room.size(), kWindow};
            Bytes in = {reinterpret_cast<const uint8_t*>(wire.data()), wire.size()};
            (void)wsd::deflate::inflate(inflater, &in, out);
            in = {kTail, sizeof kTail};
            (void)wsd::deflate::inflate(inflater, &in, out);
            end = out.end;
            return Bytes{room.data() + start, end - start};
        });
}

}  // namespace

int main() {
    for (const bool takeover : {false, true}) {
        for (const size_t bytes : {100, 1024, 16384, 1 << 20}) {
            const Corpus corpus = corpus_of(bytes, takeover);
            const double theirs = zlib_ns(corpus), ours = our_ns(corpus);
            std::printf("inflate/%s/%zu  %.0f ns/message  zlib %.0f  %.2fx\n", takeover ? "takeover" : "alone", bytes,
                        ours, theirs, theirs / ours);
        }
    }
}
