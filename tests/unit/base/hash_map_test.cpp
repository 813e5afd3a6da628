#include "base/hash_map.h"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <unordered_map>

#include "base/list.h"
#include "support/counting_allocator.h"

using namespace wsd;

namespace {

struct Item {
    HashNode node;
    std::string name;
};

Item* item_of(HashNode* node) { return node ? WSD_CONTAINER_OF(node, Item, node) : nullptr; }

Bytes bytes(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

Bytes name_of(const HashNode& node) { return bytes(WSD_CONTAINER_OF(const_cast<HashNode*>(&node), Item, node)->name); }

struct Bed {
    test::CountingAllocator memory;
    Mem mem;
    HashMap map{&mem, Purpose::kTopic, {11, 22}, name_of};

    Bed() { mem_init(mem, test::CountingAllocator::allocate, &memory); }

    bool add(Item& item) { return hash_map_add(map, item.node, hash_map_hash(map, bytes(item.name))); }
    Item* find(const std::string& name) { return item_of(hash_map_find(map, bytes(name))); }
};

}  // namespace

TEST_CASE("random operations agree with std::unordered_map") {
    Bed bed;
    std::unordered_map<std::string, std::unique_ptr<Item>> model;
    std::mt19937 random(5);
    for (int i = 0; i < 60000; i++) {
        // First it grows, then it shrinks.
        const std::string name = "n" + std::to_string(random() % 5000);
        const bool adds = random() % 100 < (i < 30000 ? 70u : 20u);
        const auto known = model.find(name);
        REQUIRE(bed.find(name) == (known == model.end() ? nullptr : known->second.get()));
        if (adds && known == model.end()) {
            auto item = std::make_unique<Item>();
            item->name = name;
            REQUIRE(bed.add(*item));
            model.emplace(name, std::move(item));
        } else if (!adds && known != model.end()) {
            hash_map_remove(bed.map, known->second->node);
            model.erase(known);
        }
        REQUIRE(bed.map.count == model.size());
    }
    for (const auto& [name, item] : model) CHECK(bed.find(name) == item.get());
    for (const auto& [name, item] : model) hash_map_remove(bed.map, item->node);
    CHECK(bed.find("n1") == nullptr);
    CHECK(bed.memory.live_bytes == 0);
    CHECK(bed.memory.sizes_agree);
}

TEST_CASE("its chains follow the number of nodes both ways") {
    Bed bed;
    std::vector<std::unique_ptr<Item>> items;
    for (int i = 0; i < 10000; i++) {
        items.push_back(std::make_unique<Item>());
        items.back()->name = std::to_string(i);
        REQUIRE(bed.add(*items.back()));
        REQUIRE(bed.map.chain_count >= bed.map.count);
    }
    while (items.size() > 1) {
        hash_map_remove(bed.map, items.back()->node);
        items.pop_back();
        REQUIRE((bed.map.chain_count <= 8 || bed.map.chain_count <= bed.map.count * 8));
    }
    hash_map_remove(bed.map, items[0]->node);
    CHECK(bed.memory.live_bytes == 0);
}

TEST_CASE("without memory only the first node cannot be added") {
    Bed bed;
    Item first{{}, "first"}, second{{}, "second"};
    bed.memory.refuse_all = true;
    CHECK_FALSE(bed.add(first));
    CHECK(bed.find("first") == nullptr);

    bed.memory.refuse_all = false;
    REQUIRE(bed.add(first));
    bed.memory.refuse_all = true;
    std::vector<std::unique_ptr<Item>> items;
    for (int i = 0; i < 100; i++) {
        items.push_back(std::make_unique<Item>());
        items.back()->name = std::to_string(i);
        REQUIRE(bed.add(*items.back()));
    }
    for (const auto& item : items) REQUIRE(bed.find(item->name) == item.get());
    for (const auto& item : items) hash_map_remove(bed.map, item->node);
    CHECK(bed.find("first") == &first);
    hash_map_remove(bed.map, first.node);
    CHECK(bed.memory.live_bytes == 0);
}

TEST_CASE("names of any bytes, the empty one too, are told apart") {
    Bed bed;
    const std::string kNames[] = {"", std::string(1, '\0'), std::string(2, '\0'), "a", std::string("a\0", 2), "\xff"};
    Item items[std::size(kNames)];
    for (size_t i = 0; i < std::size(kNames); i++) {
        items[i].name = kNames[i];
        REQUIRE(bed.add(items[i]));
    }
    for (Item& item : items) CHECK(bed.find(item.name) == &item);
    for (Item& item : items) hash_map_remove(bed.map, item.node);
}
