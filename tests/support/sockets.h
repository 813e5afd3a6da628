// Sockets by the names that wsd::net::listen_on takes, for tests of the net floor.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "net/socket.h"

namespace test {

inline const sockaddr* plain(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr*>(&storage); }

inline wsd::net::Address address_of(const std::string& text) {
    wsd::net::Address address;
    REQUIRE(wsd::net::parse_address(text.c_str(), &address));
    return address;
}

inline int listener_on(const std::string& text, const wsd::net::ListenOptions& options = {}) {
    const int fd = wsd::net::listen_on(address_of(text), options);
    REQUIRE(fd >= 0);
    return fd;
}

// Where a socket stands, in the form that listen_on takes.
inline std::string place_of(int fd) {
    sockaddr_storage storage = {};
    socklen_t len = sizeof storage;
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &len) == 0);
    char text[128];
    wsd::net::format_address(storage, len, text, sizeof text);
    return text;
}

// A socket that is or is not connected afterwards, as the answer says.
inline bool connects(int fd, const std::string& place) {
    const wsd::net::Address to = address_of(place);
    return connect(fd, plain(to.storage), to.len) == 0;
}

inline int connected_to(const std::string& place) {
    const int fd = socket(address_of(place).storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(connects(fd, place));
    return fd;
}

// Waits until there is something to read, which includes an end: what the peer did has then arrived.
inline void await_input(int fd) {
    pollfd watched = {fd, POLLIN, 0};
    REQUIRE(poll(&watched, 1, 10000) == 1);
}

inline int option(int fd, int level, int name) {
    int value = -1;
    socklen_t len = sizeof value;
    REQUIRE(getsockopt(fd, level, name, &value, &len) == 0);
    return value;
}

// A directory that goes with its content.
struct Directory {
    std::string path = "/tmp/wsd-socket-test-XXXXXX";

    Directory() { REQUIRE(mkdtemp(path.data())); }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string socket() const { return "unix:" + file(); }
    std::string file() const { return path + "/s"; }
};

}  // namespace test
