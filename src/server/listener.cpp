#include "server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/budget.h"
#include "server/client.h"
#include "server/limits.h"
#include "server/refusal.h"

namespace wsd::server {
namespace {

// So many in a row, then connections that exist get their turn.
constexpr int kAcceptsPerTurn = 256;

constexpr uint32_t kRetryMs = 100;  // out of descriptors: how often to look whether another process gave some back

// Answers somebody who is not let in. Best effort: what does not fit the socket's buffer is not said.
void turn_away(const Server& server, int fd, const http::Refusal& refusal) {
    RefusalAnswer answer;
    refusal_answer(refusal, server.config.refusals_json != 0, &answer);
    uint8_t text[512];
    WSD_ASSERT(http::response_size(answer.response) <= sizeof text);
    size_t n = 0;
    (void)net::send_bytes(fd, {text, http::write_response(answer.response, text)}, &n);
    net::shut_down_sending(fd);
    // Unread input would turn the close into a reset, which can overtake the answer.
    uint8_t discarded[4096];
    (void)net::receive(fd, discarded, sizeof discarded, &n);
    close(fd);
}

int open_spare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

// Accepting failed for want of descriptors or memory. The peer in front of the queue is answered with the descriptor
// that was kept for this; then listening pauses, since trying again at once would only fail again, forever.
void out_of_descriptors(Server& server, Listener& listener) {
    server_log(server, WSD_LOG_ERROR, 0, "cannot accept: out of descriptors or memory", WSD_E_SYSTEM);
    if (server.spare_fd >= 0) {
        close(server.spare_fd);
        int fd = -1;
        if (net::accept_one(listener.source.fd, &fd) == net::Io::kOk) {
            turn_away(server, fd, {503, "out of descriptors"});
            server.stats.refused_descriptors++;
        }
        server.spare_fd = open_spare();
    }
    server.accepting_paused = true;
    server.reactor.wheel.arm(server.accept_retry.timer, now_ms(server) + kRetryMs);
}

// Is there room for one more? If not, it has been answered.
bool has_room(Server& server, int fd) {
    const uint32_t limit = server.config.connection_max_count;
    if (limit && server.conns.live_count() >= limit) {
        server.stats.refused_limit++;
        server_log(server, WSD_LOG_WARN, 0, "connection refused", WSD_E_CONN_LIMIT);
        turn_away(server, fd, {503, "too many connections"});
        return false;
    }
    if (!budget_is_tight(server)) return true;
    server.stats.refused_budget++;
    server_log(server, WSD_LOG_WARN, 0, "connection refused", WSD_E_MEMORY_BUDGET);
    turn_away(server, fd, {503, "over the soft memory mark"});
    return false;
}

void admit(Server& server, int fd, const Listener& listener) {
    if (!listener.admin && !has_room(server, fd)) return;
    const Announcing announcing = client_announcing(server, listener, fd);
    if (announcing == Announcing::kRefuse) {
        server.stats.refused_proxy++;
        server_log(server, WSD_LOG_WARN, 0, "connection dropped: its peer is no trusted proxy", WSD_OK);
        close(fd);
        return;
    }
    const bool proxy_due = announcing == Announcing::kMay;
    Visitor visitor;  // who comes through a proxy is counted when the proxy has told
    if (server.client_limits.by_address && !proxy_due && !listener.admin)
        visitor = limits_visitor(server, net::socket_peer(fd));
    const Admission admission = limits_enter(server, visitor);
    if (admission == Admission::kYes) return conn_accept(server, fd, listener, visitor, proxy_due);
    server_log(server, WSD_LOG_INFO, 0, "connection refused", WSD_E_ADDRESS_LIMIT);
    turn_away(server, fd, limits_refusal(server, admission));
}

void listener_ready(net::Source* source, uint32_t) {
    Listener& listener = *WSD_CONTAINER_OF(source, Listener, source);
    Server& server = *listener.server;
    for (int i = 0; i < kAcceptsPerTurn; i++) {
        if (server.accepting_paused || source->fd < 0) return;  // a callback may have begun a drain
        int fd = -1;
        const net::Io io = net::accept_one(source->fd, &fd);
        if (io == net::Io::kAgain) return;
        if (io != net::Io::kOk) return out_of_descriptors(server, listener);
        admit(server, fd, listener);
    }
    server.reactor.wheel.arm(server.accept_retry.timer,
                             now_ms(server));  // there may be more, and no new edge will tell
}

int format_listener(const Listener& listener, char* text, size_t size) {
    sockaddr_storage storage = {};
    socklen_t len = sizeof storage;
    if (getsockname(listener.source.fd, reinterpret_cast<sockaddr*>(&storage), &len) != 0) return -1;
    net::format_address(storage, len, text, size);
    return 0;
}

}  // namespace

int listener_open(Server& server, const char* text, const wsd_listen_options& options) {
    const wsd_proxy_protocol proxy = options.proxy_protocol;
    if (proxy < WSD_PROXY_OFF || proxy > WSD_PROXY_REQUIRED) return WSD_E_INVALID;
    // Where a header is optional, only knowing the proxies tells theirs from what anybody else makes up.
    if (proxy == WSD_PROXY_OPTIONAL && !server.config.trusted_proxies) return WSD_E_INVALID;
    net::Address address;
    if (server.draining || server.listener_count == kListenerMax || !net::parse_address(text, &address)) {
        return WSD_E_INVALID;
    }
    const wsd_config& config = server.config;
    const net::ListenOptions socket_options{config.backlog, config.defer_accept_s, config.tcp_user_timeout_ms};
    const int fd = net::listen_on(address, socket_options);
    if (fd < 0) return WSD_E_SYSTEM;
    if (server.spare_fd < 0) server.spare_fd = open_spare();

    Listener& listener = server.listeners[server.listener_count];
    listener.source = {listener_ready, fd};
    listener.server = &server;
    listener.number = uint8_t(server.listener_count);
    listener.proxy_protocol = proxy;
    listener.admin = options.admin != 0;
    listener.unlink_on_close = address.inherited_fd < 0 && address.storage.ss_family == AF_UNIX;
    if (!net::reactor_add(server.reactor, listener.source)) {
        const int reason = errno;
        close(fd);
        listener = {};
        errno = reason;
        return WSD_E_SYSTEM;
    }
    return int(server.listener_count++);
}

void listeners_close(Server& server, Closing which) {
    bool kept = false;
    for (unsigned i = 0; i < server.listener_count; i++) {
        Listener& listener = server.listeners[i];
        if (listener.source.fd < 0) continue;
        if (listener.admin && which == Closing::kPublic) {
            kept = true;
            continue;
        }
        if (listener.unlink_on_close) {
            char path[sizeof(sockaddr_un) + 8];
            if (format_listener(listener, path, sizeof path) == 0) unlink(path + std::strlen("unix:"));
        }
        close(listener.source.fd);
        listener.source.fd = -1;
    }
    if (kept) return;
    server.reactor.wheel.cancel(server.accept_retry.timer);
    if (server.spare_fd >= 0) close(server.spare_fd);
    server.spare_fd = -1;
}

bool listener_address(const Server& server, int number, char* text, size_t size) {
    if (number < 0 || unsigned(number) >= server.listener_count || !text || size == 0) return false;
    const Listener& listener = server.listeners[number];
    return listener.source.fd >= 0 && format_listener(listener, text, size) == 0;
}

void listeners_retry(net::Timer* timer) {
    Server& server = *WSD_CONTAINER_OF(timer, ServerTimer, timer)->server;
    server.accepting_paused = false;
    for (unsigned i = 0; i < server.listener_count; i++) listener_ready(&server.listeners[i].source, 0);
}

}  // namespace wsd::server
