// Any bytes as a PROXY header. A prefix may ask for more, but may never decide differently from the whole; what stands
// behind a header changes nothing; no byte outside the input is touched (every range ends before a page nobody may
// read). The same bytes as lists of addresses and of origins: judging and reading agree.
#include <cstdlib>

#include "http/origin.h"
#include "http/proxy_protocol.h"
#include "net/cidr.h"
#include "support/guard_page.h"

using namespace wsd;
using namespace wsd::http;

namespace {

constexpr size_t kInputMax = 2048;

void require(bool condition) {
    if (!condition) std::abort();
}

bool same(const Peer& a, const Peer& b) { return a.kind == b.kind && a.port == b.port && equal(a.ip, b.ip); }

void check_header(Bytes in, test::GuardPage* page) {
    ProxyHeader whole, part;
    const ProxyRead verdict = read_proxy_header({page->before_end(in.p, in.len), in.len}, &whole);
    for (size_t len = 0; len < in.len; len++) {
        const ProxyRead early = read_proxy_header({page->before_end(in.p, len), len}, &part);
        if (verdict == ProxyRead::kDone) {
            require(early == (len < whole.size ? ProxyRead::kNeedMore : ProxyRead::kDone));
        } else {
            require(early == ProxyRead::kNeedMore || early == verdict);
        }
        if (early == ProxyRead::kDone) require(part.size == whole.size && same(part.source, whole.source));
    }
    if (verdict != ProxyRead::kDone) return;
    require(whole.size > 0 && whole.size <= in.len && whole.size <= kProxyHeaderMax);
    require(whole.source.kind == whole.destination.kind);
    if (whole.source.kind != PeerKind::kIp) require(whole.source.port == 0 && equal(whole.source.ip, Ip{}));
}

void check_lists(Bytes in) {
    static net::Cidr items[kInputMax];
    net::CidrList counted, list{items, 0, false};
    const char* const why = net::parse_cidr_list(in, &counted);
    require(why == net::parse_cidr_list(in, &list));
    require(counted.count == list.count && counted.unix_peers == list.unix_peers);
    for (size_t i = 0; i < list.count; i++) {
        require(net::cidr_list_has(list, {items[i].ip, 0, PeerKind::kIp}));  // a range has its own first address
    }
    // A list without fault allows each of its entries that is an origin by itself.
    if (origin_list_fault(in)) return;
    require(!origin_allowed(in, {}));
    require(!origin_allowed(in, bytes_of("no origin")));
    if (origin_allowed(in, in)) require(!origin_allowed({}, in));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > kInputMax) return 0;
    static test::GuardPage page(kInputMax);
    check_header({data, size}, &page);
    check_lists({page.before_end(data, size), size});
    return 0;
}
