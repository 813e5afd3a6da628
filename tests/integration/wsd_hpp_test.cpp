// wsd.hpp: that it passes on what wsd.h says, owns what it is given, and keeps exceptions out of C frames. What the
// library itself does has its tests elsewhere.
#include <sys/eventfd.h>

#include <list>
#include <stdexcept>
#include <thread>

#include "support/client.h"
#include "support/counting_allocator.h"
#include "wsd.hpp"

using namespace test;
using wsd::Connection;
using wsd::Message;
using wsd::Result;

namespace {

static_assert(!std::is_copy_constructible_v<wsd::Server> && std::is_nothrow_move_constructible_v<wsd::Server>);
static_assert(!std::is_copy_constructible_v<wsd::Prepared> && std::is_nothrow_move_constructible_v<wsd::Prepared>);
static_assert(std::is_trivially_copyable_v<Connection>);

// A server that echoes unless told otherwise, its clients and its clock in one thread.
struct World {
    CountingAllocator memory;
    uint64_t now_ms = 1000;
    wsd::Config config;
    wsd::Handlers handlers;
    std::vector<Connection> opened;
    std::vector<wsd_close_info> closed;
    std::list<Client> clients;
    wsd::Server server;

    World() {
        config.allocate = CountingAllocator::allocate;
        config.allocate_context = &memory;
        config.clock = [](void* context) { return static_cast<World*>(context)->now_ms; };
        config.clock_context = this;
        handlers.on_open = [this](Connection conn) { opened.push_back(conn); };
        handlers.on_close = [this](Connection, const wsd_close_info& info) { closed.push_back(info); };
        handlers.on_message = [](Connection conn, Message message) { CHECK(conn.send(message) == Result::kOk); };
    }
    ~World() {
        server = {};
        CHECK(opened.size() == closed.size());
        CHECK(memory.live_bytes == 0);
    }

    void start() {
        REQUIRE(wsd::Server::create(config, handlers, &server) == Result::kOk);
        REQUIRE(server.listen("127.0.0.1:0") == Result::kOk);
    }

    template <class Condition>
    void until(Condition condition) {
        for (int turn = 0; !condition(); turn++) {
            REQUIRE(turn < 10000);
            bool more = false;
            REQUIRE(server.poll(0, &more) == Result::kOk);
            REQUIRE(more);
            bool moved = false;
            for (Client& client : clients) moved |= client.pump();
            if (!moved) wait();
        }
    }

    // Sleeps until a descriptor of this little world is ready.
    void wait() {
        std::vector<pollfd> fds{{wsd_server_fd(server.get()), POLLIN, 0}};
        for (const Client& client : clients) fds.push_back(client.waits_for());
        (void)poll(fds.data(), fds.size(), 10);
    }

    Client& open(const std::string& more_headers = "") {
        Client& client = clients.emplace_back(dial(server.address()));
        client.send(upgrade_request(more_headers));
        CHECK(response(client).status == 101);
        return client;
    }
    Response response(Client& client) {
        std::optional<Response> found;
        until([&] { return (found = take_response(client.input)) || client.ended; });
        return found ? *found : Response{};
    }
    std::string next(Client& client) {
        std::optional<Frame> found;
        until([&] { return (found = take_frame(client.input)) || client.ended; });
        return found ? show(*found) : "end";
    }
};

// More than the kernel takes for a peer that does not read.
const std::string kLong(32 << 20, 'x');
constexpr std::string_view kBytes("\0\xff", 2);

}  // namespace

TEST_CASE("a message is text or bytes by its type, and is passed on as what it is") {
    World world;
    std::vector<std::string> kinds;
    world.handlers.on_message = [&](Connection conn, Message message) {
        kinds.push_back((message.is_text() ? "text of " : "bytes of ") + std::to_string(message.bytes().size()));
        CHECK(conn.send(message) == Result::kOk);
    };
    world.start();
    Client& client = world.open();
    client.send(text("hi") + binary(kBytes) + text(""));
    CHECK(world.next(client) == "text:hi");
    CHECK(world.next(client) == "binary:" + std::string(kBytes));
    CHECK(world.next(client) == "text:");
    CHECK(kinds == std::vector<std::string>{"text of 2", "bytes of 2", "text of 0"});

    const Connection conn = world.opened.at(0);
    const std::vector<std::byte> bytes(3, std::byte('b'));
    CHECK(conn.send("literal") == Result::kOk);
    CHECK(conn.send(std::string("string")) == Result::kOk);
    CHECK(conn.send(bytes) == Result::kOk);
    CHECK(conn.send({WSD_BINARY, "named"}) == Result::kOk);
    CHECK(conn.send_fragment("one", false) == Result::kOk);
    CHECK(conn.send("between") == Result::kInvalid);
    CHECK(conn.send_fragment("two", true) == Result::kOk);
    for (const char* expected : {"text:literal", "text:string", "binary:bbb", "binary:named", "text+:one", "more:two"})
        CHECK(world.next(client) == expected);
    CHECK(conn.close(4000, "done") == Result::kOk);
    CHECK(world.next(client) == "close:4000 done");
    CHECK(conn.send("late") == Result::kClosed);
    CHECK(Connection{}.send("nobody") == Result::kInvalid);
}

TEST_CASE("options of a send reach the library") {
    World world;
    world.config.send_high_count = 2;
    world.config.send_high_bytes = 2 * kLong.size();
    world.start();
    Client& client = world.open();
    const Connection conn = world.opened.at(0);
    CHECK(conn.send(kLong) == Result::kOk);
    CHECK(conn.buffered() > 0);
    CHECK(conn.send("old", {.full = WSD_FULL_REPLACE, .key = 7}) == Result::kOk);
    CHECK(conn.send("new", {.full = WSD_FULL_REPLACE, .key = 7}) == Result::kOk);
    CHECK(conn.send("refused") == Result::kAgain);
    CHECK(conn.send("dropped", {.full = WSD_FULL_DROP}) == Result::kOk);
    CHECK(world.next(client).size() == kLong.size() + 5);
    CHECK(world.next(client) == "text:new");
    CHECK(world.server.stats().sends_replaced == 1);
    CHECK(world.server.stats().sends_dropped == 1);
}

TEST_CASE("a request is read and answered by the handler") {
    World world;
    world.handlers.on_request = [](Connection conn, const wsd::Request& request) {
        CHECK(request.method() == "GET");
        CHECK(request.target() == (request.is_upgrade() ? "/" : "/a?b"));
        CHECK(request.header("Host") == "a");
        CHECK(!request.header("No-Such-Header"));
        CHECK(request.offers("chat") == request.is_upgrade());
        const wsd_header header[] = {{"X-Seen", "yes"}};
        if (request.is_upgrade()) {
            CHECK(conn.accept("chat", header) == Result::kOk);
        } else {
            CHECK(request.path() == "/a");
            CHECK(request.query() == "b");
            CHECK(conn.respond(200, "page", header) == Result::kOk);
        }
        CHECK(conn.respond(200) == Result::kInvalid);
    };
    world.start();
    Client& page = world.clients.emplace_back(dial(world.server.address()));
    page.send(plain_request("GET /a?b"));
    const Response answer = world.response(page);
    CHECK(answer.status == 200);
    CHECK(answer.body == "page");
    CHECK(answer.head.find("X-Seen: yes") != std::string::npos);
    world.open("Sec-WebSocket-Protocol: chat\r\n");
    wsd_conn_info info;
    CHECK(world.opened.at(0).info(&info) == Result::kOk);
    CHECK(std::string(info.subprotocol) == "chat");
}

TEST_CASE("a handler that is not set is a callback that is not set") {
    World world;
    world.start();
    Client& page = world.clients.emplace_back(dial(world.server.address()));
    page.send(plain_request("GET /"));
    CHECK(world.response(page).status == 426);
}

TEST_CASE("every other handler is told, too") {
    World world;
    std::vector<std::string> told;
    world.config.session_timeout_ms = 50;
    world.config.ping_interval_ms = 20;
    world.handlers.on_message = nullptr;
    world.handlers.on_chunk = [&](Connection, Message piece, bool final) {
        told.push_back("chunk " + std::string(piece.data) + (final ? "." : ""));
    };
    world.handlers.on_pong = [&](Connection, uint32_t rtt_ms) { told.push_back("pong " + std::to_string(rtt_ms)); };
    world.handlers.on_drain = [&](Connection conn) {
        if (conn == world.opened.at(0)) told.push_back("drain");
    };
    world.handlers.on_log = [&](wsd_log_level, Connection, const char*, int error) {
        if (error == WSD_E_OPCODE) told.push_back("log");
    };
    world.handlers.on_session_end = [&](wsd_server* server, wsd_session, wsd_session_reason reason) {
        CHECK(server == world.server.get());
        told.push_back(reason == WSD_SESSION_EXPIRED ? "expired" : "?");
    };
    world.handlers.on_refused = [&](Connection, const wsd::Request* request, int status, const char*) {
        told.push_back(std::to_string(status) + (request ? " " + std::string(request->path()) : ""));
    };
    world.config.send_high_count = 1;
    world.start();
    Client& client = world.open();
    const Connection conn = world.opened.at(0);
    const auto expect = [&](const char* what) {
        world.until([&] { return !told.empty(); });
        CHECK(told == std::vector<std::string>{what});
        told.clear();
    };
    client.send(text("hi"));
    expect("chunk hi.");
    CHECK(conn.send(kLong) == Result::kOk);
    CHECK(conn.send("over") == Result::kAgain);
    expect("drain");
    CHECK(world.next(client).size() == kLong.size() + 5);
    world.now_ms += 20;
    const std::string ping_words = world.next(client);
    REQUIRE(ping_words.rfind("ping:", 0) == 0);
    world.now_ms += 3;
    client.send(pong(ping_words.substr(5)));
    expect("pong 3");
    wsd_session session = 0;
    CHECK(wsd_session_create(world.server.get(), wsd_str_of("ada"), 5, &session) == WSD_OK);
    world.now_ms += 5;
    expect("expired");
    world.clients.emplace_back(dial(world.server.address())).send("GET /\1\r\n\r\n");
    expect("400");
    world.config.origins = "https://example.com";
    CHECK(world.server.reconfigure(world.config) == Result::kOk);
    world.clients.emplace_back(dial(world.server.address())).send(upgrade_request("Origin: https://other\r\n"));
    expect("403 /");
    CHECK(world.server.drain(100, 200) == Result::kInvalid);  // a window longer than the grace
    client.send(frame(0x83, ""));
    expect("log");
    world.until([&] { return client.ended; });
}

TEST_CASE("an exception in a handler leaves poll() and run(), and the server goes on") {
    World world;
    world.handlers.on_message = [](Connection conn, Message message) {
        if (message.data == "throw") throw std::runtime_error("first");
        if (message.data == "throw too") throw std::logic_error("second");
        CHECK(conn.send(message) == Result::kOk);
    };
    world.start();
    Client& client = world.open();

    client.send(text("throw") + text("throw too") + text("after"));
    CHECK_THROWS_WITH_AS((void)world.server.run(), "first", std::runtime_error);
    CHECK(world.next(client) == "text:after");

    client.send(text("throw"));
    CHECK_THROWS_WITH_AS((void)world.server.poll(-1), "first", std::runtime_error);

    client.send(text("still here"));
    REQUIRE(world.server.start_timer(0, [&] { world.server.stop(); }) == Result::kOk);
    CHECK(world.server.run() == Result::kOk);
    CHECK(world.next(client) == "text:still here");
}

TEST_CASE("an exception in a timer, a post or a watch does the same, and one while the server ends is lost") {
    World world;
    world.handlers.on_close = [&](Connection, const wsd_close_info& info) {
        world.closed.push_back(info);
        throw 4;
    };
    world.start();
    CHECK(world.server.start_timer(0, [] { throw 1; }) == Result::kOk);
    CHECK_THROWS_AS((void)world.server.run(), int);
    CHECK(world.server.post([] { throw 2; }) == Result::kOk);
    CHECK_THROWS_AS((void)world.server.run(), int);
    const int fd = eventfd(1, EFD_CLOEXEC);
    CHECK(world.server.watch(fd, WSD_READABLE, [](unsigned) { throw 3; }) == Result::kOk);
    CHECK_THROWS_AS((void)world.server.run(), int);
    CHECK(world.server.unwatch(fd) == Result::kOk);
    close(fd);
    world.open();
}

TEST_CASE("a server that moved serves on, and one that is assigned over ends") {
    World world;
    world.start();
    Client& client = world.open();
    CHECK(world.server.start_timer(0, [&] { CHECK(world.opened.at(0).send("timer") == Result::kOk); }) == Result::kOk);
    wsd::Server moved = std::move(world.server);
    CHECK(!world.server);
    CHECK(world.server.get() == nullptr);
    world.server = std::move(moved);
    CHECK(world.next(client) == "text:timer");
    client.send(text("hi"));
    CHECK(world.next(client) == "text:hi");

    wsd::Server other;
    REQUIRE(wsd::Server::create(world.config, world.handlers, &other) == Result::kOk);
    world.server = std::move(other);
    REQUIRE(world.closed.size() == 1);
    CHECK(world.closed[0].cause == WSD_CAUSE_ABORTED);
}

TEST_CASE("what cannot be made is said by a result, and the server stays as it was") {
    World world;
    world.config.head_max_bytes = 1;
    CHECK(wsd::Server::create(world.config, {}, &world.server) == Result::kInvalid);
    CHECK(!world.server);
    CHECK(std::string(wsd::text(Result::kInvalid)) == wsd_error_text(WSD_E_INVALID));
    world.config = {};
    REQUIRE(wsd::Server::create(world.config, {}, &world.server) == Result::kOk);
    int listener = 0;
    CHECK(world.server.listen("nowhere", &listener) == Result::kInvalid);
    CHECK(listener == WSD_E_INVALID);
    CHECK(world.server.address() == "");
    CHECK(world.server.listen("127.0.0.1:0", &listener) == Result::kOk);
    CHECK(world.server.address(listener).rfind("127.0.0.1:", 0) == 0);
    CHECK(world.server.start_timer(0, {}) == Result::kInvalid);
    CHECK(world.server.post({}) == Result::kInvalid);
    CHECK(world.server.watch(0, WSD_READABLE, {}) == Result::kInvalid);
}

TEST_CASE("a timer calls once or is stopped, and its function is gone then") {
    World world;
    world.start();
    const auto owned = std::make_shared<int>(0);
    wsd_timer stopped = 0, fired = 0;
    CHECK(world.server.start_timer(
              10, [owned] { ++*owned; }, &fired) == Result::kOk);
    CHECK(world.server.start_timer(
              10, [owned] { *owned = 100; }, &stopped) == Result::kOk);
    CHECK(world.server.start_timer(1000, [owned] { *owned = 100; }) == Result::kOk);
    CHECK(owned.use_count() == 4);
    CHECK(world.server.stop_timer(stopped) == Result::kOk);
    CHECK(owned.use_count() == 3);
    world.now_ms += 10;
    world.until([&] { return *owned == 1; });
    CHECK(owned.use_count() == 2);
    CHECK(world.server.stop_timer(fired) == Result::kClosed);
    CHECK(world.server.stop_timer(stopped) == Result::kClosed);
    world.server = {};
    CHECK(owned.use_count() == 1);
    CHECK(*owned == 1);
}

TEST_CASE("posts of a thread come in order, and those that wait when the server ends are gone without a call") {
    World world;
    world.config.post_max_count = 4;
    world.start();
    std::vector<int> got;
    std::thread([&] {
        for (int i = 0; i < 4; i++) CHECK(world.server.post([&got, i] { got.push_back(i); }) == Result::kOk);
        CHECK(world.server.post([&got] { got.push_back(100); }) == Result::kAgain);
    }).join();
    world.until([&] { return got.size() == 4; });
    CHECK(got == std::vector<int>{0, 1, 2, 3});

    const auto owned = std::make_shared<int>(0);
    CHECK(world.server.post([owned] { ++*owned; }) == Result::kOk);
    CHECK(owned.use_count() == 2);
    world.server = {};
    CHECK(owned.use_count() == 1);
    CHECK(*owned == 0);
}

TEST_CASE("a watch may be replaced, and may end itself while it is called") {
    World world;
    world.start();
    const int fd = eventfd(1, EFD_CLOEXEC);
    const auto owned = std::make_shared<int>(0);
    CHECK(world.server.watch(fd, WSD_READABLE, [owned](unsigned) { *owned = 100; }) == Result::kOk);
    CHECK(world.server.watch(fd, WSD_READABLE, [&world, fd, owned](unsigned events) {
        CHECK(events == WSD_READABLE);
        CHECK(world.server.unwatch(fd) == Result::kOk);
        ++*owned;  // still there
    }) == Result::kOk);
    CHECK(owned.use_count() == 2);
    world.until([&] { return *owned != 0; });
    CHECK(*owned == 1);
    CHECK(owned.use_count() == 1);
    CHECK(world.server.watch(-1, WSD_READABLE, [owned](unsigned) {}) == Result::kInvalid);
    CHECK(owned.use_count() == 1);
    close(fd);
}

TEST_CASE("a prepared message goes to many, and outlives its holder in their queues") {
    World world;
    world.start();
    Client& one = world.open();
    Client& two = world.open();
    wsd::Prepared prepared;
    CHECK(!prepared);
    CHECK(world.opened.at(0).send(prepared) == Result::kInvalid);
    CHECK(world.server.prepare("built once", &prepared) == Result::kOk);
    wsd::Prepared holder = std::move(prepared);
    for (const Connection conn : world.opened) CHECK(conn.send(holder) == Result::kOk);
    holder = {};
    CHECK(world.next(one) == "text:built once");
    CHECK(world.next(two) == "text:built once");
}

TEST_CASE("what is published goes to subscribers, but not to who is left out") {
    World world;
    world.start();
    Client& one = world.open();
    Client& two = world.open();
    for (const Connection conn : world.opened) CHECK(conn.subscribe("news") == Result::kOk);
    size_t receivers = 0;
    CHECK(world.server.publish("news", "to all", {}, &receivers) == Result::kOk);
    CHECK(receivers == 2);
    CHECK(world.server.publish("news", "to one", {.except = world.opened[1]}, &receivers) == Result::kOk);
    CHECK(receivers == 1);
    CHECK(world.opened[0].unsubscribe("news") == Result::kOk);
    CHECK(world.server.publish("news", "to two") == Result::kOk);
    CHECK(world.server.publish("", "nowhere", {}, &receivers) == Result::kInvalid);
    CHECK(receivers == 0);
    CHECK(world.next(one) == "text:to all");
    CHECK(world.next(one) == "text:to one");
    CHECK(world.next(two) == "text:to all");
    CHECK(world.next(two) == "text:to two");
}

TEST_CASE("what an application attaches comes back as what it was") {
    World world;
    world.start();
    world.open();
    const Connection conn = world.opened.at(0);
    CHECK(conn.user<int>() == nullptr);
    int own = 5;
    CHECK(conn.set_user(&own) == Result::kOk);
    CHECK(*conn.user<int>() == 5);
    CHECK(conn.pause() == Result::kOk);
    CHECK(conn.resume() == Result::kOk);
    CHECK(conn.ping("p") == Result::kOk);
    CHECK(conn.abort() == Result::kOk);
    CHECK(conn.pause() == Result::kClosed);
    world.until([&] { return world.closed.size() == 1; });
    CHECK(conn.user<int>() == nullptr);
}
