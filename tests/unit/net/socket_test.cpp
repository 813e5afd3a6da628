#include "net/socket.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <string>
#include <vector>

#include "support/descriptors.h"
#include "support/interruption.h"
#include "support/sockets.h"

using namespace wsd;
using namespace wsd::net;
using namespace test;

namespace {

// A listener, a peer, and the peer's connection here.
struct Connection {
    Fd listener, peer, here;

    explicit Connection(const char* where = "127.0.0.1:0") : listener(listener_on(where)) {
        peer.fd = connected_to(place_of(listener));
        REQUIRE(accept_one(listener, &here.fd) == Io::kOk);
    }

    // Ends it from the peer's side with a reset.
    void reset() {
        const linger now = {1, 0};
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        peer.close();
        await_input(here);
    }
};

struct Pair {
    Fd here, there;

    explicit Pair(int flags = SOCK_NONBLOCK) {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | flags, 0, ends) == 0);
        here.fd = ends[0];
        there.fd = ends[1];
    }
};

std::string received(int fd, size_t room = 100) {
    std::vector<uint8_t> buffer(room);
    size_t n = 0;
    REQUIRE(receive(fd, buffer.data(), room, &n) == Io::kOk);
    return {reinterpret_cast<const char*>(buffer.data()), n};
}

Io try_receive(int fd) {
    uint8_t byte;
    size_t n = 0;
    return receive(fd, &byte, 1, &n);
}

Io try_send(int fd) {
    size_t n = 0;
    return send_bytes(fd, bytes_of("x"), &n);
}

Io try_send_parts(int fd) {
    char x = 'x';
    const iovec part = {&x, 1};
    size_t n = 0;
    return send_parts(fd, &part, 1, &n);
}

// What the handlers of an interrupted call know: it is let go on after so many signals, the most of which found it
// waiting.
std::atomic<int> s_signals;
int s_helper_fd;

constexpr int kSignalsBefore = 200;

}  // namespace

TEST_CASE("bytes go in and out, as many as there is room for") {
    Pair pair;
    size_t n = 0;
    CHECK(send_bytes(pair.here, bytes_of("hello"), &n) == Io::kOk);
    CHECK(n == 5);
    CHECK(received(pair.there, 4) == "hell");
    CHECK(received(pair.there) == "o");
}

TEST_CASE("parts leave as one, in their order") {
    Pair pair;
    std::string parts[] = {"one ", "", "two"};
    iovec vectors[3];
    for (int i = 0; i < 3; i++) vectors[i] = {parts[i].data(), parts[i].size()};
    size_t n = 0;
    CHECK(send_parts(pair.here, vectors, 3, &n) == Io::kOk);
    CHECK(n == 7);
    CHECK(received(pair.there) == "one two");

    std::vector<iovec> most(IOV_MAX, {parts[0].data(), 1});
    CHECK(send_parts(pair.here, most.data(), most.size(), &n) == Io::kOk);
    CHECK(n == IOV_MAX);
    most.push_back(most[0]);
    CHECK(send_parts(pair.here, most.data(), most.size(), &n) == Io::kError);
}

TEST_CASE("what cannot move now says again, and moves later") {
    Pair pair;
    CHECK(try_receive(pair.here) == Io::kAgain);
    size_t owed = 0;
    const std::string block(4096, 'x');
    for (size_t n = 0; send_bytes(pair.here, bytes_of(block.c_str()), &n) == Io::kOk;) owed += n;
    CHECK(owed > 0);
    CHECK(try_send(pair.here) == Io::kAgain);
    CHECK(try_send_parts(pair.here) == Io::kAgain);
    while (owed > 0) owed -= received(pair.there, 65536).size();
    CHECK(try_send(pair.here) == Io::kOk);
}

TEST_CASE("a peer that went, in order or not, is closed, and raises no signal") {
    Pair pair;
    CHECK(try_send(pair.there) == Io::kOk);
    pair.there.close();
    CHECK(try_send(pair.here) == Io::kClosed);  // SIGPIPE would end the test here
    CHECK(try_send_parts(pair.here) == Io::kClosed);
    CHECK(try_receive(pair.here) == Io::kOk);
    CHECK(try_receive(pair.here) == Io::kClosed);

    for (Io (*const transfer)(int) : {try_receive, try_send, try_send_parts}) {
        Connection connection;
        connection.reset();
        CHECK(transfer(connection.here) == Io::kClosed);
    }
}

TEST_CASE("a descriptor that is no open socket is an error, and errno says which") {
    const Fd file(open("/dev/null", O_RDWR));
    for (Io (*const transfer)(int) : {try_receive, try_send, try_send_parts}) {
        CHECK(transfer(-1) == Io::kError);
        CHECK(errno == EBADF);
        CHECK(transfer(file) == Io::kError);
        CHECK(errno == ENOTSOCK);
    }
    int fd = 0;
    CHECK(accept_one(file, &fd) == Io::kError);
    CHECK(errno == ENOTSOCK);
}

TEST_CASE("a signal interrupts no transfer and no accept") {
    s_signals = 0;
    SUBCASE("receive") {
        Pair pair(0);
        s_helper_fd = pair.there;
        Interruption interruption([](int) {
            if (s_signals++ == kSignalsBefore) (void)!write(s_helper_fd, "x", 1);
        });
        CHECK(try_receive(pair.here) == Io::kOk);
    }
    SUBCASE("send") {
        for (Io (*const transfer)(int) : {try_send, try_send_parts}) {
            s_signals = 0;
            Pair pair;
            const std::string block(4096, 'x');
            for (size_t n = 0; send_bytes(pair.here, bytes_of(block.c_str()), &n) == Io::kOk;) continue;
            REQUIRE(fcntl(pair.here, F_SETFL, 0) == 0);  // the next waits for room
            s_helper_fd = pair.there;
            Interruption interruption([](int) {
                static char sink[1 << 16];
                const int before = errno;  // what it interrupts may be about to look
                if (s_signals++ >= kSignalsBefore) (void)!recv(s_helper_fd, sink, sizeof sink, MSG_DONTWAIT);
                errno = before;
            });
            CHECK(transfer(pair.here) == Io::kOk);
        }
    }
    SUBCASE("accept") {
        const Fd listener(listener_on("127.0.0.1:0"));
        REQUIRE(fcntl(listener, F_SETFL, 0) == 0);
        const Fd peer(socket(AF_INET, SOCK_STREAM, 0));
        const Address to = address_of(place_of(listener));
        static const Address* s_to;
        s_to = &to;
        s_helper_fd = peer;
        Interruption interruption([](int) {
            if (s_signals++ == kSignalsBefore) (void)!connect(s_helper_fd, plain(s_to->storage), s_to->len);
        });
        Fd here;
        CHECK(accept_one(listener, &here.fd) == Io::kOk);
    }
    CHECK(s_signals > kSignalsBefore);
}

TEST_CASE("an accepted connection does not block, is closed on exec and has the listener's options") {
    ListenOptions options;
    options.tcp_user_timeout_ms = 12345;
    for (const char* const where : {"127.0.0.1:0", "[::1]:0"}) {
        CAPTURE(where);
        const Fd listener(listener_on(where, options));
        Fd here;
        CHECK(accept_one(listener, &here.fd) == Io::kAgain);
        const Fd peer(connected_to(place_of(listener)));
        REQUIRE(accept_one(listener, &here.fd) == Io::kOk);
        CHECK(is_tame(here));
        CHECK(option(here, IPPROTO_TCP, TCP_NODELAY) == 1);
        CHECK(option(here, IPPROTO_TCP, TCP_USER_TIMEOUT) == 12345);
        int none = -1;
        CHECK(accept_one(listener, &none) == Io::kAgain);
    }
}

TEST_CASE("a connection that was reset in the queue ends at its first read, and the next one is served") {
    const Fd listener(listener_on("127.0.0.1:0"));
    {
        const Fd gone(connected_to(place_of(listener)));
        const linger now = {1, 0};
        setsockopt(gone, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    const Fd peer(connected_to(place_of(listener)));
    REQUIRE(try_send(peer) == Io::kOk);
    Fd first;
    REQUIRE(accept_one(listener, &first.fd) == Io::kOk);
    CHECK(try_receive(first) == Io::kClosed);
    Fd second;
    REQUIRE(accept_one(listener, &second.fd) == Io::kOk);
    await_input(second);
    CHECK(received(second) == "x");
}

TEST_CASE("out of descriptors a connection waits in the queue") {
    const Fd listener(listener_on("127.0.0.1:0"));
    const Fd peer(connected_to(place_of(listener)));
    Fd here;
    {
        const DescriptorLimit limit(0);
        CHECK(accept_one(listener, &here.fd) == Io::kError);
        CHECK(errno == EMFILE);
        CHECK(listen_on(address_of("127.0.0.1:0"), {}) == -1);
        CHECK(errno == EMFILE);
    }
    CHECK(accept_one(listener, &here.fd) == Io::kOk);
}

TEST_CASE("after the sending is shut down the peer reads to the end, and is still heard") {
    Connection connection;
    REQUIRE(try_send(connection.here) == Io::kOk);
    shut_down_sending(connection.here);
    await_input(connection.peer);
    CHECK(received(connection.peer) == "x");
    CHECK(try_receive(connection.peer) == Io::kClosed);
    CHECK(try_send(connection.here) == Io::kClosed);
    REQUIRE(try_send(connection.peer) == Io::kOk);
    await_input(connection.here);
    CHECK(received(connection.here) == "x");
    connection.reset();
    shut_down_sending(connection.here);  // of a connection that is gone: nothing happens
}
