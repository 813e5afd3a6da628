// An intrusive hash map, chained: what it holds are fields of its owner's objects, so linking allocates nothing but,
// now and then, a larger array of chains. Keys are bytes inside those objects, hashed with a key that peers do not
// know, so that none of them can choose names that collide.
//
// Finding, adding and removing are O(1); adding pays for moving all nodes when their number has doubled, removing when
// it has fallen to an eighth. When memory for that is refused, chains are longer and nothing else is wrong.
#pragma once

#include "base/mem.h"
#include "base/siphash.h"

namespace wsd {

struct HashNode {
    HashNode* next = nullptr;  // in its chain
    uint64_t hash = 0;         // of its key
};

struct HashMap {
    Mem* mem = nullptr;
    Purpose purpose = {};
    HashKey key;
    Bytes (*key_of)(const HashNode& node) = nullptr;  // the bytes it is called by; the same as long as it is in the map

    HashNode** chains = nullptr;  // owned; null while nothing is in it
    size_t chain_count = 0;       // 0 or a power of two
    size_t count = 0;             // nodes
};

uint64_t hash_map_hash(const HashMap& map, Bytes key);

// The node of that key, or null. The second form is for who has the hash already.
HashNode* hash_map_find(const HashMap& map, Bytes key, uint64_t hash);
inline HashNode* hash_map_find(const HashMap& map, Bytes key) {
    return map.count ? hash_map_find(map, key, hash_map_hash(map, key)) : nullptr;
}

// Adds a node, whose key no other node of the map has. `hash` is that of its key. False when memory is refused: it is
// not in the map, which can only happen to the first.
[[nodiscard]] bool hash_map_add(HashMap& map, HashNode& node, uint64_t hash);

// Takes out a node that is in the map. With the last, the map holds no memory.
void hash_map_remove(HashMap& map, HashNode& node);

}  // namespace wsd
