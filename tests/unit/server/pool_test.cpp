#include "server/pool.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

using namespace wsd;
using namespace wsd::server;

namespace {

struct Thing {
    Handle handle;
    int number = 7;
    char filler[40] = {};
};

struct Bed {
    Mem mem;
    Pool<Thing> pool{mem, Purpose::kConn};

    Bed() { mem_init(mem, nullptr, nullptr); }
    ~Bed() {
        pool.release();
        CHECK(mem_used(mem) == 0);
    }
};

void* refuse(void*, void*, size_t, size_t) { return nullptr; }

}  // namespace

TEST_CASE("an id finds its object until it is freed, and nothing afterwards") {
    Bed bed;
    Thing* const thing = bed.pool.make();
    CHECK(thing->number == 7);
    const uint64_t id = id_of(thing->handle);
    CHECK(id != 0);
    CHECK(bed.pool.find(id) == thing);
    bed.pool.free(thing);
    CHECK(bed.pool.find(id) == nullptr);
    Thing* const next = bed.pool.make();
    CHECK(next == thing);  // the same slot
    CHECK(bed.pool.find(id) == nullptr);
    CHECK(bed.pool.find(id_of(next->handle)) == next);
    bed.pool.free(next);
}

TEST_CASE("no number but a live id finds anything") {
    Bed bed;
    Thing* const thing = bed.pool.make();
    const uint64_t id = id_of(thing->handle);
    for (const uint64_t wrong : {uint64_t(0), ~uint64_t(0), id + 1, id + (uint64_t(1) << 32), id + (uint64_t(2) << 32),
                                 uint64_t(uint32_t(id)), id + 1000000}) {
        CHECK(bed.pool.find(wrong) == nullptr);
    }
    bed.pool.free(thing);
}

TEST_CASE("ids do not repeat, and a walk meets exactly what lives") {
    Bed bed;
    std::mt19937 random(1);
    std::map<uint64_t, Thing*> live;
    std::set<uint64_t> seen;
    for (int step = 0; step < 20000; step++) {
        if (live.empty() || random() % 100 < 52) {
            Thing* const thing = bed.pool.make();
            REQUIRE(seen.insert(id_of(thing->handle)).second);
            live[id_of(thing->handle)] = thing;
        } else {
            auto it = live.begin();
            std::advance(it, long(random() % std::min<size_t>(live.size(), 50)));
            bed.pool.free(it->second);
            live.erase(it);
        }
    }
    CHECK(bed.pool.live_count() == live.size());
    std::map<uint64_t, Thing*> met;
    uint32_t slot = 0;
    while (Thing* const thing = bed.pool.next(&slot)) met[id_of(thing->handle)] = thing;
    CHECK(met == live);
    for (const auto& [id, thing] : live) {
        REQUIRE(bed.pool.find(id) == thing);
        bed.pool.free(thing);
    }
}

TEST_CASE("refused memory makes nothing") {
    Mem mem;
    mem_init(mem, refuse, nullptr);
    Pool<Thing> pool(mem, Purpose::kConn);
    CHECK(pool.make() == nullptr);
    CHECK(pool.live_count() == 0);
    pool.release();
}
