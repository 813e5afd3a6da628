// What a handshake costs: the SHA-1 of its key and the accept value made of it, finding and parsing the head that a
// browser sends and the least one, judging it, and all of it up to the bytes of the 101. Prints
// "scan_head/browser  52.1 ns/op": the best of 9 rounds, as noise only slows.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/sha1.h"
#include "http/request.h"
#include "http/response.h"
#include "support/bench.h"
#include "ws/handshake.h"

using namespace wsd;
using namespace wsd::http;
using test::keep;

namespace {

const std::string kBrowser =
    "GET /chat?session_id=7f3a&role=student HTTP/1.1\r\n"
    "Host: chat.example.com:9001\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://chat.example.com\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: de-DE,de;q=0.9,en;q=0.8\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const std::string kMinimal =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

void require(bool condition) {
    if (!condition) std::abort();
}

template <class Run>
void bench(const char* what, const char* which, const Run& run) {
    std::printf("%s/%s  %.1f ns/op\n", what, which, test::best_ns(20000, run));
}

size_t write_switching(const char* accept, uint8_t* out) {
    const Field fields[] = {
        {bytes_of("Upgrade"), bytes_of("websocket")},
        {bytes_of("Connection"), bytes_of("Upgrade")},
        {bytes_of("Sec-WebSocket-Accept"), {reinterpret_cast<const uint8_t*>(accept), ws::kAcceptSize}},
    };
    Response response;
    response.status = 101;
    response.fields = fields;
    response.field_count = 3;
    return write_response(response, out);
}

void bench_head(const char* which, const std::string& text) {
    const Bytes in = {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
    const HeadLimits limits;
    Header headers[100];
    Request request;
    request.headers = headers;
    Refusal refusal;
    char accept[ws::kAcceptSize];
    uint8_t out[512];

    const auto scan = [&] {
        HeadScan s;
        require(scan_head(in, limits, &s, &refusal) == Step::kDone);
        keep(&s);
    };
    const auto parse = [&] {
        require(parse_head(in, &request, &refusal) == Step::kDone);
        keep(&request);
    };
    const auto judge = [&] {
        require(ws::check_upgrade(in, request, {}, accept, &refusal) == Step::kDone);
        keep(accept);
    };
    std::printf("%s: a head of %zu bytes\n", which, text.size());
    bench("scan_head", which, scan);
    bench("scan_head_by_byte", which, [&] {
        HeadScan s;
        for (size_t len = 1; len <= in.len; len++) keep(&s), (void)scan_head(take(in, len), limits, &s, &refusal);
        require(s.scanned == in.len);
    });
    bench("parse_head", which, parse);
    bench("scan_and_parse", which, [&] { scan(), parse(); });
    bench("check_upgrade", which, judge);
    bench("handshake", which, [&] {
        scan(), parse(), judge();
        keep(out + write_switching(accept, out));
    });
}

void bench_accept() {
    const Bytes key = bytes_of("dGhlIHNhbXBsZSBub25jZQ==");
    const std::string long_text(16384, 'x');
    char accept[ws::kAcceptSize];
    std::printf("accept_value  %.1f ns/op\n", test::best_ns(20000, [&] {
                    ws::accept_value(key, accept);
                    keep(accept);
                }));
    for (const size_t len : {size_t(60), long_text.size()}) {  // 60: a key with the GUID that it is joined to (§4.2.2)
        const double ns = test::best_ns(size_t(4) << 20 >> (len > 60 ? 12 : 8), [&] {
            const Sha1Digest digest = sha1({reinterpret_cast<const uint8_t*>(long_text.data()), len});
            keep(&digest);
        });
        std::printf("sha1/%zu  %.1f ns/op  %.2f GB/s\n", len, ns, double(len) / ns);
    }
}

}  // namespace

int main() {
    bench_accept();
    bench_head("browser", kBrowser);
    bench_head("minimal", kMinimal);
}
