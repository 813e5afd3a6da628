#include "base/mem.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>

using namespace wsd;

namespace {

// Allows `left` more blocks and remembers the sizes it was told.
struct Scripted {
    int left;
    size_t last_old = 0;
    size_t last_new = 0;
};

void* scripted(void* context, void* p, size_t old_size, size_t new_size) {
    Scripted& script = *static_cast<Scripted*>(context);
    script.last_old = old_size;
    script.last_new = new_size;
    if (new_size == 0) {
        std::free(p);
        return nullptr;
    }
    return script.left-- > 0 ? std::realloc(p, new_size) : nullptr;
}

}  // namespace

TEST_CASE("memory is counted under its purpose until it is freed") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    void* const conn = mem_alloc(mem, Purpose::kConn, 100);
    void* send = mem_alloc(mem, Purpose::kSend, 50);
    send = mem_resize(mem, Purpose::kSend, send, 50, 80);
    CHECK(mem.used_bytes[size_t(Purpose::kConn)] == 100);
    CHECK(mem.used_bytes[size_t(Purpose::kSend)] == 80);
    CHECK(mem_used(mem) == 180);
    CHECK(mem.allocation_count == 3);
    mem_free(mem, Purpose::kConn, conn, 100);
    mem_free(mem, Purpose::kSend, send, 80);
    mem_free(mem, Purpose::kSend, nullptr, 0);
    CHECK(mem_used(mem) == 0);
}

TEST_CASE("a refusal is null, counts nothing and leaves the block as it was") {
    Scripted script{1};
    Mem mem;
    mem_init(mem, scripted, &script);
    void* const block = mem_alloc(mem, Purpose::kReceive, 8);
    std::memcpy(block, "content", 8);
    CHECK(mem_resize(mem, Purpose::kReceive, block, 8, 1000) == nullptr);
    CHECK(std::strcmp(static_cast<char*>(block), "content") == 0);
    CHECK(mem_alloc(mem, Purpose::kReceive, 8) == nullptr);
    CHECK(mem_used(mem) == 8);
    mem_free(mem, Purpose::kReceive, block, 8);
    CHECK(script.last_old == 8);
    CHECK(script.last_new == 0);
}

TEST_CASE("a block keeps its content whatever sizes it grows and shrinks through") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    size_t size = 16;
    char* p = static_cast<char*>(mem_alloc(mem, Purpose::kReceive, size));
    std::memcpy(p, "sixteen bytes...", 16);
    for (const int next : {100, 16383, 16384, 1000000, 70000, 300, 16384, 16}) {
        CAPTURE(next);
        p = static_cast<char*>(mem_resize(mem, Purpose::kReceive, p, size, size_t(next)));
        REQUIRE(p);
        size = size_t(next);
        CHECK(std::memcmp(p, "sixteen bytes...", 16) == 0);
        p[size - 1] = '.';
    }
    mem_free(mem, Purpose::kReceive, p, size);
    CHECK(mem_used(mem) == 0);
}

TEST_CASE("what is held is counted as the system's allocator rounds it, and as it is where that is another's") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    void* small = mem_alloc(mem, Purpose::kSend, 100);
    CHECK(mem.held_bytes == 112);
    void* const large = mem_alloc(mem, Purpose::kSend, 20000);
    CHECK(mem.held_bytes == 112 + 20480);
    small = mem_resize(mem, Purpose::kSend, small, 100, 16384);
    CHECK(mem.held_bytes == 16384 + 20480);
    mem_free(mem, Purpose::kSend, large, 20000);
    mem_free(mem, Purpose::kSend, small, 16384);
    CHECK(mem.held_bytes == 0);

    Scripted script{1};
    Mem other;
    mem_init(other, scripted, &script);
    void* const block = mem_alloc(other, Purpose::kSend, 100);
    CHECK(other.held_bytes == 100);
    mem_free(other, Purpose::kSend, block, 100);
}

TEST_CASE("what would go over the cap is refused and counted, and what is given back may be had again") {
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    mem.max_bytes = 1000;
    void* block = mem_alloc(mem, Purpose::kSend, 900);
    REQUIRE(block);
    CHECK(mem_alloc(mem, Purpose::kSend, 200) == nullptr);
    CHECK(mem_resize(mem, Purpose::kSend, block, 900, 1200) == nullptr);
    CHECK(mem_alloc(mem, Purpose::kSend, SIZE_MAX) == nullptr);
    CHECK(mem.refused_count == 3);
    mem.max_bytes = 500;  // less than is held: only shrinking goes
    CHECK(mem_alloc(mem, Purpose::kSend, 1) == nullptr);
    block = mem_resize(mem, Purpose::kSend, block, 900, 100);
    REQUIRE(block);
    void* const more = mem_alloc(mem, Purpose::kSend, 200);
    CHECK(more);
    mem_free(mem, Purpose::kSend, more, 200);
    mem_free(mem, Purpose::kSend, block, 100);
}
