// What stands around a payload: reading a client's frame header, the short way and the long one, writing a server's,
// and building one frame for a publish (wsd_prepare, which allocates and copies, and the release). Prints
// "read_header/125  3.1 ns/op": the best of 9 rounds, as noise only slows.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/bench.h"
#include "support/wire.h"
#include "ws/frame.h"
#include "wsd.h"

using namespace wsd;
using namespace wsd::ws;
using test::keep;

namespace {

constexpr size_t kSizes[] = {20, 125, 1024, 16384, 65536, 1 << 20};
constexpr size_t kRuns = 200000;

void require(bool condition) {
    if (!condition) std::abort();
}

void bench_read(size_t payload_bytes) {
    const std::string text = test::header(0x82, payload_bytes);
    const Bytes in = {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
    const FrameRules rules;
    FrameHeader header;
    Violation violation;
    if (read_short_header(in, rules, &header)) {
        std::printf("read_header_short/%zu  %.1f ns/op\n", payload_bytes, test::best_ns(kRuns, [&] {
                        keep(in.p);
                        require(read_short_header(in, rules, &header));
                        keep(&header);
                    }));
    }
    std::printf("read_header/%zu  %.1f ns/op\n", payload_bytes, test::best_ns(kRuns, [&] {
                    require(read_frame_header(in, rules, &header, &violation) == Parse::kDone);
                    keep(&header);
                }));
    require(header.payload_bytes == payload_bytes);
}

void bench_write(size_t payload_bytes) {
    uint8_t out[kFrameHeaderMax];
    size_t size = 0;
    std::printf("write_header/%zu  %.1f ns/op\n", payload_bytes, test::best_ns(kRuns, [&] {
                    size = write_frame_header(out, Opcode::kBinary, true, 0, payload_bytes);
                    keep(out);
                }));
    require(size == frame_header_size(payload_bytes));
}

// A server without a listener: nothing is sent.
void bench_build(wsd_server* server, size_t payload_bytes) {
    const std::string payload(payload_bytes, 'x');
    const double ns = test::best_ns(payload_bytes > 65536 ? 200 : 5000, [&] {
        wsd_prepared* prepared = nullptr;
        require(wsd_prepare(server, WSD_BINARY, payload.data(), payload.size(), &prepared) == WSD_OK);
        keep(prepared);
        wsd_prepared_release(prepared);
    });
    std::printf("build_frame/%zu  %.1f ns/op  %.2f GB/s\n", payload_bytes, ns, double(payload_bytes) / ns);
}

}  // namespace

int main() {
    for (const size_t bytes : kSizes) bench_read(bytes);
    for (const size_t bytes : kSizes) bench_write(bytes);
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    wsd_server* server = nullptr;
    require(wsd_server_new(nullptr, &callbacks, &server) == WSD_OK);
    for (const size_t bytes : kSizes) bench_build(server, bytes);
    (void)wsd_server_free(server);
}
