// Any bytes as a request head. A prefix may ask for more, but may never decide differently from the whole; any chopping
// gives the same; what is parsed lies inside the head, is of the grammar that request.h promises, and does not depend
// on what stands behind it; no byte outside the input is touched (every range ends before a page nobody may read).
#include <cstdlib>
#include <cstring>

#include "http/grammar.h"
#include "http/request.h"
#include "support/guard_page.h"
#include "ws/handshake.h"

using namespace wsd;
using namespace wsd::http;

namespace {

constexpr size_t kInputMax = 4096;
constexpr size_t kHeadersMax = 30;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Verdict {
    Step step = Step::kNeedMore;
    HeadScan scan;
    Refusal refusal;
};

bool same(const Verdict& a, const Verdict& b) {
    if (a.step != b.step || a.refusal.status != b.refusal.status || a.refusal.why != b.refusal.why) return false;
    return a.step == Step::kRefused || (a.scan.scanned == b.scan.scanned && a.scan.headers == b.scan.headers);
}

// Scans `in` in pieces of which `seed` gives the sizes: all at once for 0.
Verdict scan_chopped(Bytes in, const HeadLimits& limits, uint32_t seed, test::GuardPage* page) {
    Verdict v;
    for (size_t len = 0; v.step == Step::kNeedMore;) {
        seed = seed * 1664525 + 1013904223 * (seed != 0);
        const size_t piece = seed ? 1 + (seed >> 24) % 40 : in.len;
        len = in.len - len > piece ? len + piece : in.len;
        v.step = scan_head({page->before_end(in.p, len), len}, limits, &v.scan, &v.refusal);
        if (len == in.len) break;
    }
    return v;
}

bool inside(Bytes head, Slice s) { return size_t(s.at) + s.len <= head.len; }

bool all_of(Bytes text, uint8_t byte_class) { return run_length(text, byte_class) == text.len; }

void check_request(Bytes head, const Request& r) {
    for (const Slice s : {r.method, r.target, r.path, r.query, r.authority}) require(inside(head, s));
    require(is_token(slice(head, r.method)));
    require(r.target.len > 0 && all_of(slice(head, r.target), kTargetByte));
    require(r.path.len > 0);
    require(r.minor <= 1);
    require(r.framing == Framing::kLength || r.content_length == 0);
    for (size_t i = 0; i < r.header_count; i++) {
        require(inside(head, r.headers[i].name) && inside(head, r.headers[i].value));
        require(is_token(slice(head, r.headers[i].name)));
        require(all_of(slice(head, r.headers[i].value), kTextByte));
    }
    // The flags that the parse found in passing are what a search would find.
    require(r.upgrade_websocket == header_lists(head, r, "Upgrade", "websocket"));
    require(r.connection_upgrade == header_lists(head, r, "Connection", "upgrade"));
    if (header_lists(head, r, "Connection", "close")) require(!r.keep_alive);

    char accept[ws::kAcceptSize];
    Refusal refusal;
    if (ws::check_upgrade(head, r, {true}, accept, &refusal) == Step::kDone) {
        require(r.upgrade_websocket && r.connection_upgrade && r.content_length == 0);
        require(all_of({reinterpret_cast<uint8_t*>(accept), sizeof(accept)}, kTextByte));
    } else {
        require(refusal.status == 400 || refusal.status == 405 || refusal.status == 426);
    }
    const Bytes chosen = ws::choose_subprotocol(head, r, bytes_of("chat, a"));
    require(chosen.len == 0 || ws::offers_subprotocol(head, r, chosen));
}

// Parses `head` where it stands, into `headers`.
Verdict parse(Bytes head, Header* headers, Request* request) {
    Verdict v;
    request->headers = headers;
    v.step = parse_head(head, request, &v.refusal);
    require(v.step != Step::kNeedMore);
    return v;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 3 || size > kInputMax) return 0;
    static test::GuardPage page(kInputMax);
    const HeadLimits limits = {data[0] < 0x80 ? 8192u : 1u + (data[0] & 0x7f) * 4u,
                               uint16_t(data[1] % (kHeadersMax + 1))};
    const uint32_t seed = data[2];
    const Bytes in = drop({data, size}, 3);

    const Verdict whole = scan_chopped(in, limits, 0, &page);
    require(same(whole, scan_chopped(in, limits, seed, &page)));
    for (size_t len = 0; len < in.len; len++) {
        const Verdict part = scan_chopped(take(in, len), limits, 0, &page);
        if (part.step != Step::kNeedMore) require(same(part, whole));
        // Once the end is in sight, a prefix that holds it knows it; one that does not has to wait.
        if (whole.step == Step::kDone) require((part.step == Step::kDone) == (len >= whole.scan.scanned));
    }
    if (whole.step != Step::kDone) return 0;

    require(whole.scan.scanned <= limits.bytes && whole.scan.headers <= limits.headers);
    Header headers[kHeadersMax], again[kHeadersMax];
    Request request, request_again;
    const Bytes head = {page.before_end(in.p, whole.scan.scanned), whole.scan.scanned};
    const Verdict v = parse(head, headers, &request);
    if (v.step == Step::kDone) {
        require(request.header_count == whole.scan.headers);
        check_request(head, request);
    }
    // The same head with other bytes behind it, as when frames came along with the request.
    require(same(v, parse(take(in, whole.scan.scanned), again, &request_again)));
    if (v.step == Step::kDone) require(std::memcmp(headers, again, request.header_count * sizeof(Header)) == 0);
    return 0;
}
