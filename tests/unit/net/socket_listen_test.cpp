// listen_on of net/socket.h: opening, adopting, and what is refused.
#include <doctest/doctest.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "net/socket.h"
#include "support/descriptors.h"
#include "support/sockets.h"

using namespace wsd;
using namespace wsd::net;
using namespace test;

TEST_CASE("a listener does not block, is closed on exec and has the options that it was given") {
    ListenOptions options;
    options.backlog = 7;
    options.defer_accept_s = 3;
    for (const char* const where : {"127.0.0.1:0", "[::1]:0"}) {
        CAPTURE(where);
        const Fd listener(listener_on(where, options));
        CHECK(is_tame(listener));
        CHECK(option(listener, SOL_SOCKET, SO_ACCEPTCONN) == 1);
        CHECK(option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT) >= 3);  // the kernel rounds to its retries
        tcp_info info = {};
        socklen_t len = sizeof info;
        REQUIRE(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
        CHECK(info.tcpi_sacked == 7);  // of a listening socket: its backlog
    }
}

TEST_CASE("an option that the system refuses opens nothing") {
    ListenOptions timeout;
    timeout.tcp_user_timeout_ms = 1u << 31;  // negative, for the kernel
    const int before = next_descriptor();
    CHECK(listen_on(address_of("127.0.0.1:0"), timeout) == -1);
    CHECK(errno == EINVAL);
    CHECK(next_descriptor() == before);

    const Fd inherited(listener_on("127.0.0.1:0"));
    CHECK(listen_on(address_of("fd:" + std::to_string(inherited.fd)), timeout) == -1);
    CHECK(errno == EINVAL);
    CHECK(fcntl(inherited, F_GETFD) >= 0);  // it stays its owner's
}

TEST_CASE("an address in use opens nothing, and is free again as soon as its listener is gone") {
    Fd listener(listener_on("127.0.0.1:0"));
    const std::string place = place_of(listener);
    const int before = next_descriptor();
    CHECK(listen_on(address_of(place), {}) == -1);
    CHECK(errno == EADDRINUSE);
    CHECK(next_descriptor() == before);

    // The side that ends first keeps the port in TIME_WAIT.
    const Fd peer(connected_to(place));
    Fd here;
    REQUIRE(accept_one(listener, &here.fd) == Io::kOk);
    here.close();
    await_input(peer);
    listener.close();
    listener.fd = listener_on(place);
    CHECK(place_of(listener) == place);
}

TEST_CASE("only a dual-stack address takes IPv4 on an IPv6 socket, and IPv4 alone where there is no IPv6") {
    Address address = address_of("[::ffff:127.0.0.1]:0");  // loopback in IPv4, which tells without the wildcard
    CHECK(listen_on(address, {}) == -1);
    CHECK(errno == EINVAL);
    address.dual_stack = true;
    Fd both(listen_on(address, {}));
    REQUIRE(both >= 0);
    CHECK(option(both, SOL_SOCKET, SO_DOMAIN) == AF_INET6);
    const Fd peer(connected_to(place_of(both)));  // through IPv4
    Fd here;
    CHECK(accept_one(both, &here.fd) == Io::kOk);

    const std::string port = place_of(both).substr(place_of(both).rfind(':'));
    both.close();
    address = address_of("*" + port);
    address.storage.ss_family = AF_UNSPEC;  // a family that no kernel has: it answers as one without IPv6
    const Fd four(listen_on(address, {}));
    REQUIRE(four >= 0);
    CHECK(place_of(four) == "0.0.0.0" + port);
    address.dual_stack = false;
    CHECK(listen_on(address, {}) == -1);
    CHECK(errno == EAFNOSUPPORT);
}

TEST_CASE("the file that a dead server left is replaced") {
    const Directory directory;
    Fd(listener_on(directory.socket())).close();
    REQUIRE(std::filesystem::is_socket(directory.file()));
    const Fd listener(listener_on(directory.socket()));
    CHECK(is_tame(listener));
    const Fd peer(connected_to(directory.socket()));
    Fd here;
    CHECK(accept_one(listener, &here.fd) == Io::kOk);
}

TEST_CASE("a unix socket that is served stays, even with a full queue") {
    const Directory directory;
    ListenOptions options;
    options.backlog = 0;
    const Fd listener(listener_on(directory.socket(), options));
    const auto refused = [&] { return listen_on(address_of(directory.socket()), {}) == -1 && errno == EADDRINUSE; };
    CHECK(refused());
    std::vector<int> waiting;
    for (;;) {
        waiting.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        if (!connects(waiting.back(), directory.socket())) break;
    }
    CHECK(errno == EAGAIN);
    CHECK(refused());
    CHECK(std::filesystem::is_socket(directory.file()));
    for (const int fd : waiting) close(fd);
}

TEST_CASE("a file that is no socket stays") {
    const Directory directory;
    std::ofstream(directory.file()) << "precious";
    CHECK(listen_on(address_of(directory.socket()), {}) == -1);
    CHECK(errno == EADDRINUSE);
    std::string content;
    std::ifstream(directory.file()) >> content;
    CHECK(content == "precious");
}

TEST_CASE("without a descriptor to ask with, a file is not taken for a dead server's") {
    const Directory directory;
    Fd(listener_on(directory.socket())).close();
    const DescriptorLimit limit(1);  // the listener's own
    CHECK(listen_on(address_of(directory.socket()), {}) == -1);
    CHECK(errno == EADDRINUSE);
}

TEST_CASE("a unix socket in no directory opens nothing") {
    const Directory directory;
    const int before = next_descriptor();
    CHECK(listen_on(address_of(directory.socket() + "/none"), {}) == -1);
    CHECK(errno == ENOENT);
    CHECK(next_descriptor() == before);
}

TEST_CASE("an inherited listener is adopted as it is, and made like ours") {
    const Directory directory;
    for (const std::string& where : {std::string("127.0.0.1:0"), directory.socket()}) {
        CAPTURE(where);
        const Address address = address_of(where);
        const Fd inherited(socket(address.storage.ss_family, SOCK_STREAM, 0));
        REQUIRE(bind(inherited, plain(address.storage), address.len) == 0);
        REQUIRE(listen(inherited, 5) == 0);
        REQUIRE_FALSE(is_tame(inherited));
        CHECK(listener_on("fd:" + std::to_string(inherited.fd)) == inherited);
        CHECK(is_tame(inherited));
        const Fd peer(connected_to(place_of(inherited)));
        Fd here;
        REQUIRE(accept_one(inherited, &here.fd) == Io::kOk);
        if (address.storage.ss_family == AF_INET) CHECK(option(here, IPPROTO_TCP, TCP_NODELAY) == 1);
    }
}

TEST_CASE("an inherited descriptor that is no listening stream is refused and left alone") {
    const Directory directory;
    const Address address = address_of(directory.socket());
    const Fd packets(socket(AF_UNIX, SOCK_SEQPACKET, 0));  // it listens, but is no stream
    REQUIRE(bind(packets, plain(address.storage), address.len) == 0);
    REQUIRE(listen(packets, 5) == 0);
    const Fd idle(socket(AF_INET, SOCK_STREAM, 0));
    const Fd datagrams(socket(AF_INET, SOCK_DGRAM, 0));
    const Fd file(open("/dev/null", O_RDWR));
    const int closed = next_descriptor();
    const struct {
        int fd;
        int reason;
    } rows[] = {{packets, EINVAL}, {idle, EINVAL}, {datagrams, EINVAL}, {file, ENOTSOCK}, {closed, EBADF}};
    for (const auto& row : rows) {
        CAPTURE(row.reason);
        CHECK(listen_on(address_of("fd:" + std::to_string(row.fd)), {}) == -1);
        CHECK(errno == row.reason);
        if (row.reason != EBADF) CHECK_FALSE(is_tame(row.fd));
    }
}
