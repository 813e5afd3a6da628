// The demonstration: a server with two clients that talk to each other, of which one leaves. All of it is real,
// sockets, sessions and statistics, in one thread: the clients' descriptors are watched by the server's own loop.
//
// usage: demo
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "client.h"
#include "wsd.h"

namespace {

using demo::Client;

constexpr uint64_t kLimit = 10000;  // milliseconds for the whole of it
constexpr wsd_str kRoom = {"room", 4};

// What the callbacks reach through wsd_context().
struct Demo {
    wsd_server* server = nullptr;
    std::string address;
    const char* error = nullptr;  // what went wrong first
};

Demo& demo_of(wsd_server* server) { return *static_cast<Demo*>(wsd_context(server)); }

void fail(Demo& demo, const char* what) {
    if (!demo.error) demo.error = what;
}

// ------------------------------------------------------------------------------------------------------- the server

std::string user_of(wsd_server* server, wsd_conn conn) {
    wsd_session_info info = {};
    info.size = sizeof info;
    if (wsd_session_info_get(server, wsd_session_of(server, conn), &info) != WSD_OK) return "nobody";
    return {info.user.p, info.user.len};
}

// A session for each user, which outlives the connection: the client would come back with its id.
void on_request(wsd_server* server, wsd_conn conn, const wsd_request* request) {
    constexpr size_t kPrefix = sizeof "user=" - 1;
    const wsd_str query = wsd_request_query(request);
    wsd_session session = 0;
    wsd_session_info info = {};
    info.size = sizeof info;
    if (!wsd_request_is_upgrade(request) || query.len <= kPrefix ||
        wsd_session_create(server, {query.p + kPrefix, query.len - kPrefix}, 0, &session) != WSD_OK ||
        wsd_session_info_get(server, session, &info) != WSD_OK) {
        (void)wsd_respond(server, conn, 400, nullptr, 0, nullptr, 0);
        return;
    }
    const std::string cookie = std::string("session=") + info.id + "; HttpOnly; SameSite=Strict";
    const wsd_header set_cookie = {"Set-Cookie", cookie.c_str()};
    if (wsd_session_attach(server, session, conn) != WSD_OK ||
        wsd_accept(server, conn, nullptr, &set_cookie, 1) != WSD_OK)
        fail(demo_of(server), "an upgrade could not be taken");
}

void on_open(wsd_server* server, wsd_conn conn) {
    wsd_session_info info = {};
    info.size = sizeof info;
    if (wsd_session_info_get(server, wsd_session_of(server, conn), &info) != WSD_OK ||
        wsd_subscribe(server, conn, kRoom) != WSD_OK)
        return fail(demo_of(server), "a connection has no session or no room");
    std::printf("%s connected, session %s\n", user_of(server, conn).c_str(), info.id);
}

// Everybody else gets it.
void on_message(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
    const wsd_publish_options options = {sizeof options, conn, WSD_FULL_REFUSE, 0};
    if (wsd_publish(server, kRoom, opcode, data, len, &options) != 1)
        fail(demo_of(server), "a message did not go to one receiver");
}

void on_close(wsd_server* server, wsd_conn conn, const wsd_close_info* info) {
    if (info->cause == WSD_CAUSE_PEER) std::printf("%s disconnected: %u\n", user_of(server, conn).c_str(), info->code);
}

bool start(Demo& demo) {
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.context = &demo;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_request = on_request;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_close = on_close;
    if (wsd_server_new(&config, &callbacks, &demo.server) != WSD_OK) return false;
    char address[128] = "";
    const int listener = wsd_server_listen(demo.server, "127.0.0.1:0");
    if (listener < 0 || wsd_server_address(demo.server, listener, address, sizeof address) != WSD_OK) return false;
    demo.address = address;
    std::printf("server started on %s\n", address);
    return true;
}

wsd_stats stats_of(const Demo& demo) {
    wsd_stats stats = {};
    stats.size = sizeof stats;
    (void)wsd_stats_get(demo.server, &stats);  // refuses nothing but a wrong size
    return stats;
}

// ------------------------------------------------------------------------------------------------------ the clients

void on_readable(wsd_server* server, int, unsigned, void* arg) {
    Client& client = *static_cast<Client*>(arg);
    client_read(client);
    if (client.error) fail(demo_of(server), client.error);
    if (client.ended) (void)wsd_unwatch(server, client.fd);  // its end would be told for ever
}

// Turns the loop until `condition` holds, or something is wrong.
template <class Condition>
void wait_until(Demo& demo, const char* what, Condition condition) {
    while (!demo.error && !condition())
        if (wsd_server_poll(demo.server, -1) != 1) fail(demo, what);
}

void connect(Demo& demo, Client& client) {
    if (demo.error) return;
    if (!client_connect(client, demo.address) ||
        wsd_watch(demo.server, client.fd, WSD_READABLE, on_readable, &client) != WSD_OK)
        return fail(demo, std::strerror(errno));
    wait_until(demo, "a client was not let in", [&] { return client.open; });
}

void talk(Demo& demo, Client& from, Client& to, const std::string& text) {
    if (demo.error) return;
    std::printf("%s sent: %s\n", from.name.c_str(), text.c_str());
    if (!client_send(from, text)) return fail(demo, std::strerror(errno));
    wait_until(demo, "a message did not come", [&] { return to.inbox == text; });
    if (!demo.error) std::printf("%s received: %s\n", to.name.c_str(), to.inbox.c_str());
}

// The socket is closed when the server's close frame has come (§7.1.1).
void disconnect(Demo& demo, Client& client) {
    if (demo.error) return;
    if (!client_close(client, 1000)) return fail(demo, std::strerror(errno));
    wait_until(demo, "a close was not answered", [&] { return client.ended; });
    client_end(client);
    wait_until(demo, "a connection did not end", [&] { return stats_of(demo).connections_active == 1; });
}

void print_pool_size(const Demo& demo) {
    if (!demo.error) std::printf("pool size: %zu\n", size_t(stats_of(demo).connections_active));
}

void print_statistics(const Demo& demo) {
    const wsd_stats stats = stats_of(demo);
    std::printf("sessions active: %zu\n", size_t(stats.sessions_active));
    std::printf("connections in total: %zu\n", size_t(stats.connections_total));
    std::printf("handshakes failed: %zu\n", size_t(stats.handshakes_failed));
}

}  // namespace

int main() {
    Demo demo;
    Client ada, bob;
    ada.name = "ada";
    bob.name = "bob";
    const auto give_up = [](wsd_server* server, void*) { wsd_server_stop(server); };
    if (!start(demo) || wsd_timer_start(demo.server, kLimit, give_up, nullptr, nullptr) != WSD_OK)
        fail(demo, "the server cannot start");
    connect(demo, ada);
    connect(demo, bob);
    print_pool_size(demo);
    talk(demo, ada, bob, "hello, bob");
    talk(demo, bob, ada, "hello, ada");
    disconnect(demo, bob);
    print_pool_size(demo);
    if (!demo.error) print_statistics(demo);
    (void)wsd_server_free(demo.server);
    client_end(ada);
    client_end(bob);
    if (demo.error) std::fprintf(stderr, "demo: %s\n", demo.error);
    return demo.error ? 1 : 0;
}
