#include "server/ip_table.h"

#include "base/random.h"

namespace wsd::server {
namespace {

// A sweep's share of the table: a quarter of a millisecond of memory that is not in the cache.
constexpr size_t kSweepSlots = 16384;

// A prefix of multicast addresses, which nobody connects from, tells IPv4 addresses from the prefixes of IPv6.
constexpr IpKey kV4 = IpKey(0xffffffff) << 32;

size_t home_of(const IpTable& table, IpKey key) {
    uint8_t bytes[sizeof key];
    std::memcpy(bytes, &key, sizeof key);
    return size_t(siphash13(table.secret, {bytes, sizeof bytes})) & (table.slot_count - 1);
}

// The slot of `key`, or the empty one in which it would stand. There is always an empty slot.
size_t slot_of(const IpTable& table, IpKey key) {
    size_t at = home_of(table, key);
    while (table.slots[at].taken && table.slots[at].key != key) at = (at + 1) & (table.slot_count - 1);
    return at;
}

void give_back(Mem& mem, const IpTable& table) {
    mem_free(mem, Purpose::kServer, table.slots, table.slot_count * sizeof(IpEntry));
}

// Moves every entry to a table of `slot_count` slots; 0 for one without entries. False when memory is refused.
bool rehash(Mem& mem, IpTable& table, size_t slot_count) {
    IpTable fresh;
    fresh.secret = table.secret;
    if (slot_count) {
        fresh.slots = static_cast<IpEntry*>(mem_alloc(mem, Purpose::kServer, slot_count * sizeof(IpEntry)));
        if (!fresh.slots) return false;
        std::memset(static_cast<void*>(fresh.slots), 0, slot_count * sizeof(IpEntry));
    }
    fresh.slot_count = slot_count;
    fresh.count = table.count;
    for (size_t i = 0; i < table.slot_count; i++) {
        if (table.slots[i].taken) fresh.slots[slot_of(fresh, table.slots[i].key)] = table.slots[i];
    }
    give_back(mem, table);
    table = fresh;
    return true;
}

// Empties slot `hole` and closes the gap, so that every entry is still found from its home on.
void erase(IpTable& table, size_t hole) {
    const size_t mask = table.slot_count - 1;
    for (size_t at = (hole + 1) & mask; table.slots[at].taken; at = (at + 1) & mask) {
        const size_t distance = (at - home_of(table, table.slots[at].key)) & mask;
        if (distance < ((at - hole) & mask)) continue;  // its home lies behind the hole
        table.slots[hole] = table.slots[at];
        hole = at;
    }
    table.slots[hole] = {};
    table.count--;
}

// Gives memory back that few entries do not need. Where a smaller table is refused, the large one serves as well.
void shrink(Mem& mem, IpTable& table) {
    if (table.count == 0) {
        (void)rehash(mem, table, 0);
    } else if (table.count < table.slot_count / 8 && table.slot_count > kIpSlotsMin) {
        (void)rehash(mem, table, table.slot_count / 2);
    }
}

}  // namespace

bool ip_key_of(const Peer& peer, IpKey* key) {
    if (peer.kind != PeerKind::kIp) return false;
    const uint8_t* const bytes = peer.ip.bytes;
    *key = is_v4(peer.ip) ? kV4 | load_be32(bytes + 12) : load_be64(bytes);  // in one /64 all of IPv4 would be one
    return true;
}

bool ip_table_open(IpTable& table) { return random_bytes(&table.secret, sizeof table.secret); }

void ip_table_close(Mem& mem, IpTable& table) {
    give_back(mem, table);
    table = {};
}

IpEntry* ip_table_find(const IpTable& table, IpKey key) {
    if (table.count == 0) return nullptr;
    IpEntry& entry = table.slots[slot_of(table, key)];
    return entry.taken ? &entry : nullptr;
}

IpEntry* ip_table_add(Mem& mem, IpTable& table, IpKey key) {
    if (IpEntry* const known = ip_table_find(table, key)) return known;
    if (table.count == kIpEntriesMax) return nullptr;
    if ((table.count + 1) * 4 > table.slot_count * 3) {
        if (!rehash(mem, table, table.slot_count ? table.slot_count * 2 : kIpSlotsMin)) return nullptr;
    }
    IpEntry& entry = table.slots[slot_of(table, key)];
    entry = {key, {}, 0, true};
    table.count++;
    return &entry;
}

void ip_table_remove(Mem& mem, IpTable& table, IpEntry* entry) {
    erase(table, size_t(entry - table.slots));
    shrink(mem, table);
}

void ip_table_rerate(IpTable& table, const Rate& from, const Rate& to, uint64_t now_ms) {
    for (size_t i = 0; i < table.slot_count; i++) {
        if (table.slots[i].taken) bucket_rerate(table.slots[i].connects, from, to, now_ms);
    }
}

size_t ip_table_sweep(Mem& mem, IpTable& table, const Rate& connects, uint64_t now_ms) {
    size_t removed = 0;
    const size_t looks = table.slot_count < kSweepSlots ? table.slot_count : kSweepSlots;
    for (size_t i = 0; i < looks; i++) {
        table.swept &= table.slot_count - 1;
        const IpEntry& entry = table.slots[table.swept];
        if (entry.taken && entry.connection_count == 0 && bucket_is_full(entry.connects, connects, now_ms)) {
            erase(table, table.swept);  // another may stand here now, and is looked at next
            removed++;
        } else {
            table.swept++;
        }
    }
    if (removed) shrink(mem, table);
    return removed;
}

}  // namespace wsd::server
