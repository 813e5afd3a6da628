// A server, its clients and its clock in one thread, and nothing that happens by itself: the test turns the loop, and
// time passes when the test says so. Everything goes through wsd.h.
//
//     TestServer server;
//     server.config.message_max_bytes = 100;
//     server.start();
//     Client& client = server.open();
//     client.send(text("hi"));
//     CHECK(server.next(client) == "text:hi");
//
// Without hooks it accepts, echoes every message and records what it is told. Freeing it checks what must hold in
// every test: each on_open has had its on_close, and no memory is held.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "support/client.h"
#include "support/counting_allocator.h"
#include "wsd.h"

namespace test {

struct Closed {
    wsd_conn conn;
    int code;
    std::string reason;
    wsd_cause cause;
    int error;
    bool clean;
};

inline std::string str(wsd_str s) { return s.p ? std::string(s.p, s.len) : std::string(); }

class TestServer {
  public:
    TestServer() {
        wsd_config_init(&config, sizeof config);
        config.context = this;
        config.allocate = CountingAllocator::allocate;
        config.allocate_context = &memory;
        config.clock = [](void* context) { return static_cast<TestServer*>(context)->now_ms; };
        config.clock_context = this;
        callbacks.size = sizeof callbacks;
        callbacks.on_open = opened_callback;
        callbacks.on_message = message_callback;
        callbacks.on_pong = pong_callback;
        callbacks.on_drain = drain_callback;
        callbacks.on_close = closed_callback;
    }
    ~TestServer() { free(); }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    // To be set before start().
    wsd_config config;
    wsd_callbacks callbacks = {};
    wsd_proxy_protocol proxy_protocol = WSD_PROXY_OFF;
    std::function<void(wsd_conn, const wsd_request*)> on_request;
    std::function<void(wsd_conn)> on_open;
    std::function<void(wsd_conn, wsd_opcode, std::string_view)> on_message;  // none: echo
    std::function<void(wsd_conn, wsd_opcode, std::string_view, bool)> on_chunk;
    std::function<void(wsd_conn, uint32_t)> on_pong;
    std::function<void(wsd_conn)> on_drain;
    std::function<void(const Closed&)> on_close;
    std::function<void(wsd_conn, const char*, int)> on_log;
    std::function<void(wsd_session, wsd_session_reason)> on_session_end;

    // What has been told, hooks or not.
    std::vector<wsd_conn> opened;
    std::vector<std::string> messages;
    std::vector<uint32_t> pongs;
    std::vector<wsd_conn> drained;
    std::vector<Closed> closed;

    CountingAllocator memory;
    uint64_t now_ms = 1000000;
    std::string address;

    operator wsd_server*() const { return server_; }

    // WSD_OK, or what making it or listening answered.
    int try_start(const std::string& where = "127.0.0.1:0") {
        if (on_request) callbacks.on_request = request_callback;
        if (on_chunk) callbacks.on_chunk = chunk_callback;
        if (on_log) callbacks.on_log = log_callback;
        if (on_session_end) callbacks.on_session_end = session_end_callback;
        const int made = wsd_server_new(&config, &callbacks, &server_);
        if (made != WSD_OK) return made;
        const wsd_listen_options options{sizeof options, proxy_protocol, 0};
        const int listener = wsd_server_listen_with(server_, where.c_str(), &options);
        if (listener < 0) return listener;
        char text[128];
        const int told = wsd_server_address(server_, listener, text, sizeof text);
        address = text;
        return told;
    }
    void start(const std::string& where = "127.0.0.1:0") { REQUIRE(try_start(where) == WSD_OK); }

    // Listens on a socket that it was given, whose small buffers the accepted ones inherit: a peer that does not read
    // is felt after some kilobytes.
    void start_narrow() {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int bytes = 8192;
        sockaddr_in any = {};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
        REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
        REQUIRE(listen(fd, 100) == 0);
        start("fd:" + std::to_string(fd));
        narrow_ = true;
    }

    void free() {
        if (!server_) return;
        CHECK(wsd_server_free(server_) == WSD_OK);
        server_ = nullptr;
        CHECK(opened.size() == closed.size());
        CHECK(memory.live_bytes == 0);
        CHECK(memory.sizes_agree);
    }

    // --------------------------------------------------------------------------------------------------- clients

    Client& connect(const char* from = nullptr) {
        return clients_.emplace_back(dial(address, narrow_ ? 4096 : 0, from));
    }

    // A client whose handshake is done, and its name here.
    Client& open(wsd_conn* conn = nullptr, std::string_view more_headers = {}) {
        Client& client = connect();
        const size_t before = opened.size();
        client.send(upgrade_request(more_headers));
        REQUIRE(response(client).status == 101);
        REQUIRE(opened.size() == before + 1);
        if (conn) *conn = opened.back();
        return client;
    }

    // ------------------------------------------------------------------------------------------------------ time

    // One turn of the loop, then whatever the clients can move; true if anything happened.
    bool turn() {
        const uint64_t before = progress();
        CHECK(wsd_server_poll(server_, 0) >= 0);
        bool moved = wsd_server_timeout(server_) == 0 || progress() != before;
        for (Client& client : clients_) moved |= client.pump();
        return moved;
    }

    // Turns until `condition` holds; false after seconds of waiting in vain, which fails the test that asked.
    template <class Condition>
    bool until(Condition condition) {
        const auto start = std::chrono::steady_clock::now();
        for (;;) {
            const bool moved = turn();
            if (condition()) return true;
            if (std::chrono::steady_clock::now() - start > std::chrono::seconds(10)) return false;
            if (!moved) wait(10);
        }
    }

    // Turns until nothing moves any more, for tests that something does not happen.
    void settle() {
        int turns = 0;
        for (int quiet = 0; quiet < 3; turns++) {
            REQUIRE(turns < 1000000);  // it would spin for ever
            quiet = turn() ? 0 : quiet + 1;
            if (quiet) wait(1);
        }
    }

    // Lets time pass, as a loop does that sleeps until its next timer.
    void pass(uint64_t ms) {
        const uint64_t end = now_ms + ms;
        settle();
        while (now_ms < end) {
            const int sleep_ms = wsd_server_timeout(server_);
            now_ms = sleep_ms < 0 || now_ms + uint64_t(sleep_ms) > end ? end : now_ms + uint64_t(sleep_ms);
            settle();
        }
    }

    // ------------------------------------------------------------------------------------- what a client is told

    Response response(Client& client, bool head_only = false) {
        std::optional<Response> found;
        CHECK(until([&] { return (found = take_response(client.input, head_only)) || client.ended; }));
        return found ? *found : Response{};
    }

    // The next frame; one without opcode if the stream ends before.
    Frame next_frame(Client& client) {
        std::optional<Frame> found;
        CHECK(until([&] { return (found = take_frame(client.input)) || client.ended; }));
        return found ? *found : Frame{0x7f, "end"};
    }
    std::string next(Client& client) { return show(next_frame(client)); }

    // Everything up to the end of the stream: "text:a close:1000 end".
    std::string rest(Client& client) {
        CHECK(until([&] { return client.ended; }));
        std::string words;
        while (const auto frame = take_frame(client.input)) words += show(*frame) + " ";
        if (!client.input.empty()) words += "torn ";
        return words + (client.was_reset ? "reset" : "end");
    }

    // Says `bytes` one at a time, each in a turn of its own.
    void drip(Client& client, std::string_view bytes) {
        for (const char byte : bytes) {
            client.send({&byte, 1});
            turn();
        }
    }

    wsd_stats stats() const {
        wsd_stats now = {};
        now.size = sizeof now;
        CHECK(wsd_stats_get(server_, &now) == WSD_OK);
        return now;
    }

    wsd_conn_info info(wsd_conn conn) const {
        wsd_conn_info now = {};
        now.size = sizeof now;
        CHECK(wsd_conn_info_get(server_, conn, &now) == WSD_OK);
        return now;
    }

  private:
    static TestServer& of(wsd_server* server) { return *static_cast<TestServer*>(wsd_context(server)); }

    static void request_callback(wsd_server* server, wsd_conn conn, const wsd_request* request) {
        of(server).on_request(conn, request);
    }
    static void opened_callback(wsd_server* server, wsd_conn conn) {
        of(server).opened.push_back(conn);
        if (of(server).on_open) of(server).on_open(conn);
    }
    static void message_callback(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len) {
        TestServer& test = of(server);
        const std::string_view payload(static_cast<const char*>(data), len);
        test.messages.emplace_back(payload);
        if (test.on_message) return test.on_message(conn, opcode, payload);
        CHECK(wsd_send(server, conn, opcode, data, len) != WSD_E_INVALID);
    }
    static void chunk_callback(wsd_server* server, wsd_conn conn, wsd_opcode opcode, const void* data, size_t len,
                               int final) {
        of(server).on_chunk(conn, opcode, {static_cast<const char*>(data), len}, final != 0);
    }
    static void pong_callback(wsd_server* server, wsd_conn conn, uint32_t rtt_ms) {
        of(server).pongs.push_back(rtt_ms);
        if (of(server).on_pong) of(server).on_pong(conn, rtt_ms);
    }
    static void drain_callback(wsd_server* server, wsd_conn conn) {
        of(server).drained.push_back(conn);
        if (of(server).on_drain) of(server).on_drain(conn);
    }
    static void closed_callback(wsd_server* server, wsd_conn conn, const wsd_close_info* info) {
        TestServer& test = of(server);
        for (const Closed& before : test.closed) CHECK(before.conn != conn);
        const Closed now{conn, info->code, str(info->reason), info->cause, info->error, info->clean != 0};
        test.closed.push_back(now);
        if (test.on_close) test.on_close(now);
    }
    static void log_callback(wsd_server* server, wsd_log_level, wsd_conn conn, const char* text, int error) {
        of(server).on_log(conn, text, error);
    }

    static void session_end_callback(wsd_server* server, wsd_session session, wsd_session_reason reason) {
        of(server).on_session_end(session, reason);
    }

    // Changes whenever something happened on a socket.
    uint64_t progress() const {
        const wsd_stats now = stats();
        return now.bytes_in + now.bytes_out + now.connections_total + now.refused_limit + now.refused_descriptors +
               now.refused_memory + now.refused_ip_count + now.refused_ip_rate + now.refused_budget + now.messages_in +
               now.causes[WSD_CAUSE_SLOW] - now.connections_active;
    }

    // Sleeps until a descriptor of this little world is ready.
    void wait(int most_ms) {
        std::vector<pollfd> fds{{wsd_server_fd(server_), POLLIN, 0}};
        for (const Client& client : clients_) fds.push_back(client.waits_for());
        (void)poll(fds.data(), fds.size(), most_ms);
    }

    wsd_server* server_ = nullptr;
    std::list<Client> clients_;  // a client stays where it is
    bool narrow_ = false;
};

}  // namespace test
