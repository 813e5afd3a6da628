// One server: its configuration, its loop, its connections and the buffers that they share.
#pragma once

#include "http/proxy_protocol.h"
#include "net/reactor.h"
#include "server/budget.h"
#include "server/config_texts.h"
#include "server/conn.h"
#include "server/drain.h"
#include "server/limits.h"
#include "server/post.h"
#include "server/session.h"
#include "server/topics.h"

namespace wsd::server {

// Room in front of the receive buffer for what was carried over: at most a torn PROXY header, or the header of a frame
// with a whole control payload.
constexpr size_t kReceiveHeadroom = 1024;
static_assert(kReceiveHeadroom >= ws::kFrameHeaderMax + ws::kControlPayloadMax);
static_assert(kReceiveHeadroom >= http::kProxyHeaderMax);

constexpr size_t kCorkBytes = 256 * 1024;

// A payload from here on is written from where it lies instead of being copied behind what is corked.
constexpr size_t kWriteThroughBytes = 16 * 1024;

// A message up to here is deflated into a buffer of the server's, a larger one into a block that its queue refers to.
constexpr size_t kPackedBytes = 64 * 1024;

constexpr unsigned kListenerMax = 64;  // Conn::listener has six bits

struct Listener {
    net::Source source;
    Server* server = nullptr;
    uint8_t number = 0;
    wsd_proxy_protocol proxy_protocol = WSD_PROXY_OFF;
    bool unlink_on_close = false;  // a unix socket's file that we made
    bool admin = false;            // wsd_listen_options.admin
};

// Output of the connection whose input is being used, gathered for one write. Everybody else's goes to their own queue.
struct Cork {
    Conn* owner = nullptr;
    size_t len = 0;
    uint32_t units = 0;  // messages in it
    uint8_t* p = nullptr;
};

struct UserTimer {
    Handle handle;
    net::Timer timer;
    Server* server = nullptr;
    void (*fn)(wsd_server* server, void* arg) = nullptr;
    void* arg = nullptr;
};

// A timer of the server's own.
struct ServerTimer {
    net::Timer timer;
    Server* server = nullptr;
};

struct Compression;  // compression.h

struct Watch {
    net::Source source;
    ListNode node;  // in server->watches, or in server->watches_gone until the end of the turn
    Server* server = nullptr;
    wsd_watch_fn fn = nullptr;
    void* arg = nullptr;
    unsigned events = 0;  // WSD_READABLE, WSD_WRITABLE
};

}  // namespace wsd::server

struct wsd_server {
    wsd::Mem mem;
    wsd_config config;
    wsd_callbacks callbacks = {};
    const wsd::ws::Kernels* kernels = nullptr;
    wsd::ws::FrameRules rules;
    wsd::ws::FrameRules deflate_rules;  // of connections with permessage-deflate
    wsd::ws::MessageLimits limits;
    wsd::server::ClientLimits client_limits;
    wsd::server::Budget budget;
    wsd::server::ConfigTexts texts;  // the pointers in `config` only tell what is set

    wsd::net::Reactor reactor;
    wsd::server::PostQueue posts;
    std::atomic<bool> posted = false;   // the loop has been woken for posts and has not looked since
    std::atomic<bool> stopped = false;  // wsd_server_stop()
    bool in_turn = false;

    wsd::server::Pool<wsd::server::Conn> conns;
    wsd::server::Pool<wsd::server::UserTimer> timers;
    wsd::List line;  // connections that the end of the turn owes something
    wsd::List watches;
    wsd::List watches_gone;  // unwatched in this turn; events may still name them

    uint8_t* receive_buffer = nullptr;  // kReceiveHeadroom, then config.receive_buffer_bytes
    wsd::server::Cork cork;
    size_t cork_bytes = 0;                            // kCorkBytes, or the high mark where that is lower
    wsd::server::Compression* compression = nullptr;  // owned; null without permessage-deflate
    uint64_t inflated_mark = 0;                       // stats.inflated_bytes before the input that is being used
    wsd::net::BlockPool blocks;                       // what large messages are received into, or deflated to
    wsd::server::ServerTimer blocks_trim;             // armed while some rest
    wsd::net::SharedBlock* delivering = nullptr;      // what the message in on_message lies in; null: no block of ours
    uint8_t* unmasked = nullptr;                      // that message, if its received header still lies in front of it

    wsd::server::Listener listeners[wsd::server::kListenerMax];
    unsigned listener_count = 0;
    int spare_fd = -1;              // given up to answer a peer when descriptors run out
    bool accepting_paused = false;  // out of descriptors
    wsd::server::ServerTimer accept_retry;

    wsd::server::Topics topics;
    wsd::server::Sessions sessions;

    bool draining = false;
    wsd::server::Drain drain;
    uint32_t admin_count = 0;  // connections that no drain waits for

    wsd_stats stats = {};

    wsd_server() : conns(mem, wsd::Purpose::kConn), timers(mem, wsd::Purpose::kServer), sessions(mem) {}
};

namespace wsd::server {

// The clock as it was read last: by the turn or, between two, by the call of the application that runs.
inline uint64_t now_ms(const Server& server) { return server.reactor.now_ms; }

// For calls of the application that something may begin with. Between two turns the clock is read anew: a foreign loop
// may have slept for long, and what begins then must not be late from the start.
inline void see_time(Server& server) {
    if (!server.in_turn) server.reactor.now_ms = server.reactor.clock(server.reactor.clock_context);
}

// While it lives a call is as if it came in a turn: the clock is read once for all that it does, and whom it calls back
// may neither turn nor free the server.
class AsInTurn {
  public:
    explicit AsInTurn(Server& server) : server_(server), before_(server.in_turn) {
        see_time(server);
        server.in_turn = true;
    }
    ~AsInTurn() { server_.in_turn = before_; }
    AsInTurn(const AsInTurn&) = delete;
    AsInTurn& operator=(const AsInTurn&) = delete;

  private:
    Server& server_;
    bool before_;
};

// Is the memory budget's soft mark passed, so that nothing new is begun?
inline bool budget_is_tight(const Server& server) { return server.mem.held_bytes >= server.budget.soft_bytes; }

// Builds a server; null with `*result` set.
Server* server_new(const wsd_config& config, const wsd_callbacks& callbacks, int* result);
void server_free(Server* server);

// Works out what follows from `config` alone.
void server_derive(Server& server);

// Takes over a configuration that has been judged. WSD_E_INVALID a listener cannot be with it, WSD_E_NOMEM: the old
// one stays in force.
[[nodiscard]] int server_reconfigure(Server& server, const wsd_config& wanted);

// The name of the first field that cannot be, or null. `*why` is set to a static English text.
const char* config_invalid(const wsd_config& config, const char** why);

// One turn; false, with errno, if the loop cannot go on.
[[nodiscard]] bool server_turn(Server& server, int timeout_ms);

// A finished drain, or wsd_server_stop().
bool server_should_leave(const Server& server);

// A connection is gone: a listener that waits for descriptors may go on.
void server_descriptor_freed(Server& server);

void server_log(Server& server, wsd_log_level level, wsd_conn conn, const char* text, int error);

}  // namespace wsd::server
