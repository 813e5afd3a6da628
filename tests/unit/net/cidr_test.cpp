#include "net/cidr.h"

#include <doctest/doctest.h>

#include <string>

using namespace wsd;
using namespace wsd::net;

namespace {

Peer peer(const char* text) {
    Peer peer;
    REQUIRE(parse_ip(bytes_of(text), &peer.ip));
    peer.kind = PeerKind::kIp;
    return peer;
}

// Is `address` in `list`?
bool listed(const char* list, const char* address) {
    Cidr items[8];
    CidrList parsed{items, 0, false};
    REQUIRE(parse_cidr_list(bytes_of(list), &parsed) == nullptr);
    return cidr_list_has(parsed, peer(address));
}

std::string fault(const char* list) {
    CidrList counted;
    const char* const why = parse_cidr_list(bytes_of(list), &counted);
    return why ? why : "";
}

}  // namespace

TEST_CASE("a range has the addresses that share its prefix, to the bit") {
    const struct {
        const char* range;
        const char* first;
        const char* last;
        const char* before;
        const char* behind;
    } kRows[] = {
        {"10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
        {"192.168.4.0/22", "192.168.4.0", "192.168.7.255", "192.168.3.255", "192.168.8.0"},
        {"192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6", "192.0.2.8"},
        {"192.0.2.6/31", "192.0.2.6", "192.0.2.7", "192.0.2.5", "192.0.2.8"},
        {"128.0.0.0/1", "128.0.0.0", "255.255.255.255", "127.255.255.255", "::1"},
        {"2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"},
        {"2001:db8:0:8000::/49", "2001:db8:0:8000::", "2001:db8:0:ffff::", "2001:db8:0:7fff::", "2001:db8:1::"},
        {"::1", "::1", "::1", "::", "::2"},
        {"::ffff:10.0.0.0/104", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.range);
        CHECK(listed(row.range, row.first));
        CHECK(listed(row.range, row.last));
        CHECK_FALSE(listed(row.range, row.before));
        CHECK_FALSE(listed(row.range, row.behind));
    }
}

TEST_CASE("a range of no bits is every address of its kind, and IPv6's has IPv4 in it") {
    CHECK(listed("0.0.0.0/0", "255.1.2.3"));
    CHECK_FALSE(listed("0.0.0.0/0", "2001:db8::1"));
    CHECK(listed("::/0", "2001:db8::1"));
    CHECK(listed("::/0", "192.0.2.1"));
}

TEST_CASE("a peer is listed by any item, by unix: if it is of a unix socket, and never if it is not known") {
    CHECK(listed(" 10.0.0.0/8 ,, 2001:db8::/32", "2001:db8::5"));
    CHECK_FALSE(listed("", "10.0.0.1"));
    CidrList all;
    REQUIRE(parse_cidr_list(bytes_of("unix:"), &all) == nullptr);
    CHECK(cidr_list_has(all, {.ip = {}, .port = 0, .kind = PeerKind::kUnix}));
    CHECK_FALSE(cidr_list_has(all, peer("::")));
    CHECK_FALSE(cidr_list_has(all, {}));
    Cidr any;
    REQUIRE(parse_cidr(bytes_of("::/0"), &any) == nullptr);
    CHECK_FALSE(cidr_list_has({&any, 1, false}, {}));
    CHECK_FALSE(cidr_list_has({&any, 1, false}, {.ip = {}, .port = 0, .kind = PeerKind::kUnix}));
}

TEST_CASE("a list says what is wrong with it") {
    for (const char* good : {"", "10.0.0.0/8", "::/0", "10.1.2.3/32", "::1/128", "unix:", "10.0.0.1,::1, unix:"}) {
        CHECK(fault(good) == "");
    }
    for (const char* text : {"localhost", "10.0.0", "[::1]", "/8", "unix", "10.0.0.1,x"}) {
        CHECK(fault(text) == "an item is no IPv4 or IPv6 address, with or without a prefix length");
    }
    for (const char* text :
         {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8 ::1", "0.0.0.0/0/0"}) {
        CHECK(fault(text) == "a prefix length is not 0-32");
    }
    CHECK(fault("::/129") == "a prefix length is not 0-128");
    for (const char* text : {"10.0.0.1/8", "2001:db8::1/64", "128.0.0.0/0", "10.0.0.0/8,10.1.0.0/15"}) {
        CHECK(fault(text) == "an address has bits set behind its prefix");
    }
}
