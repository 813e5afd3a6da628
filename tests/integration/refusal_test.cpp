// What the system refuses: room in epoll, and a peer that is gone when something is written to it.
#include <fcntl.h>
#include <sys/epoll.h>

#include "support/descriptors.h"
#include "support/test_server.h"

using namespace test;

namespace {

// While it lives, the server's epoll descriptor is no epoll: it takes nothing, and forgets nothing.
class NoEpoll {
  public:
    explicit NoEpoll(wsd_server* server) : fd_(wsd_server_fd(server)), kept_(dup(fd_)) {
        const Fd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
        REQUIRE(dup2(other, fd_) == fd_);
    }
    ~NoEpoll() { dup2(kept_, fd_); }
    NoEpoll(const NoEpoll&) = delete;
    NoEpoll& operator=(const NoEpoll&) = delete;

  private:
    int fd_;
    Fd kept_;
};

}  // namespace

TEST_CASE("a listener that epoll does not take is closed again, and its address is free") {
    TestServer server;
    server.start();
    const Fd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in any = {};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(probe, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(listen(probe, 1) == 0);
    const std::string place = "fd:" + std::to_string(dup(probe));
    const int before = next_descriptor();
    {
        const NoEpoll no_epoll(server);
        CHECK(wsd_server_listen(server, place.c_str()) == WSD_E_SYSTEM);
        CHECK(errno == EINVAL);
    }
    CHECK(next_descriptor() < before);  // the one that was given, too
    char text_of[64];
    CHECK(wsd_server_address(server, 1, text_of, sizeof text_of) == WSD_E_INVALID);
    CHECK(wsd_server_listen(server, "127.0.0.1:0") == 1);
}

TEST_CASE("a connection that epoll does not take is aborted and logged, and the next one is served") {
    TestServer server;
    std::optional<NoEpoll> no_epoll;
    std::vector<std::string> logged;
    server.on_log = [&](wsd_conn, const char* what, int error) {
        no_epoll.reset();
        if (error == WSD_E_SYSTEM) logged.emplace_back(what);
    };
    server.start();
    Client& early = server.open();
    server.on_message = [&](wsd_conn, wsd_opcode, std::string_view) { no_epoll.emplace(server); };
    early.send(text("now"));  // heard in the turn in which the next one is accepted, and before
    Client& client = server.connect();
    CHECK(server.until([&] { return client.ended; }));
    CHECK(logged == std::vector<std::string>{"epoll has no room"});
    CHECK(server.closed.empty());
    CHECK(server.stats().connections_active == 1);
    server.on_message = nullptr;
    Client& next = server.open();
    next.send(text("hi"));
    CHECK(server.next(next) == "text:hi");
}

TEST_CASE("a large message to a peer that was reset is WSD_E_CLOSED at once, and a small one ends with the turn") {
    for (const size_t size : {size_t(1), size_t(1) << 20}) {
        CAPTURE(size);
        TestServer server;
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn);
        server.settle();
        client.reset();
        pollfd told = {wsd_server_fd(server), POLLIN, 0};
        REQUIRE(poll(&told, 1, 10000) == 1);  // the reset is here, and the server has not looked yet
        const std::string payload(size, 'x');
        const int result = wsd_send(server, conn, WSD_BINARY, payload.data(), payload.size());
        CHECK(result == (size == 1 ? WSD_OK : WSD_E_CLOSED));
        CHECK(wsd_send(server, conn, WSD_BINARY, "x", 1) == result);
        CHECK(server.closed.empty());  // not within the call
        REQUIRE(server.until([&] { return server.closed.size() == 1; }));
        CHECK(server.closed[0].cause == WSD_CAUSE_VANISHED);
        CHECK(server.closed[0].code == 1006);
    }
}

TEST_CASE("more connections than are accepted at a time are all accepted, without another edge") {
    TestServer server;
    server.start();
    const size_t many = 300;
    for (size_t i = 0; i < many; i++) (void)server.connect();
    server.settle();
    CHECK(server.stats().connections_active == many);
}
