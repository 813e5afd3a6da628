// Every scenario with its n-th allocation refused, for each n: nothing crashes, nothing leaks, and the server goes on.
#include "support/json_messages.h"
#include "support/test_server.h"
#include "support/zlib_peer.h"

using namespace test;

namespace {

// Runs `scenario` with allocation 1, 2, 3, ... of those it makes refused, until it makes fewer than that. TestServer
// itself checks at the end that no memory is held and every on_open has had its on_close.
template <class Prepare, class Scenario>
void refuse_each(Prepare prepare, Scenario scenario) {
    for (uint64_t n = 1;; n++) {
        CAPTURE(n);
        REQUIRE(n < 1000);
        TestServer server;
        prepare(server);
        server.start();
        server.memory.refuse_at = server.memory.calls + n;
        scenario(server);
        server.settle();
        const bool refused = server.memory.refused;
        server.memory.refuse_at = 0;

        Client& fresh = server.connect();
        fresh.send(upgrade_request() + text("still serving"));
        bool answered = false;
        CHECK(server.until(
            [&] { return (answered = fresh.input.find("still serving") != std::string::npos) || fresh.ended; }));
        CHECK(answered);
        if (!refused) return;
    }
}

void nothing(TestServer&) {}

}  // namespace

TEST_CASE("a handshake, an echo and a close") {
    refuse_each(nothing, [](TestServer& server) {
        Client& client = server.connect();
        server.drip(client, upgrade_request("Sec-WebSocket-Protocol: a\r\n").substr(0, 40));
        client.send(upgrade_request("Sec-WebSocket-Protocol: a\r\n").substr(40) + text("hello") + bye(1000, "reason"));
    });
}

TEST_CASE("a client that a PROXY header and a proxy's header tell of") {
    const std::string line = "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n";
    refuse_each(
        [](TestServer& server) {
            server.config.origins = "https://example.com";
            server.config.trusted_proxies = "127.0.0.1, 10.0.0.1";
            server.proxy_protocol = WSD_PROXY_OPTIONAL;
        },
        [&](TestServer& server) {
            Client& client = server.connect();
            client.send(line.substr(0, 20));
            server.settle();
            client.send(line.substr(20) + upgrade_request("X-Forwarded-For: 192.0.2.1\r\n"
                                                          "Sec-WebSocket-Protocol: a\r\n"));
        });
}

TEST_CASE("messages in pieces, large ones and torn control frames") {
    refuse_each([](TestServer& server) { server.config.receive_buffer_bytes = 4096; },
                [](TestServer& server) {
                    Client& client = server.connect();
                    client.send(upgrade_request());
                    server.settle();
                    client.send(frame(0x01, "one") + ping(std::string(100, 'p')).substr(0, 50));
                    server.settle();
                    client.send(ping(std::string(100, 'p')).substr(50) + frame(0x80, "two"));
                    server.settle();
                    client.send(binary(std::string(200000, 'x')));
                    server.settle();
                });
}

TEST_CASE("a peer that does not read, with every policy, and a ping to it") {
    refuse_each([](TestServer& server) { server.config.send_high_bytes = server.config.send_low_bytes = 100000; },
                [](TestServer& server) {
                    Client& client = server.connect();
                    client.send(upgrade_request());
                    server.settle();
                    client.reading = false;
                    if (server.opened.empty()) return;
                    const wsd_conn conn = server.opened[0];
                    const std::string large(30 << 20, 'x');
                    (void)wsd_send(server, conn, WSD_BINARY, large.data(), large.size());
                    for (const wsd_full full : {WSD_FULL_REFUSE, WSD_FULL_DROP, WSD_FULL_REPLACE, WSD_FULL_REPLACE}) {
                        const wsd_send_options options{sizeof options, full, 1, 0};
                        (void)wsd_send_with(server, conn, WSD_TEXT, "small", 5, &options);
                    }
                    client.send(ping("a") + ping("b"));
                    server.settle();
                    (void)wsd_close(server, conn, 1000, nullptr, 0);
                });
}

TEST_CASE("prepared messages and fragments") {
    refuse_each(nothing, [](TestServer& server) {
        Client& client = server.connect();
        client.send(upgrade_request());
        server.settle();
        wsd_prepared* prepared = nullptr;
        const int made = wsd_prepare(server, WSD_TEXT, "prepared", 8, &prepared);
        CHECK((made == WSD_OK) == (prepared != nullptr));
        if (made == WSD_OK && !server.opened.empty()) {
            (void)wsd_send_prepared(server, server.opened[0], prepared, nullptr);
            (void)wsd_send_fragment(server, server.opened[0], WSD_TEXT, "a", 1, 0);
            (void)wsd_send_fragment(server, server.opened[0], WSD_TEXT, "b", 1, 1);
        }
        wsd_prepared_release(prepared);
        server.settle();
    });
}

TEST_CASE("plain requests with a body, answered at once and later") {
    refuse_each(
        [](TestServer& server) {
            server.on_request = [&](wsd_conn conn, const wsd_request* request) {
                if (wsd_request_is_upgrade(request)) {
                    (void)wsd_accept(server, conn, nullptr, nullptr, 0);
                } else if (wsd_respond(server, conn, 200, nullptr, 0, "body", 4) != WSD_OK) {
                    (void)wsd_abort(server, conn);
                }
            };
        },
        [](TestServer& server) {
            Client& client = server.connect();
            client.send(plain_request("POST /a", "", std::string(3000, 'x')));
            server.settle();
            client.send(plain_request("POST /c", "Content-Length: 9000\r\nExpect: 100-continue\r\n"));
            server.settle();
            for (int i = 0; i < 3; i++) {
                client.send(std::string(3000, 'x'));
                server.settle();
            }
            client.send(plain_request("GET /b") + plain_request("GET /c"));
            server.settle();
            if (server.memory.refused) return;
            for (const int status : {200, 100, 200, 200, 200}) CHECK(server.response(client).status == status);
        });
}

TEST_CASE("a pause with input waiting, timers and watches") {
    refuse_each(nothing, [](TestServer& server) {
        Client& client = server.connect();
        client.send(upgrade_request());
        server.on_message = [&](wsd_conn conn, wsd_opcode, std::string_view) { (void)wsd_pause(server, conn); };
        server.settle();
        client.send(text("a") + text(std::string(1000, 'b')) + text("c"));
        server.settle();
        if (!server.opened.empty()) (void)wsd_resume(server, server.opened[0]);
        (void)wsd_timer_start(
            server, 5, [](wsd_server*, void*) {}, nullptr, nullptr);
        (void)wsd_watch(
            server, 0, WSD_READABLE, [](wsd_server*, int, unsigned, void*) {}, nullptr);
        (void)wsd_unwatch(server, 0);
        server.on_message = nullptr;
        server.pass(10);
    });
}

TEST_CASE("clients that are counted by address and metered, and one that is held") {
    refuse_each(
        [](TestServer& server) {
            server.config.ip_connection_max_count = 10;
            server.config.ip_connect_per_min = 100;
            server.config.message_per_s = 10;
            server.config.message_burst_count = 1;
            server.config.subprotocols = "a";
        },
        [](TestServer& server) {
            Client& client = server.connect();
            client.send(upgrade_request("Sec-WebSocket-Protocol: a\r\n"));
            server.settle();
            client.send(text("a") + text(std::string(1000, 'b')) + text("c"));
            server.pass(300);
            client.reset();
            server.settle();
        });
}

TEST_CASE("compressed messages, whole, torn and in fragments, with takeover and prepared") {
    refuse_each(
        [](TestServer& server) {
            server.config.deflate = server.config.deflate_server_takeover = server.config.deflate_client_takeover = 1;
        },
        [](TestServer& server) {
            Client& client = server.connect();
            client.send(upgrade_request("Sec-WebSocket-Extensions: permessage-deflate\r\n"));
            server.settle();
            ZlibDeflater deflater;
            const std::string json = json_messages(1, 300000)[0];
            client.send(frame(0xc1, deflater.message(json)));
            server.settle();
            client.send(frame(0x41, deflater.piece(json, false)));
            server.settle();
            client.send(frame(0x80, deflater.piece(json, true)));
            server.settle();
            if (server.opened.empty()) return;
            (void)wsd_send_fragment(server, server.opened[0], WSD_TEXT, json.data(), json.size(), 0);
            (void)wsd_send_fragment(server, server.opened[0], WSD_TEXT, json.data(), json.size(), 1);
            wsd_prepared* prepared = nullptr;
            if (wsd_prepare(server, WSD_TEXT, json.data(), json.size(), &prepared) == WSD_OK) {
                (void)wsd_send_prepared(server, server.opened[0], prepared, nullptr);
            }
            wsd_prepared_release(prepared);
            server.settle();
        });
}

TEST_CASE("what memory was refused for leaves the rest of the stream in order") {
    for (uint64_t n = 1;; n++) {
        CAPTURE(n);
        REQUIRE(n < 100);
        TestServer server;
        server.config.deflate = server.config.deflate_server_takeover = 1;
        server.start();
        wsd_conn conn = 0;
        Client& client = server.open(&conn, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        ZlibInflater inflater;
        const std::vector<std::string> messages = json_messages(8, 100000);
        std::vector<std::string> accepted;
        server.memory.refuse_at = server.memory.calls + n;
        for (const std::string& message : messages) {
            if (wsd_send(server, conn, WSD_TEXT, message.data(), message.size()) == WSD_OK) accepted.push_back(message);
        }
        server.memory.refuse_at = 0;
        for (const std::string& message : accepted) {
            Frame frame = server.next_frame(client);
            if (frame.first & 0x40) frame.payload = inflater.message(frame.payload);
            CHECK(frame.payload == message);
        }
        if (!server.memory.refused) return;
    }
}

TEST_CASE("a server that cannot be made says so and holds nothing") {
    for (uint64_t n = 1;; n++) {
        CAPTURE(n);
        TestServer server;
        server.config.subprotocols = "a,b";
        server.config.origins = "https://example.com";
        server.config.trusted_proxies = "10.0.0.0/8, unix:";
        server.config.deflate = 1;
        server.memory.refuse_at = n;
        const int result = server.try_start();
        if (result == WSD_OK) break;
        CHECK(result == WSD_E_NOMEM);
        CHECK(server.memory.live_bytes == 0);
        REQUIRE(n < 100);
    }
}

TEST_CASE("subscribing and publishing, with compression and without") {
    refuse_each([](TestServer& server) { server.config.deflate = server.config.deflate_server_takeover = 1; },
                [](TestServer& server) {
                    for (const char* const offer : {"", "Sec-WebSocket-Extensions: permessage-deflate\r\n"}) {
                        server.connect().send(upgrade_request(std::string("Sec-WebSocket-Protocol: a\r\n") + offer));
                    }
                    server.settle();
                    for (const wsd_conn conn : server.opened) {
                        for (const char* const topic : {"a", "b", "a"}) {
                            (void)wsd_subscribe(server, conn, wsd_str_of(topic));
                        }
                        const size_t subscriptions = server.stats().subscriptions_active;
                        CHECK((subscriptions > 0) == (server.stats().topics_active > 0));
                    }
                    const std::string message = json_messages(1, 5000)[0];
                    for (const char* const topic : {"a", "b"}) {
                        const int receivers =
                            wsd_publish(server, wsd_str_of(topic), WSD_TEXT, message.data(), message.size(), nullptr);
                        CHECK((receivers == WSD_E_NOMEM || (receivers >= 0 && receivers <= 2)));
                    }
                    if (!server.opened.empty()) (void)wsd_unsubscribe(server, server.opened[0], wsd_str_of("a"));
                    server.settle();
                });
}

TEST_CASE("sessions, their data and their connections") {
    refuse_each(nothing, [](TestServer& server) {
        server.connect().send(upgrade_request());
        server.settle();
        size_t before = 0;
        for (int i = 0; i < 2; i++) {
            wsd_session session = 0;
            const int made = wsd_session_create(server, wsd_str_of("ada"), 1000, &session);
            CHECK((made == WSD_OK) == (session != 0));
            CHECK(server.stats().sessions_active == before + (made == WSD_OK));
            before = server.stats().sessions_active;
            for (const char* const value : {"1", "22", "333"}) {
                (void)wsd_session_set(server, session, wsd_str_of("k"), value, strlen(value));
            }
            if (!server.opened.empty()) (void)wsd_session_attach(server, session, server.opened[0]);
            if (i == 0) (void)wsd_session_end(server, session);
            before = server.stats().sessions_active;
        }
        server.settle();
    });
}
