#include "base/hash_map.h"

namespace wsd {
namespace {

constexpr size_t kChainsMin = 8;

HashNode** chain_of(const HashMap& map, uint64_t hash) { return &map.chains[hash & (map.chain_count - 1)]; }

void push(const HashMap& map, HashNode& node) {
    HashNode** const chain = chain_of(map, node.hash);
    node.next = *chain;
    *chain = &node;
}

// False when memory is refused, which leaves the map as it was.
bool resize(HashMap& map, size_t chain_count) {
    void* const room = mem_alloc(*map.mem, map.purpose, chain_count * sizeof(HashNode*));
    if (!room) return false;
    const HashMap old = map;
    map.chains = static_cast<HashNode**>(room);
    map.chain_count = chain_count;
    for (size_t i = 0; i < chain_count; i++) map.chains[i] = nullptr;
    for (size_t i = 0; i < old.chain_count; i++) {
        for (HashNode* node = old.chains[i]; node;) {
            HashNode* const next = node->next;
            push(map, *node);
            node = next;
        }
    }
    mem_free(*map.mem, map.purpose, old.chains, old.chain_count * sizeof(HashNode*));
    return true;
}

}  // namespace

uint64_t hash_map_hash(const HashMap& map, Bytes key) { return siphash13(map.key, key); }

HashNode* hash_map_find(const HashMap& map, Bytes key, uint64_t hash) {
    if (map.count == 0) return nullptr;
    for (HashNode* node = *chain_of(map, hash); node; node = node->next) {
        if (node->hash == hash && equal(map.key_of(*node), key)) return node;
    }
    return nullptr;
}

bool hash_map_add(HashMap& map, HashNode& node, uint64_t hash) {
    const bool grow = map.count >= map.chain_count;
    if (grow && !resize(map, map.chain_count ? map.chain_count * 2 : kChainsMin) && !map.chains) return false;
    node.hash = hash;
    push(map, node);
    map.count++;
    return true;
}

void hash_map_remove(HashMap& map, HashNode& node) {
    HashNode** link = chain_of(map, node.hash);
    while (*link != &node) link = &(*link)->next;
    *link = node.next;
    node.next = nullptr;
    if (--map.count == 0) {
        mem_free(*map.mem, map.purpose, map.chains, map.chain_count * sizeof(HashNode*));
        map.chains = nullptr;
        map.chain_count = 0;
    } else if (map.chain_count > kChainsMin && map.count <= map.chain_count / 8) {
        (void)resize(map, map.chain_count / 2);  // refused, it only holds more than it needs
    }
}

}  // namespace wsd
