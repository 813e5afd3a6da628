// A running server takes over another configuration. Everything that can fail comes first; from then on nothing does,
// so that a server has either the old configuration whole or the new one.
#include "server/server.h"

namespace wsd::server {
namespace {

// What was made from these when the server was, or is held by connections in sizes that follow from them, stays.
wsd_config with_what_stays(const wsd_config& wanted, const wsd_config& now) {
    wsd_config next = wanted;
    next.context = now.context;
    next.allocate = now.allocate;
    next.allocate_context = now.allocate_context;
    next.clock = now.clock;
    next.clock_context = now.clock_context;
    next.receive_buffer_bytes = now.receive_buffer_bytes;
    next.post_max_count = now.post_max_count;
    next.backlog = now.backlog;
    next.defer_accept_s = now.defer_accept_s;
    next.tcp_user_timeout_ms = now.tcp_user_timeout_ms;
    next.deflate = now.deflate;
    next.deflate_level = now.deflate_level;
    next.kernels = now.kernels;
    return next;
}

// Where a PROXY header is optional, somebody must be known to be a proxy.
bool listeners_agree(const Server& server, const wsd_config& wanted) {
    for (unsigned i = 0; i < server.listener_count; i++) {
        const Listener& listener = server.listeners[i];
        const bool listens = listener.source.fd >= 0;
        if (listens && listener.proxy_protocol == WSD_PROXY_OPTIONAL && !wanted.trusted_proxies) return false;
    }
    return true;
}

}  // namespace

int server_reconfigure(Server& server, const wsd_config& wanted) {
    see_time(server);
    if (!listeners_agree(server, wanted)) return WSD_E_INVALID;
    if (!budget_allows(server, wanted)) return WSD_E_NOMEM;
    ConfigTexts texts;
    if (!config_texts_copy(server.mem, wanted, &texts)) {
        config_texts_free(server.mem, texts);
        return WSD_E_NOMEM;
    }
    config_texts_free(server.mem, server.texts);
    server.texts = texts;
    server.config = with_what_stays(wanted, server.config);
    server_derive(server);
    limits_apply(server);
    budget_apply(server);
    // A deadline that has come nearer has to be seen in time; one that has moved away is found when its timer fires.
    uint32_t slot = 0;
    while (Conn* const conn = server.conns.next(&slot)) conn_rearm(*conn);
    net::reactor_wake(server.reactor);  // whoever may go on now, or is over a mark, is seen to at the end of a turn
    return WSD_OK;
}

}  // namespace wsd::server
