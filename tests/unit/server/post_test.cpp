#include "server/post.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace wsd;
using namespace wsd::server;

namespace {

void nothing(wsd_server*, void*) {}

struct Bed {
    Mem mem;
    PostQueue queue;

    explicit Bed(uint32_t capacity) {
        mem_init(mem, nullptr, nullptr);
        REQUIRE(queue.open(mem, capacity));
    }
    ~Bed() { queue.close(mem); }
};

void* number(uintptr_t n) { return reinterpret_cast<void*>(n); }

}  // namespace

TEST_CASE("posts come out in order, and a full queue says so") {
    Bed bed(4);
    for (uintptr_t round = 0; round < 10; round++) {
        for (uintptr_t i = 0; i < 4; i++) CHECK(bed.queue.push({nothing, number(round * 4 + i)}));
        CHECK_FALSE(bed.queue.push({nothing, nullptr}));
        Post post;
        for (uintptr_t i = 0; i < 4; i++) {
            REQUIRE(bed.queue.pop(&post));
            CHECK(post.arg == number(round * 4 + i));
        }
        CHECK_FALSE(bed.queue.pop(&post));
    }
}

TEST_CASE("of several threads that post, each keeps its order and nothing is lost") {
    constexpr uintptr_t kThreads = 4, kPosts = 20000;
    Bed bed(64);
    std::vector<std::thread> threads;
    for (uintptr_t t = 0; t < kThreads; t++) {
        threads.emplace_back([&bed, t] {
            for (uintptr_t i = 0; i < kPosts; i++) {
                while (!bed.queue.push({nothing, number(t << 32 | i)})) std::this_thread::yield();
            }
        });
    }
    uintptr_t next[kThreads] = {};
    for (uintptr_t got = 0; got < kThreads * kPosts;) {
        Post post;
        if (!bed.queue.pop(&post)) {
            std::this_thread::yield();
            continue;
        }
        const uintptr_t value = reinterpret_cast<uintptr_t>(post.arg);
        REQUIRE((value & 0xffffffff) == next[value >> 32]++);
        got++;
    }
    for (std::thread& thread : threads) thread.join();
}
