// Whose connection it is: PROXY headers by listener, headers of proxies that are trusted, and pages that may connect.
#include "support/hex.h"
#include "support/test_server.h"

using namespace test;

namespace {

constexpr char kLine[] = "PROXY TCP4 192.0.2.9 198.51.100.1 5000 443\r\n";

std::string binary_header(const char* behind_signature) {
    const auto bytes = hex(std::string("0d0a0d0a000d0a515549540a") + behind_signature);
    return {bytes.begin(), bytes.end()};
}

void start(TestServer& server, wsd_proxy_protocol proxy) {
    server.proxy_protocol = proxy;
    server.start();
}

std::string peer_of_last(TestServer& server) { return server.info(server.opened.back()).peer; }

// The peer that an upgrade with these headers is told to come from; or the status, if it is refused.
std::string told(TestServer& server, const std::string& headers) {
    Client& client = server.connect();
    client.send(upgrade_request(headers));
    const int status = server.response(client).status;
    if (status != 101) return std::to_string(status);
    const wsd_conn_info info = server.info(server.opened.back());
    CHECK(std::string(info.socket_peer).rfind("127.0.0.1:", 0) == 0);
    return std::string(info.peer) == info.socket_peer ? "socket" : info.peer;
}

}  // namespace

TEST_CASE("a required PROXY header tells the client, in one segment with the request or a byte at a time") {
    for (const bool drip : {false, true}) {
        CAPTURE(drip);
        TestServer server;
        start(server, WSD_PROXY_REQUIRED);
        Client& client = server.connect();
        const std::string all = kLine + upgrade_request() + text("hi");
        drip ? server.drip(client, all) : client.send(all);
        CHECK(server.response(client).status == 101);
        CHECK(server.next(client) == "text:hi");
        const wsd_conn_info info = server.info(server.opened.back());
        CHECK(std::string(info.peer) == "192.0.2.9:5000");
        CHECK(std::string(info.socket_peer).rfind("127.0.0.1:", 0) == 0);
        CHECK(server.stats().refused_proxy == 0);
    }
}

TEST_CASE("a binary PROXY header of the greatest length is taken a byte at a time") {
    TestServer server;
    start(server, WSD_PROXY_REQUIRED);
    Client& client = server.connect();
    const std::string ports = "20010db8000000000000000000000001 20010db8000000000000000000000002 1388 01bb";
    server.drip(client, binary_header(("21 21 03f0" + ports).c_str()) + std::string(0x3f0 - 36, '\0'));
    server.drip(client, upgrade_request());
    CHECK(server.response(client).status == 101);
    CHECK(peer_of_last(server) == "[2001:db8::1]:5000");
}

TEST_CASE("where the proxy speaks for itself, the socket's peer is the client; a unix client is told as such") {
    TestServer server;
    start(server, WSD_PROXY_REQUIRED);
    for (const std::string& header : {std::string("PROXY UNKNOWN\r\n"), binary_header("20 00 0000")}) {
        server.connect().send(header + upgrade_request());
        server.settle();
        CHECK(peer_of_last(server) == server.info(server.opened.back()).socket_peer);
    }
    server.connect().send(binary_header("21 31 00d8") + std::string(216, 'u') + upgrade_request());
    server.settle();
    CHECK(peer_of_last(server) == "unix:");
    CHECK(server.opened.size() == 3);
}

TEST_CASE("without a good PROXY header where one is required, a connection is dropped without a word") {
    TestServer server;
    start(server, WSD_PROXY_REQUIRED);
    uint64_t refused = 0;
    for (const std::string& bytes : {upgrade_request(), std::string("PROXY TCP4 1.2.3.4\r\n") + upgrade_request(),
                                     binary_header("31"), std::string("PROXY \r\r")}) {
        CAPTURE(bytes);
        Client& client = server.connect();
        client.send(bytes);
        CHECK(server.until([&] { return client.ended; }));
        CHECK(client.received == 0);
        CHECK(server.stats().refused_proxy == ++refused);
    }
    CHECK(server.opened.empty());
    CHECK(server.stats().handshakes_failed == refused);
}

TEST_CASE("a PROXY header has to come within the handshake timeout") {
    TestServer server;
    start(server, WSD_PROXY_REQUIRED);
    Client& silent = server.connect();
    Client& slow = server.connect();
    slow.send("PROXY TCP4 ");
    server.pass(9999);
    CHECK(!silent.ended);
    CHECK(!slow.ended);
    server.pass(1);
    for (Client* client : {&silent, &slow}) {
        CHECK(client->ended);
        CHECK(client->received == 0);
    }
    CHECK(server.stats().refused_proxy == 2);
    CHECK(server.stats().handshake_timeouts == 2);
    Client& late = server.connect();
    server.pass(6000);
    late.send(kLine);
    server.pass(4000);  // the header does not begin the time anew
    CHECK(server.response(late).status == 408);
}

TEST_CASE("a listener that expects no PROXY header takes it for a malformed request") {
    TestServer server;
    server.start();
    Client& client = server.connect();
    client.send(kLine + upgrade_request());
    CHECK(server.response(client).status == 400);
}

TEST_CASE("an optional PROXY header is taken from trusted proxies, and is no header from others") {
    for (const bool trusted : {true, false}) {
        CAPTURE(trusted);
        TestServer server;
        server.config.trusted_proxies = trusted ? "127.0.0.0/8" : "10.0.0.0/8";
        start(server, WSD_PROXY_OPTIONAL);
        Client& plain = server.connect();
        server.drip(plain, upgrade_request());
        CHECK(server.response(plain).status == 101);
        CHECK(peer_of_last(server) == server.info(server.opened.back()).socket_peer);
        Client& proxied = server.connect();
        server.drip(proxied, kLine + upgrade_request());
        CHECK(server.response(proxied).status == (trusted ? 101 : 400));
        if (trusted) CHECK(peer_of_last(server) == "192.0.2.9:5000");
        CHECK(server.stats().refused_proxy == 0);
    }
}

TEST_CASE("with a list of proxies, only those may come where a PROXY header is required") {
    TestServer server;
    server.config.trusted_proxies = "10.0.0.0/8";
    start(server, WSD_PROXY_REQUIRED);
    Client& client = server.connect();
    client.send(kLine + upgrade_request());
    CHECK(server.until([&] { return client.ended; }));
    CHECK(client.received == 0);
    CHECK(server.stats().refused_proxy == 1);
    CHECK(server.stats().connections_total == 0);
}

TEST_CASE("a listener's options are judged") {
    TestServer server;
    server.start();
    wsd_listen_options options{sizeof options, WSD_PROXY_OPTIONAL, 0};
    CHECK(wsd_server_listen_with(server, "127.0.0.1:0", &options) == WSD_E_INVALID);  // nobody is trusted
    options.proxy_protocol = wsd_proxy_protocol(3);
    CHECK(wsd_server_listen_with(server, "127.0.0.1:0", &options) == WSD_E_INVALID);
    options = {0, WSD_PROXY_OFF, 0};
    CHECK(wsd_server_listen_with(server, "127.0.0.1:0", &options) == WSD_E_INVALID);
    CHECK(wsd_server_listen_with(server, "127.0.0.1:0", nullptr) == 1);
}

TEST_CASE("headers are believed from a trusted proxy only, and only the one that it is said to write") {
    const std::string x = "X-Forwarded-For: 192.0.2.1\r\n", standard = "Forwarded: for=192.0.2.2\r\n";
    {
        TestServer server;
        server.start();
        CHECK(told(server, x + standard) == "socket");
    }
    {
        TestServer server;
        server.config.trusted_proxies = "127.0.0.2, ::1";
        server.start();
        CHECK(told(server, x + standard) == "socket");
    }
    {
        TestServer server;
        server.config.trusted_proxies = "127.0.0.1";
        server.start();
        CHECK(told(server, x + standard) == "192.0.2.1:0");
        CHECK(told(server, standard) == "socket");
        CHECK(told(server, "X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\nX-Forwarded-For: 127.0.0.1\r\n") == "192.0.2.1:0");
        CHECK(told(server, "Forwarded: for=\"\r\n" + x) == "192.0.2.1:0");
        CHECK(told(server, "X-Forwarded-For: unknown\r\n") == "socket");
    }
    {
        TestServer server;
        server.config.trusted_proxies = "127.0.0.1";
        server.config.forwarded_header = WSD_FORWARDED;
        server.start();
        CHECK(told(server, x + standard) == "192.0.2.2:0");
        CHECK(told(server, "Forwarded: for=\"[2001:db8::1]:5000\";proto=https\r\n") == "[2001:db8::1]:5000");
        CHECK(told(server, "Forwarded: for=\", for=192.0.2.2\r\n") == "400");
    }
}

TEST_CASE("a proxy that a PROXY header names is believed if it is trusted, and nobody else it is") {
    TestServer server;
    server.config.trusted_proxies = "127.0.0.1, 192.0.2.9";
    start(server, WSD_PROXY_REQUIRED);
    server.connect().send(kLine + upgrade_request("X-Forwarded-For: 203.0.113.5\r\n"));
    server.settle();
    CHECK(peer_of_last(server) == "203.0.113.5:0");
    server.connect().send("PROXY TCP4 192.0.2.8 198.51.100.1 5000 443\r\n" +
                          upgrade_request("X-Forwarded-For: 203.0.113.5\r\n"));
    server.settle();
    CHECK(peer_of_last(server) == "192.0.2.8:5000");
}

TEST_CASE("each request of a connection that is kept alive has its own client, known in on_request") {
    TestServer server;
    server.config.trusted_proxies = "127.0.0.0/8";
    std::vector<std::string> peers;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        peers.emplace_back(server.info(conn).peer);
        CHECK(wsd_respond(server, conn, 200, nullptr, 0, nullptr, 0) == WSD_OK);
    };
    server.start();
    Client& client = server.connect();
    client.send(plain_request("GET /", "X-Forwarded-For: 192.0.2.1\r\n") + plain_request("GET /") +
                plain_request("GET /", "X-Forwarded-For: 192.0.2.2:80\r\n"));
    for (int i = 0; i < 3; i++) CHECK(server.response(client).status == 200);
    REQUIRE(peers.size() == 3);
    CHECK(peers[0] == "192.0.2.1:0");
    CHECK(peers[1].rfind("127.0.0.1:", 0) == 0);
    CHECK(peers[2] == "192.0.2.2:80");
}

TEST_CASE("peers of unix sockets are trusted where unix: is listed") {
    for (const bool trusted : {true, false}) {
        TestServer server;
        server.config.trusted_proxies = trusted ? "unix:" : "::/0";
        const std::string path = "/tmp/wsd_client_test_" + std::to_string(getpid());
        server.start("unix:" + path);
        server.open(nullptr, "X-Forwarded-For: 192.0.2.1\r\n");
        CHECK(peer_of_last(server) == (trusted ? "192.0.2.1:0" : "unix:"));
    }
}

TEST_CASE("a page whose origin is not allowed gets 403; what is no page need not have one") {
    const struct {
        const char* header;
        int status;
        int status_required;
    } kRows[] = {
        {"Origin: https://example.com\r\n", 101, 101},
        {"Origin: HTTPS://EXAMPLE.COM:443\r\n", 101, 101},
        {"Origin: https://chat.example.org\r\n", 101, 101},
        {"Origin: https://example.org\r\n", 403, 403},
        {"Origin: http://example.com\r\n", 403, 403},
        {"Origin: null\r\n", 403, 403},
        {"Origin: \r\n", 403, 403},
        {"Origin: https://example.com\r\nOrigin: https://example.com\r\n", 403, 403},
        {"", 101, 403},
    };
    for (const int required : {0, 1}) {
        TestServer server;
        server.config.origins = "https://example.com, https://*.example.org";
        server.config.origins_required = required;
        server.start();
        uint64_t refused = 0;
        for (const auto& row : kRows) {
            CAPTURE(row.header);
            Client& client = server.connect();
            client.send(upgrade_request(row.header));
            const int status = required ? row.status_required : row.status;
            CHECK(server.response(client).status == status);
            if (status == 403) CHECK(server.rest(client) == "end");
            refused += status == 403;
            CHECK(server.stats().refused_origin == refused);
        }
        Client& plain = server.connect();
        plain.send(plain_request("GET /", "Origin: https://evil.example\r\n"));
        CHECK(server.response(plain).status == 426);  // pages are kept from sockets, not from pages
    }
}

TEST_CASE("without a list of origins any page may connect") {
    TestServer server;
    server.start();
    server.open(nullptr, "Origin: no origin at all\r\n");
}

TEST_CASE("a configuration that cannot be says which field and why") {
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    CHECK(wsd_config_invalid_why(&config) == nullptr);
    config.trusted_proxies = "10.0.0.1/8";
    CHECK(std::string(wsd_config_invalid(&config)) == "trusted_proxies");
    CHECK(std::string(wsd_config_invalid_why(&config)) == "an address has bits set behind its prefix");
    config.trusted_proxies = "";
    config.origins = "https://example.com/";
    CHECK(std::string(wsd_config_invalid(&config)) == "origins");
    config.origins = nullptr;
    config.origins_required = 1;
    CHECK(std::string(wsd_config_invalid(&config)) == "origins_required");
    config.origins_required = 0;
    config.forwarded_header = 2;
    CHECK(std::string(wsd_config_invalid(&config)) == "forwarded_header");
}
