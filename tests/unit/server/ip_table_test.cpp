#include "server/ip_table.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace wsd;
using namespace wsd::server;

namespace {

constexpr Rate kRate{60, 60000, 10};

struct Bed {
    Mem mem;
    IpTable table;

    Bed() {
        mem_init(mem, nullptr, nullptr);
        REQUIRE(ip_table_open(table));
    }
    ~Bed() {
        ip_table_close(mem, table);
        CHECK(mem_used(mem) == 0);
    }
};

Peer peer(const char* text) {
    Peer peer;
    REQUIRE(parse_ip(bytes_of(text), &peer.ip));
    peer.kind = PeerKind::kIp;
    return peer;
}

IpKey key(const char* text) {
    IpKey key = 0;
    REQUIRE(ip_key_of(peer(text), &key));
    return key;
}

}  // namespace

TEST_CASE("IPv4 addresses are told apart, IPv6 ones by their /64, and unix sockets have no key") {
    CHECK(key("192.0.2.1") != key("192.0.2.2"));
    CHECK(key("2001:db8:1:2::3") == key("2001:db8:1:2:ffff::4"));
    CHECK(key("2001:db8:1:2::3") != key("2001:db8:1:3::3"));
    CHECK(key("::ffff:192.0.2.1") == key("192.0.2.1"));
    CHECK(key("::1") != key("0.0.0.0"));
    IpKey none = 0;
    CHECK_FALSE(ip_key_of({.ip = {}, .port = 0, .kind = PeerKind::kUnix}, &none));
    CHECK_FALSE(ip_key_of({}, &none));
}

TEST_CASE("the table agrees with a map through thousands of changes, and holds no memory when it is empty") {
    Bed bed;
    std::map<IpKey, uint32_t> model;
    std::mt19937_64 random(7);
    for (int step = 0; step < 40000; step++) {
        const IpKey k = random() % 3000 * 0x100000001;
        if (random() % (step < 20000 ? 3 : 2)) {
            IpEntry* const entry = ip_table_add(bed.mem, bed.table, k);
            REQUIRE(entry);
            REQUIRE(entry->connection_count == model[k]);
            entry->connection_count = ++model[k];
        } else if (IpEntry* const entry = ip_table_find(bed.table, k)) {
            ip_table_remove(bed.mem, bed.table, entry);
            REQUIRE(model.erase(k) == 1);
        }
        REQUIRE(bed.table.count == model.size());
    }
    for (const auto& [k, count] : model) {
        const IpEntry* const entry = ip_table_find(bed.table, k);
        REQUIRE(entry);
        CHECK(entry->connection_count == count);
    }
    while (!model.empty()) {
        ip_table_remove(bed.mem, bed.table, ip_table_find(bed.table, model.begin()->first));
        model.erase(model.begin());
    }
    CHECK(mem_used(bed.mem) == 0);
}

TEST_CASE("a sweep removes what is idle and full, keeps the rest, and comes round to everything") {
    Bed bed;
    const uint64_t now = 1000000;
    for (IpKey k = 0; k < 60000; k++) {
        IpEntry* const entry = ip_table_add(bed.mem, bed.table, k);
        REQUIRE(entry);
        if (k % 3 == 0) entry->connection_count = 1;
        if (k % 3 == 1) REQUIRE(bucket_take(entry->connects, kRate, now));
    }
    size_t removed = 0;
    for (int i = 0; i < 16; i++) removed += ip_table_sweep(bed.mem, bed.table, kRate, now + 999);
    CHECK(removed == 20000);
    CHECK(ip_table_find(bed.table, 1));
    for (int i = 0; i < 16; i++) removed += ip_table_sweep(bed.mem, bed.table, kRate, now + 1000);
    CHECK(removed == 40000);
    CHECK(bed.table.count == 20000);
    for (IpKey k = 0; k < 60000; k++) REQUIRE((ip_table_find(bed.table, k) != nullptr) == (k % 3 == 0));
}

TEST_CASE("at its bound the table takes no more addresses, and its memory stays what was promised") {
    Bed bed;
    for (IpKey k = 0; k < kIpEntriesMax; k++) REQUIRE(ip_table_add(bed.mem, bed.table, k));
    CHECK(ip_table_add(bed.mem, bed.table, kIpEntriesMax) == nullptr);
    CHECK(ip_table_add(bed.mem, bed.table, 5) != nullptr);
    CHECK(mem_used(bed.mem) <= 6u << 20);
    // Idle and full, all of them: a minute of sweeps gives everything back.
    for (int i = 0; i < 60; i++) ip_table_sweep(bed.mem, bed.table, kRate, 1);
    CHECK(mem_used(bed.mem) == 0);
}

TEST_CASE("memory refused to the table is an address that is not remembered") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    mem.max_bytes = 2000;
    IpTable table;
    REQUIRE(ip_table_open(table));
    IpKey k = 0;
    while (ip_table_add(mem, table, k)) k++;
    CHECK(k == kIpSlotsMin / 4 * 3);
    for (IpKey known = 0; known < k; known++) CHECK(ip_table_find(table, known));
    ip_table_close(mem, table);
}
