// Descriptors as a test needs them: owned, counted, and run out of.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace test {

// Owns a descriptor.
struct Fd {
    int fd;

    explicit Fd(int owned = -1) : fd(owned) {}
    ~Fd() { close(); }
    Fd(Fd&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    operator int() const { return fd; }

    void close() {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }
};

// The number that the next descriptor gets: the same before and after if nothing was left open between.
inline int next_descriptor() {
    const Fd probe(dup(STDERR_FILENO));
    REQUIRE(probe >= 0);
    return probe;
}

// While it lives, this process gets `left` more descriptors and then no more.
struct DescriptorLimit {
    rlimit before;

    explicit DescriptorLimit(int left) {
        REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
        rlimit none = before;
        none.rlim_cur = rlim_t(next_descriptor() + left);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
    ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;
};

// While it lives, this process may have at least `count` descriptors.
struct DescriptorRoom {
    rlimit before;

    explicit DescriptorRoom(rlim_t count) {
        REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
        rlimit room = before;
        if (room.rlim_cur < count) room.rlim_cur = count;
        REQUIRE(setrlimit(RLIMIT_NOFILE, &room) == 0);
    }
    ~DescriptorRoom() { setrlimit(RLIMIT_NOFILE, &before); }
    DescriptorRoom(const DescriptorRoom&) = delete;
    DescriptorRoom& operator=(const DescriptorRoom&) = delete;
};

// Not blocking, and closed when another program is run?
inline bool is_tame(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) && (fcntl(fd, F_GETFD) & FD_CLOEXEC); }

}  // namespace test
