// Listeners for whoever watches the server, and what an application learns of requests that the server refused itself.
#include "support/test_server.h"

using namespace test;

namespace {

const std::string kPlain = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

// Plain requests get 200 with the path, upgrades are accepted; beside the usual listener there is one for admins.
struct AdminServer : TestServer {
    std::string public_address, admin_address;
    int admin_listener = -1;

    AdminServer() {
        on_request = [this](wsd_conn conn, const wsd_request* request) {
            const wsd_str path = wsd_request_path(request);
            const int answered = wsd_request_is_upgrade(request)
                                     ? wsd_accept(*this, conn, nullptr, nullptr, 0)
                                     : wsd_respond(*this, conn, 200, nullptr, 0, path.p, path.len);
            CHECK(answered == WSD_OK);
        };
    }
    void begin() {
        start();
        public_address = address;
        const wsd_listen_options options{sizeof options, WSD_PROXY_OFF, 1};
        admin_listener = wsd_server_listen_with(*this, "127.0.0.1:0", &options);
        REQUIRE(admin_listener >= 0);
        char text[128];
        REQUIRE(wsd_server_address(*this, admin_listener, text, sizeof text) == WSD_OK);
        admin_address = text;
    }
    Client& connect_admin() {
        address = admin_address;
        Client& client = connect();
        address = public_address;
        return client;
    }
    int ask(Client& client, const std::string& request = kPlain) {
        client.send(request);
        return response(client).status;
    }
};

}  // namespace

TEST_CASE("an admin listener answers plain requests until a drain has ended, and the drain does not wait for them") {
    AdminServer server;
    server.begin();
    wsd_conn conn = 0;
    Client& open = server.open(&conn);
    Client& before = server.connect_admin();
    CHECK(server.ask(before) == 200);
    CHECK(wsd_server_drain(server, 60000) == WSD_OK);
    CHECK(server.next(open) == "close:1001");
    Client& after = server.connect_admin();
    for (int round = 0; round < 2; round++) {
        CHECK(server.ask(before) == 200);
        CHECK(server.ask(after) == 200);
    }
    CHECK(wsd_server_poll(server, 0) == 1);
    open.send(bye(1001));
    open.end();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(wsd_server_run(server) == WSD_OK);
    CHECK_FALSE(before.ended);
}

TEST_CASE("a drain refuses upgrades of an admin listener, and closes those that it has opened") {
    AdminServer server;
    server.begin();
    Client& opened = server.connect_admin();
    CHECK(server.ask(opened, upgrade_request()) == 101);
    CHECK(wsd_server_drain(server, 60000) == WSD_OK);
    CHECK(server.next(opened) == "close:1001");
    CHECK(server.ask(server.connect_admin(), upgrade_request()) == 503);
    CHECK(wsd_server_poll(server, 0) == 1);
    opened.send(bye(1001));
    opened.end();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(wsd_server_run(server) == WSD_OK);
}

TEST_CASE("a drain refuses an upgrade of an admin listener that the application has not decided") {
    AdminServer server;
    server.on_request = [](wsd_conn, const wsd_request*) {};
    server.begin();
    Client& upgrade = server.connect_admin();
    Client& plain = server.connect_admin();
    upgrade.send(upgrade_request());
    plain.send(kPlain);
    server.settle();
    CHECK(wsd_server_drain(server, 60000) == WSD_OK);
    CHECK(server.response(upgrade).status == 503);
    CHECK(plain.received == 0);
    CHECK(wsd_server_run(server) == WSD_OK);
}

TEST_CASE("the cut at the end of a drain leaves admin requests alone, and the last of others ends it") {
    AdminServer server;
    server.config.close_timeout_ms = 0;
    server.begin();
    (void)server.open();  // never answers the close
    Client& admin = server.connect_admin();
    CHECK(server.ask(admin) == 200);
    CHECK(wsd_server_drain(server, 500) == WSD_OK);
    server.pass(499);
    CHECK(wsd_server_poll(server, 0) == 1);
    server.pass(1);
    CHECK(server.closed.size() == 1);
    CHECK(server.ask(admin) == 200);
    CHECK(wsd_server_poll(server, 0) == 0);
}

TEST_CASE("a drain over a window does not tell admin connections to go, and ends without them") {
    AdminServer server;
    server.begin();
    Client& admin = server.connect_admin();
    CHECK(server.ask(admin) == 200);
    Client& open = server.open();
    CHECK(wsd_server_drain_over(server, 1000, 60000) == WSD_OK);
    server.pass(1000);
    CHECK(server.next(open) == "close:1001");
    CHECK(server.ask(admin) == 200);
    open.send(bye(1001));
    open.end();
    CHECK(server.until([&] { return server.closed.size() == 1; }));
    CHECK(wsd_server_poll(server, 0) == 0);
    CHECK(server.ask(admin) == 200);
}

TEST_CASE("who watches the server is answered at its limits") {
    AdminServer server;
    server.config.connection_max_count = 1;
    server.config.ip_connection_max_count = 1;
    server.begin();
    (void)server.open();
    CHECK(server.response(server.connect()).status == 503);
    CHECK(server.ask(server.connect_admin()) == 200);
    CHECK(server.ask(server.connect_admin()) == 200);
    CHECK(server.stats().refused_limit == 1);
}

TEST_CASE("who watches the server is answered past the soft memory mark") {
    AdminServer server;
    server.config.receive_buffer_bytes = 4096;
    server.config.memory_soft_bytes = 2u << 20;
    server.config.memory_hard_bytes = 4u << 20;
    server.config.send_high_bytes = 4u << 20;
    server.begin();
    wsd_conn conn = 0;
    Client& client = server.open(&conn);
    client.reading = false;
    const std::string chunk(64 * 1024, 'x');
    while (server.stats().memory_held_bytes < server.config.memory_soft_bytes) {
        REQUIRE(wsd_send(server, conn, WSD_BINARY, chunk.data(), chunk.size()) == WSD_OK);
        server.turn();
    }
    CHECK(server.response(server.connect()).status == 503);
    CHECK(server.ask(server.connect_admin()) == 200);
    CHECK(server.stats().refused_budget == 1);
}

namespace {

struct Refused {
    int status;
    std::string path;
    std::string why;
};

// A server that notes what it is told about refusals.
struct RefusingServer : TestServer {
    std::vector<Refused> refused;
    std::string peer = "127.0.0.1:";  // whom the refused are known to come from begins with this

    RefusingServer() {
        callbacks.on_refused = [](wsd_server* server, wsd_conn conn, const wsd_request* request, int status,
                                  const char* why) {
            RefusingServer& own = *static_cast<RefusingServer*>(static_cast<TestServer*>(wsd_context(server)));
            CHECK(std::string(own.info(conn).peer).rfind(own.peer, 0) == 0);
            own.refused.push_back({status, request ? str(wsd_request_path(request)) : "none", why});
        };
    }
};

}  // namespace

TEST_CASE("each refusal of the server's own is told once, with the request where its head was good") {
    const struct {
        std::string request;
        int status;
        const char* path;
    } kRows[] = {
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "none"},
        {"GET /long HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 431, "none"},
        {"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413, "/body"},
        {"GET /plain?token=sesame HTTP/1.1\r\nHost: a\r\n\r\n", 426, "/plain"},
        {upgrade_request("Origin: https://example.org\r\n"), 403, "/"},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.status);
        RefusingServer server;
        server.config.origins = "https://example.com";
        server.start();
        Client& client = server.connect();
        client.send(row.request);
        CHECK(server.response(client).status == row.status);
        REQUIRE(server.refused.size() == 1);
        CHECK(server.refused[0].status == row.status);
        CHECK(server.refused[0].path == row.path);
        CHECK_FALSE(server.refused[0].why.empty());
    }
}

TEST_CASE("a refusal for the time, the client or the memory is told as any other") {
    RefusingServer server;
    int status = 0;
    std::string path = "/";
    SUBCASE("no request in time") {
        status = 408, path = "none";
        server.start();
        server.connect().send("GET / HTTP/1.1\r\n");
        server.pass(server.config.handshake_timeout_ms);
    }
    SUBCASE("a request that comes too slowly") {
        status = 408, path = "none";
        server.config.handshake_bytes_per_s = 1000;
        server.start();
        server.connect().send("GET / HTTP/1.1\r\n");
        server.pass(server.config.handshake_grace_ms);
    }
    SUBCASE("no decision in time") {
        status = 503;
        server.on_request = [](wsd_conn, const wsd_request*) {};
        server.start();
        server.connect().send(upgrade_request());
        server.pass(server.config.handshake_timeout_ms);
    }
    SUBCASE("one connection too many of a proxy's client") {
        status = 429;
        server.peer = "192.0.2.1:";
        server.config.trusted_proxies = "127.0.0.1";
        server.config.ip_connection_max_count = 1;
        server.start();
        server.open(nullptr, "X-Forwarded-For: 192.0.2.1\r\n");
        server.connect().send(upgrade_request("X-Forwarded-For: 192.0.2.1\r\n"));
    }
    SUBCASE("over the soft mark") {
        status = 503;
        server.start();
        Client& client = server.connect();
        server.settle();
        server.config.memory_soft_bytes = server.stats().memory_held_bytes;
        CHECK(wsd_server_reconfigure(server, &server.config) == WSD_OK);
        client.send(upgrade_request());
    }
    REQUIRE(server.until([&] { return !server.refused.empty(); }));
    CHECK(server.refused.size() == 1);
    CHECK(server.refused[0].status == status);
    CHECK(server.refused[0].path == path);
    CHECK_FALSE(server.refused[0].why.empty());
}

TEST_CASE("what the application answers, or what opened, is no refusal") {
    RefusingServer server;
    server.on_request = [&](wsd_conn conn, const wsd_request* request) {
        CHECK((wsd_request_is_upgrade(request) ? wsd_accept(server, conn, nullptr, nullptr, 0)
                                               : wsd_respond(server, conn, 404, nullptr, 0, nullptr, 0)) == WSD_OK);
    };
    server.start();
    Client& plain = server.connect();
    plain.send(kPlain);
    CHECK(server.response(plain).status == 404);
    (void)server.open();
    CHECK(server.refused.empty());
}

TEST_CASE("a connection may be cut in on_refused") {
    TestServer server;
    server.callbacks.on_refused = [](wsd_server* own, wsd_conn conn, const wsd_request*, int, const char*) {
        CHECK(wsd_abort(own, conn) == WSD_OK);
    };
    server.start();
    Client& client = server.connect();
    client.send(kPlain);
    CHECK(server.until([&] { return client.ended; }));
    CHECK(server.until([&] { return server.stats().connections_active == 0; }));
}
