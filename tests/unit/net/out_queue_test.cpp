#include "net/out_queue.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <random>
#include <string>

#include "support/descriptors.h"

using namespace wsd;
using namespace wsd::net;
using test::Fd;

namespace {

Bytes bytes(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// A connected pair whose sending side takes little at a time.
struct Pair {
    int ends[2];

    Pair() {
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
        const int small = 4096;
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    ~Pair() {
        close(ends[0]);
        close(ends[1]);
    }

    std::string read_all() {
        std::string all;
        char part[65536];
        for (ssize_t n; (n = read(ends[1], part, sizeof part)) > 0;) all.append(part, size_t(n));
        return all;
    }
};

// A TCP connection, whose kernel takes a part of what it is offered where a unix socket takes all or nothing.
struct Tcp {
    Fd here, there;

    Tcp() {
        const Fd listener(socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t len = sizeof address;
        sockaddr* const any = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(bind(listener, any, len) == 0);
        REQUIRE(listen(listener, 1) == 0);
        REQUIRE(getsockname(listener, any, &len) == 0);
        here.fd = socket(AF_INET, SOCK_STREAM, 0);
        const int small = 4096;
        setsockopt(here, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        REQUIRE(connect(here, any, len) == 0);
        there.fd = accept(listener, nullptr, nullptr);
        REQUIRE(there.fd >= 0);
        REQUIRE(fcntl(here, F_SETFL, O_NONBLOCK) == 0);
        REQUIRE(fcntl(there, F_SETFL, O_NONBLOCK) == 0);
    }

    std::string read_some() {
        char part[1024];
        const ssize_t n = read(there, part, sizeof part);
        return {part, n > 0 ? size_t(n) : 0};
    }
};

struct Bed {
    Mem mem;
    OutQueue queue;
    Pair pair;

    Bed() { mem_init(mem, nullptr, nullptr); }
    ~Bed() {
        out_queue_clear(mem, queue);
        CHECK(mem_used(mem) == 0);
    }

    bool copy(const std::string& head, const std::string& body, UnitKey key = 0) {
        return out_queue_copy(mem, queue, bytes(head), bytes(body), 1, key);
    }
    std::string write() {
        size_t written = 0;
        (void)out_queue_write(mem, queue, pair.ends[0], &written);
        const std::string got = pair.read_all();
        CHECK(got.size() == written);
        return got;
    }
};

// Fails from the n-th allocation on.
struct Failing {
    int left;
};
void* failing(void* context, void* p, size_t, size_t new_size) {
    if (new_size == 0) {
        std::free(p);
        return nullptr;
    }
    return static_cast<Failing*>(context)->left-- > 0 ? std::realloc(p, new_size) : nullptr;
}

}  // namespace

TEST_CASE("bytes leave in the order they came, copied or shared") {
    Bed bed;
    SharedBlock* const block = block_new(bed.mem, Purpose::kSend, 6);
    std::memcpy(block->data(), "shared", 6);
    CHECK(bed.copy("a", "b"));
    CHECK(out_queue_share(bed.mem, bed.queue, bytes("h:"), block, {block->data(), 6}, 0));
    CHECK(bed.copy("", "c"));
    block_release(block);
    CHECK(bed.queue.bytes == 11);
    CHECK(bed.queue.units == 3);
    CHECK(bed.write() == "abh:sharedc");
    CHECK(bed.queue.bytes == 0);
    CHECK(bed.queue.units == 0);
}

TEST_CASE("a key names at most one waiting unit, which the latest replaces in its place") {
    Bed bed;
    CHECK(bed.copy("", "first"));
    CHECK(bed.copy("", "old", 7));
    CHECK(bed.copy("", "last"));
    CHECK(out_queue_waits(bed.queue, 7));
    CHECK_FALSE(out_queue_waits(bed.queue, 8));
    CHECK(bed.copy("", "newest", 7));
    out_queue_replace(bed.mem, bed.queue, 7);
    CHECK(bed.queue.units == 3);
    CHECK(bed.write() == "firstnewestlast");
}

TEST_CASE("replacing what was appended last, or nothing, keeps the rest") {
    Bed bed;
    CHECK(bed.copy("", "one", 1));
    out_queue_replace(bed.mem, bed.queue, 1);
    CHECK(bed.queue.bytes == 3);
    CHECK(bed.copy("", "two", 1));
    out_queue_replace(bed.mem, bed.queue, 1);
    CHECK(bed.copy("", "!"));
    CHECK(bed.write() == "two!");
}

TEST_CASE("a unit that has begun to leave is not replaced") {
    Bed bed;
    const std::string large(1 << 20, 'x');
    CHECK(bed.copy("", large, 1));
    const std::string first = bed.write();
    REQUIRE(first.size() < large.size());
    CHECK_FALSE(out_queue_waits(bed.queue, 1));
    CHECK(bed.copy("", "new", 1));
    out_queue_replace(bed.mem, bed.queue, 1);
    std::string rest = first;
    while (bed.queue.bytes) rest += bed.write();
    CHECK(rest == large + "new");
}

TEST_CASE("the queue does what a plain list of strings does, however little the kernel takes") {
    struct Unit {
        std::string bytes;
        UnitKey key;
    };
    std::mt19937 random(1);
    Bed bed;
    std::deque<Unit> model;
    size_t gone = 0;  // of the first unit
    std::string expected, got;
    for (int step = 0; step < 20000; step++) {
        const std::string text(1 + random() % (random() % 8 ? 40 : 9000), char('a' + step % 26));
        size_t owed = 0;
        switch (random() % 5) {
            case 0:
            case 1:
                REQUIRE(bed.copy(text.substr(0, 1), text.substr(1)));
                model.push_back({text, 0});
                break;
            case 2: {
                SharedBlock* const block = block_new(bed.mem, Purpose::kSend, text.size());
                std::memcpy(block->data(), text.data(), text.size());
                REQUIRE(out_queue_share(bed.mem, bed.queue, {}, block, {block->data(), text.size()}, 0));
                block_release(block);
                model.push_back({text, 0});
                break;
            }
            case 3: {
                const UnitKey key = 1 + random() % 3;
                REQUIRE(bed.copy("", text, key));
                out_queue_replace(bed.mem, bed.queue, key);
                bool replaced = false;
                for (size_t i = 0; i < model.size() && !replaced; i++) {
                    if (model[i].key != key || (i == 0 && gone > 0)) continue;
                    model[i].bytes = text;
                    replaced = true;
                }
                if (!replaced) model.push_back({text, key});
                break;
            }
            default: {
                const std::string part = bed.write();
                got += part;
                for (size_t n = part.size(); n > 0;) {
                    const size_t take = std::min(n, model.front().bytes.size() - gone);
                    expected += model.front().bytes.substr(gone, take);
                    gone += take;
                    n -= take;
                    if (gone < model.front().bytes.size()) break;
                    gone = 0;
                    model.pop_front();
                }
                REQUIRE(got == expected);
                got.clear();
                expected.clear();
            }
        }
        for (const Unit& unit : model) owed += unit.bytes.size();
        REQUIRE(bed.queue.bytes == owed - gone);
    }
}

TEST_CASE("short units share one block, which is made larger twice") {
    Bed bed;
    const uint64_t blocks_before = bed.mem.allocation_count;
    std::string all;
    for (int i = 0; i < 100; i++) {
        const std::string unit = std::to_string(i) + std::string(20, 'u');
        REQUIRE(bed.copy(unit, ""));
        all += unit;
    }
    CHECK(bed.mem.allocation_count - blocks_before == 3);
    CHECK(bed.write() == all);
}

TEST_CASE("a block of which some has gone is made larger around what has not") {
    Tcp tcp;
    Mem mem;
    mem_init(mem, nullptr, nullptr);
    OutQueue queue;
    std::string all, got;
    const auto copy = [&](size_t size) {
        const std::string unit(size, char('a' + all.size() % 26));
        REQUIRE(out_queue_copy(mem, queue, bytes(unit), {}, 1, 0));
        all += unit;
    };
    size_t written = 0;
    // Until the kernel's cut falls inside the only block, which has room to grow.
    const auto cut = [&] { return written > 0 && queue.bytes > 0 && queue.bytes < 1000; };
    for (size_t tries = 0; tries < 100000 && !cut(); tries++) {
        copy(1 + tries % 900);
        if (out_queue_write(mem, queue, tcp.here, &written) == Io::kAgain && !cut()) got += tcp.read_some();
    }
    REQUIRE(cut());
    for (int i = 0; i < 100; i++) copy(20);
    while (queue.bytes > 0) {
        (void)out_queue_write(mem, queue, tcp.here, &written);
        got += tcp.read_some();
    }
    while (got.size() < all.size()) got += tcp.read_some();
    CHECK(got == all);
    CHECK(mem_used(mem) == 0);
}

TEST_CASE("of units in one block about as many are left as their bytes are, and none only with the last") {
    CHECK(units_left(90, 1980, 1960) == 1);
    CHECK(units_left(90, 1980, 0) == 90);
    CHECK(units_left(90, 1980, 990) == 45);
    CHECK(units_left(1, 5000, 4999) == 1);
    CHECK(units_left(0, 10, 5) == 0);
    CHECK(units_left(3, 30, 30) == 0);
}

TEST_CASE("a block that may not grow keeps what it holds") {
    Failing script{1};
    Mem mem;
    mem_init(mem, failing, &script);
    OutQueue queue;
    const std::string first(200, 'f');
    REQUIRE(out_queue_copy(mem, queue, bytes(first), {}, 1, 0));
    CHECK_FALSE(out_queue_copy(mem, queue, bytes(first), {}, 1, 0));
    CHECK(queue.bytes == 200);
    CHECK(queue.units == 1);
    Pair pair;
    size_t written = 0;
    CHECK(out_queue_write(mem, queue, pair.ends[0], &written) == Io::kOk);
    CHECK(pair.read_all() == first);
    CHECK(mem_used(mem) == 0);
}

TEST_CASE("refused memory queues nothing and spoils nothing") {
    for (int left = 0; left < 4; left++) {
        CAPTURE(left);
        Failing script{1000};
        Mem mem;
        mem_init(mem, failing, &script);
        OutQueue queue;
        SharedBlock* const block = block_new(mem, Purpose::kSend, 4);
        std::memcpy(block->data(), "body", 4);
        script.left = left;
        std::string expected;
        if (out_queue_share(mem, queue, bytes("head"), block, {block->data(), 4}, 0)) expected += "headbody";
        if (out_queue_copy(mem, queue, bytes(std::string(5000, 'k')), {}, 1, 3)) expected += std::string(5000, 'k');
        CHECK(queue.bytes == expected.size());
        script.left = 1000;
        REQUIRE(out_queue_copy(mem, queue, bytes("end"), {}, 1, 0));
        Pair pair;
        std::string got;
        while (queue.bytes) {
            size_t written = 0;
            (void)out_queue_write(mem, queue, pair.ends[0], &written);
            got += pair.read_all();
        }
        CHECK(got == expected + "end");
        block_release(block);
        CHECK(mem_used(mem) == 0);
    }
}

TEST_CASE("a peer that is gone ends the writing") {
    Bed bed;
    close(bed.pair.ends[1]);
    bed.pair.ends[1] = open("/dev/null", O_RDONLY);
    CHECK(bed.copy("", "for nobody"));
    size_t written = 0;
    CHECK(out_queue_write(bed.mem, bed.queue, bed.pair.ends[0], &written) == Io::kClosed);
    CHECK(bed.queue.bytes == 10);
}
