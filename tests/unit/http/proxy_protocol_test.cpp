// Every rule of the PROXY protocol's header, by section of its specification, and every place where one may be cut.
#include "http/proxy_protocol.h"

#include <doctest/doctest.h>

#include <string>

#include "support/guard_page.h"
#include "support/hex.h"

using namespace wsd;
using namespace wsd::http;

namespace {

std::string ip_text(const Ip& ip) {
    std::string text;
    for (size_t i = is_v4(ip) ? 12 : 0; i < 16; i++) text += (text.empty() ? "" : ".") + std::to_string(ip.bytes[i]);
    return text;
}

std::string show(const Peer& peer) {
    if (peer.kind == PeerKind::kNone) return "none";
    if (peer.kind == PeerKind::kUnix) return "unix";
    return ip_text(peer.ip) + ":" + std::to_string(peer.port);
}

// "source > destination", "more", "absent" or "malformed"; no byte outside `bytes` may be touched.
std::string read(std::string_view bytes, size_t* size = nullptr) {
    static test::GuardPage page(70000);
    ProxyHeader header;
    switch (read_proxy_header({page.before_end(bytes.data(), bytes.size()), bytes.size()}, &header)) {
        case ProxyRead::kNeedMore: return "more";
        case ProxyRead::kAbsent: return "absent";
        case ProxyRead::kMalformed: return "malformed";
        case ProxyRead::kDone: break;
    }
    if (size) *size = header.size;
    return show(header.source) + " > " + show(header.destination);
}

struct LineRow {
    const char* what;
    const char* line;  // without its CRLF
    const char* read;
};

const LineRow kLineRows[] = {
    {"TCP over IPv4", "PROXY TCP4 192.0.2.1 198.51.100.7 5000 443", "192.0.2.1:5000 > 198.51.100.7:443"},
    {"TCP over IPv6", "PROXY TCP6 ::1 ::ff 1 65535",
     "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1:1 > 0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.255:65535"},
    {"mapped IPv4", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2", "192.0.2.1:1 > 192.0.2.2:2"},
    {"port 0", "PROXY TCP4 1.2.3.4 5.6.7.8 0 0", "1.2.3.4:0 > 5.6.7.8:0"},
    {"unknown", "PROXY UNKNOWN", "none > none"},
    {"unknown, with what is to be ignored", "PROXY UNKNOWN ff::1 ff::2 x y", "none > none"},
    {"another protocol", "PROXY TCP5 1.2.3.4 5.6.7.8 1 2", "malformed"},
    {"lower case", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2", "malformed"},
    {"no protocol", "PROXY ", "malformed"},
    {"a longer word", "PROXY UNKNOWNS", "malformed"},
    {"nothing behind the protocol", "PROXY TCP4", "malformed"},
    {"one address", "PROXY TCP4 1.2.3.4", "malformed"},
    {"one port", "PROXY TCP4 1.2.3.4 5.6.7.8 1", "malformed"},
    {"an empty port", "PROXY TCP4 1.2.3.4 5.6.7.8 1 ", "malformed"},
    {"a fifth word", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3", "malformed"},
    {"a space at the end", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 ", "malformed"},
    {"two spaces", "PROXY TCP4  1.2.3.4 5.6.7.8 1 2", "malformed"},
    {"a tab", "PROXY TCP4\t1.2.3.4 5.6.7.8 1 2", "malformed"},
    {"IPv6 as TCP4", "PROXY TCP4 ::1 ::1 1 2", "malformed"},
    {"mapped IPv4 as TCP4", "PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 1 2", "malformed"},
    {"IPv4 as TCP6", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2", "malformed"},
    {"leading zero in an address", "PROXY TCP4 01.2.3.4 5.6.7.8 1 2", "malformed"},
    {"leading zero in a port", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2", "malformed"},
    {"port over 65535", "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536", "malformed"},
    {"port with a sign", "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2", "malformed"},
    {"number out of an address", "PROXY TCP4 1.2.3.256 5.6.7.8 1 2", "malformed"},
    {"a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2", "malformed"},
};

const char kSignature[] = "0d0a0d0a000d0a515549540a";
const char kV4[] = "c0000201 c6336407 1388 01bb";
const char kV6[] = "20010db8000000000000000000000001 20010db8000000000000000000000002 1388 01bb";

struct BinaryRow {
    const char* what;
    std::string bytes;  // behind the signature, in hex
    const char* read;
};

std::string unix_addresses() { return std::string(216 * 2, '0'); }

const BinaryRow kBinaryRows[] = {
    {"TCP over IPv4", "21 11 000c " + std::string(kV4), "192.0.2.1:5000 > 198.51.100.7:443"},
    {"UDP over IPv4", "21 12 000c " + std::string(kV4), "192.0.2.1:5000 > 198.51.100.7:443"},
    {"TCP over IPv6", "21 21 0024 " + std::string(kV6),
     "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1:5000 > 32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.2:443"},
    {"unix", "21 31 00d8 " + unix_addresses(), "unix > unix"},
    {"TLVs behind the addresses", "21 11 0014 " + std::string(kV4) + " 04 0005 0000000000",
     "192.0.2.1:5000 > 198.51.100.7:443"},
    {"unspecified", "21 00 0000", "none > none"},
    {"unspecified, with TLVs", "21 00 0003 04 0000", "none > none"},
    {"local", "20 00 0000", "none > none"},
    {"local, with a family that is ignored", "20 11 000c " + std::string(kV4), "none > none"},
    {"local, with a family that nobody knows", "20 ff 0001 00", "none > none"},
    {"version 1", "11 11", "malformed"},
    {"version 3", "31 11", "malformed"},
    {"command 2", "22 11", "malformed"},
    {"family 4", "21 41", "malformed"},
    {"transport 3", "21 13", "malformed"},
    {"IPv4 without a transport", "21 10", "malformed"},
    {"a transport without a family", "21 01", "malformed"},
    {"IPv4 too short", "21 11 000b", "malformed"},
    {"IPv6 too short", "21 21 0023", "malformed"},
    {"unix too short", "21 31 00d7", "malformed"},
    {"the longest", "21 00 03f0 " + std::string(2016, '0'), "none > none"},
    {"longer than the longest", "21 00 03f1", "malformed"},
    {"longest that can be said", "21 11 ffff", "malformed"},
};

std::string binary(const std::string& behind) {
    const auto bytes = test::hex(kSignature + behind);
    return {bytes.begin(), bytes.end()};
}

// What holds for every header: it is taken whole, whatever stands behind it, and each cut asks for more.
void check_cuts(const std::string& header, const std::string& verdict) {
    for (size_t cut = 0; cut < header.size(); cut++) {
        CAPTURE(cut);
        const std::string part = read(header.substr(0, cut));
        CHECK((part == "more" || (part == verdict && verdict == "malformed")));
    }
    CHECK(read(header) == verdict);
    size_t size = 0;
    CHECK(read(header + "GET / HTTP/1.1\r\n", &size) == verdict);
    if (verdict != "malformed") CHECK(size == header.size());
}

}  // namespace

TEST_CASE("section 2.1: the line of version 1, cut anywhere") {
    for (const LineRow& row : kLineRows) {
        CAPTURE(row.what);
        check_cuts(std::string(row.line) + "\r\n", row.read);
    }
}

TEST_CASE("section 2.1: a line is 107 bytes at most, and ends in CRLF") {
    const std::string longest = "PROXY UNKNOWN " + std::string(107 - 14 - 2, 'x');
    CHECK(read(longest + "\r\n") == "none > none");
    CHECK(read(longest) == "more");
    CHECK(read(longest + "\r") == "more");
    CHECK(read(longest + "x") == "malformed");
    CHECK(read(longest + "x\r\n") == "malformed");
    for (const std::string_view cut : {"\n", "\r\r", "\rG", "\t", "\x7f", "\x80"}) {
        const std::string end(cut);
        CHECK(read("PROXY UNKNOWN" + end) == "malformed");
        CHECK(read("PROXY TCP4 1.2.3.4 5.6.7.8 1 2" + end) == "malformed");
    }
}

TEST_CASE("section 2.2: the header of version 2, cut anywhere") {
    for (const BinaryRow& row : kBinaryRows) {
        CAPTURE(row.what);
        check_cuts(binary(row.bytes), row.read);
    }
}

TEST_CASE("what begins as no header does is told apart by the first byte that differs") {
    for (const char* text :
         {"G", "GET / HTTP/1.1", "PUT", "PROPFIND", "PROXYS", "proxy TCP4", " PROXY", "\r\nG", "\n"}) {
        CAPTURE(text);
        CHECK(read(text) == "absent");
    }
    for (const char* text : {"", "P", "PR", "PROXY", "\r", "\r\n\r\n"}) {
        CAPTURE(text);
        CHECK(read(text) == "more");
    }
}
