// wsd for C++20: the functions of wsd.h with what C++ adds, ownership by scope, lambdas, and views of payloads. All of
// it is in this header, nothing else needs to be linked, and wsd.h remains the authority: what a function here does,
// and what it answers, stands there under its C name. Whatever this header leaves out is reached with Server::get(),
// Connection::id and the C functions, which may be mixed with it freely, but for two: wsd_context() is the wrapper's,
// and a wsd::Server ends itself.
//
//     wsd::Server server;
//     wsd::Handlers handlers;
//     handlers.on_message = [](wsd::Connection conn, wsd::Message message) { (void)conn.send(message); };
//     if (wsd::Server::create({}, std::move(handlers), &server) == wsd::Result::kOk &&
//         server.listen("127.0.0.1:9001") == wsd::Result::kOk)
//         (void)server.run();
//
// Exceptions. The functions here report by wsd::Result and throw nothing but std::bad_alloc, where they keep a function
// or a string. An exception that leaves a handler, timer, post or watch of the application never reaches the C frames
// of the loop: it is caught, the loop stops after the turn it is in, and run() or poll() throws it to its caller, who
// may run the server again. Of several in one turn the first is thrown; one that comes while ~Server() runs is lost.
//
// Threads. As wsd.h says: everything on the loop's thread, but Server::post() and Server::stop().
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "wsd.h"

namespace wsd {

// ---------------------------------------------------------------------------------------------------------- results

// wsd_result as a type of its own. Those that functions answer have names here; wsd_close_info.error holds the others,
// too. With kSystem errno says why.
enum class [[nodiscard]] Result : int{kOk = WSD_OK,         kInvalid = WSD_E_INVALID, kClosed = WSD_E_CLOSED,
                                      kAgain = WSD_E_AGAIN, kNoMemory = WSD_E_NOMEM,  kSystem = WSD_E_SYSTEM,
                                      kLimit = WSD_E_LIMIT};

// A short English text for it; static.
inline const char *text(Result result) { return wsd_error_text(int(result)); }

// ---------------------------------------------------------------------------------------------------------- payloads

inline wsd_str str_of(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view_of(wsd_str text) { return {text.p, text.len}; }

// The payload of a message, borrowed, and whether it is text: what looks like a string is, what looks like
// std::byte is not.
struct Message {
    wsd_opcode opcode;
    std::string_view data;

    Message(wsd_opcode kind, std::string_view payload) : opcode(kind), data(payload) {}

    template <class T>
    requires std::convertible_to<const T &, std::string_view> Message(const T &text) : opcode(WSD_TEXT), data(text) {}

    template <class T>
    requires std::convertible_to<const T &, std::span<const std::byte>> Message(const T &binary) : opcode(WSD_BINARY) {
        const std::span<const std::byte> view = binary;
        data = {reinterpret_cast<const char *>(view.data()), view.size()};
    }

    bool is_text() const { return opcode == WSD_TEXT; }
    std::span<const std::byte> bytes() const { return std::as_bytes(std::span(data.data(), data.size())); }
};

// wsd_send_options.
struct SendOptions {
    wsd_full full = WSD_FULL_REFUSE;
    uint64_t key = 0;
    bool plain = false;
};

// A message built once to be sent to many. Owns one hold on it; to be gone before its server is.
class Prepared {
  public:
    Prepared() = default;  // none: sending it answers kInvalid
    explicit Prepared(wsd_prepared *owned) : prepared_(owned) {}

    wsd_prepared *get() const { return prepared_.get(); }
    explicit operator bool() const { return prepared_ != nullptr; }

  private:
    struct Release {
        void operator()(wsd_prepared *prepared) const { wsd_prepared_release(prepared); }
    };
    std::unique_ptr<wsd_prepared, Release> prepared_;
};

// -------------------------------------------------------------------------------------------------------- connections

// Names a connection of a server. A value: copied freely, owning nothing, and harmless when the connection is gone.
struct Connection {
    wsd_server *server = nullptr;
    wsd_conn id = 0;

    friend auto operator<=>(const Connection &, const Connection &) = default;

    Result accept(const char *subprotocol = nullptr, std::span<const wsd_header> headers = {}) const {
        return Result(wsd_accept(server, id, subprotocol, headers.data(), headers.size()));
    }
    Result respond(int status, std::string_view body = {}, std::span<const wsd_header> headers = {}) const {
        return Result(wsd_respond(server, id, status, headers.data(), headers.size(), body.data(), body.size()));
    }

    Result send(Message message, SendOptions options = {}) const {
        const wsd_send_options with{sizeof with, options.full, options.key, options.plain};
        return Result(wsd_send_with(server, id, message.opcode, message.data.data(), message.data.size(), &with));
    }
    Result send(const Prepared &prepared, SendOptions options = {}) const {
        const wsd_send_options with{sizeof with, options.full, options.key, options.plain};
        return Result(wsd_send_prepared(server, id, prepared.get(), &with));
    }
    Result send_fragment(Message piece, bool final) const {
        return Result(wsd_send_fragment(server, id, piece.opcode, piece.data.data(), piece.data.size(), final));
    }
    size_t buffered() const { return wsd_buffered(server, id); }
    Result ping(std::string_view payload = {}) const {
        return Result(wsd_ping(server, id, payload.data(), payload.size()));
    }
    Result close(uint16_t code = 1000, std::string_view reason = {}) const {
        return Result(wsd_close(server, id, code, reason.data(), reason.size()));
    }
    Result abort() const { return Result(wsd_abort(server, id)); }
    Result pause() const { return Result(wsd_pause(server, id)); }
    Result resume() const { return Result(wsd_resume(server, id)); }

    Result subscribe(std::string_view topic) const { return Result(wsd_subscribe(server, id, str_of(topic))); }
    Result unsubscribe(std::string_view topic) const { return Result(wsd_unsubscribe(server, id, str_of(topic))); }

    Result set_user(void *user) const { return Result(wsd_set_user(server, id, user)); }
    // What set_user() attached, which must have been a T*; null for a connection that is gone.
    template <class T>
    T *user() const {
        return static_cast<T *>(wsd_user(server, id));
    }

    Result info(wsd_conn_info *info) const {
        info->size = sizeof *info;
        return Result(wsd_conn_info_get(server, id, info));
    }
};

// The request that waits for an answer on a connection; what it tells is valid until it has one.
class Request {
  public:
    explicit Request(const wsd_request *request) : request_(request) {}

    std::string_view method() const { return view_of(wsd_request_method(request_)); }
    std::string_view target() const { return view_of(wsd_request_target(request_)); }
    std::string_view path() const { return view_of(wsd_request_path(request_)); }
    std::string_view query() const { return view_of(wsd_request_query(request_)); }
    std::string_view body() const { return view_of(wsd_request_body(request_)); }
    bool is_upgrade() const { return wsd_request_is_upgrade(request_) != 0; }
    bool offers(const char *subprotocol) const { return wsd_request_offers(request_, subprotocol) != 0; }
    std::optional<std::string_view> header(const char *name) const {
        const wsd_str value = wsd_request_header(request_, name);
        return value.p ? std::optional(view_of(value)) : std::nullopt;
    }
    const wsd_request *get() const { return request_; }

  private:
    const wsd_request *request_;
};

// ------------------------------------------------------------------------------------------------------------- server

// wsd_config, filled with the defaults. Its `context` is overwritten by Server::create().
struct Config : wsd_config {
    Config() { wsd_config_init(this, sizeof(wsd_config)); }
};

// The callbacks of wsd.h; an empty function is a callback that is not set. With on_chunk set, on_message is not called.
struct Handlers {
    std::function<void(Connection, const Request &)> on_request;
    std::function<void(Connection)> on_open;
    std::function<void(Connection, Message)> on_message;
    std::function<void(Connection, Message piece, bool final)> on_chunk;
    std::function<void(Connection, uint32_t rtt_ms)> on_pong;
    std::function<void(Connection)> on_drain;
    std::function<void(Connection, const wsd_close_info &)> on_close;
    std::function<void(wsd_log_level, Connection, const char *text, int error)> on_log;
    std::function<void(wsd_server *, wsd_session, wsd_session_reason)> on_session_end;
    std::function<void(Connection, const Request *, int status, const char *why)> on_refused;  // no good head: null
};

// wsd_publish_options.
struct PublishOptions {
    Connection except = {};
    wsd_full full = WSD_FULL_REFUSE;
    uint64_t key = 0;
};

// A server and everything that was handed to it. Move-only; empty by default and after a move, when nothing but
// assignment, get() and bool may be asked of it. Ending it frees the server, with an on_close for every connection.
// Ending it or assigning to it inside a callback is an error that ends the program: the loop stands on it.
class Server {
  public:
    Server() = default;

    // Makes a server that listens to nothing yet; `server` is set on success. As wsd_server_new().
    static Result create(const Config &config, Handlers handlers, Server *server);

    Result listen(const std::string &address, int *listener = nullptr, wsd_listen_options options = {}) {
        options.size = sizeof options;
        const int number = wsd_server_listen_with(get(), address.c_str(), &options);
        if (listener) *listener = number;
        return number < 0 ? Result(number) : Result::kOk;
    }
    // Where a listener listens, or nothing if there is no such listener.
    std::string address(int listener = 0) const {
        char text[128] = "";
        (void)wsd_server_address(get(), listener, text, sizeof text);
        return text;
    }

    // Throws what a handler has thrown; see above.
    Result run() {
        const int result = wsd_server_run(get());
        rethrow();
        return Result(result);
    }
    // One turn. `more` is set to whether there is more to come, where it is not null. Throws as run().
    Result poll(int timeout_ms, bool *more = nullptr) {
        const int result = wsd_server_poll(get(), timeout_ms);
        rethrow();
        if (more) *more = result == 1;
        return result < 0 ? Result(result) : Result::kOk;
    }
    Result drain(uint32_t grace_ms, uint32_t window_ms = 0) {
        return Result(wsd_server_drain_over(get(), window_ms, grace_ms));
    }
    Result reconfigure(const Config &config) { return Result(wsd_server_reconfigure(get(), &config)); }
    void stop() { wsd_server_stop(get()); }  // any thread; safe in a signal handler

    // Has `call` called on the loop's thread, as wsd_post(). Any thread, but as it takes memory and a lock not in a
    // signal handler: there, wsd_post() itself is safe. Functions that wait when the server ends are not called.
    Result post(std::function<void()> call);

    // Calls `call` once, `delay_ms` from now or later. `timer` may be null. As wsd_timer_start() and wsd_timer_stop().
    Result start_timer(uint64_t delay_ms, std::function<void()> call, wsd_timer *timer = nullptr);
    Result stop_timer(wsd_timer timer);
    // As wsd_watch() and wsd_unwatch(); `call` is told what is ready.
    Result watch(int fd, unsigned events, std::function<void(unsigned events)> call);
    Result unwatch(int fd);

    // `receivers` is set to how many will get it, where it is not null.
    Result publish(std::string_view topic, Message message, PublishOptions options = {}, size_t *receivers = nullptr) {
        const wsd_publish_options with{sizeof with, options.except.id, options.full, options.key};
        const int count =
            wsd_publish(get(), str_of(topic), message.opcode, message.data.data(), message.data.size(), &with);
        if (receivers) *receivers = count < 0 ? 0 : size_t(count);
        return count < 0 ? Result(count) : Result::kOk;
    }
    Result prepare(Message message, Prepared *prepared) {
        wsd_prepared *made = nullptr;
        const int result = wsd_prepare(get(), message.opcode, message.data.data(), message.data.size(), &made);
        if (result == WSD_OK) *prepared = Prepared(made);
        return Result(result);
    }

    wsd_stats stats() const {
        wsd_stats stats{};
        stats.size = sizeof stats;
        (void)wsd_stats_get(get(), &stats);  // refuses nothing but a wrong size
        return stats;
    }
    uint64_t now_ms() const { return wsd_now_ms(get()); }
    wsd_server *get() const { return state_ ? state_->server : nullptr; }
    explicit operator bool() const { return state_ != nullptr; }

  private:
    struct Timer {
        wsd_timer id;
        std::function<void()> call;
    };
    using Watch = std::function<void(unsigned)>;

    // What the callbacks reach through wsd_context(): it stays where it is when its Server moves.
    struct State {
        Handlers handlers;
        std::map<wsd_timer, Timer> timers;
        std::map<int, std::shared_ptr<const Watch>> watches;
        std::mutex posts_mutex;
        std::deque<std::function<void()>> posts;  // one for each wsd_post() that waits
        std::exception_ptr thrown;                // the first since run() or poll() threw
        wsd_server *server = nullptr;             // owned

        // The last callbacks come from here, and need all that stands above.
        ~State() {
            if (wsd_server_free(server) != WSD_OK) std::terminate();
        }
    };

    // Calls `call` with the state, and keeps an exception from the C frames below.
    template <class Call>
    static void guard(wsd_server *server, Call call) noexcept {
        State &state = *static_cast<State *>(wsd_context(server));
        try {
            call(state);
        } catch (...) {
            if (!state.thrown) state.thrown = std::current_exception();
            wsd_server_stop(server);
        }
    }
    template <auto kHandler, class... What>
    static void tell(wsd_server *server, const What &...what) noexcept {
        guard(server, [&](State &state) { (state.handlers.*kHandler)(what...); });
    }
    void rethrow() {
        if (state_->thrown) std::rethrow_exception(std::exchange(state_->thrown, nullptr));
    }

    static wsd_callbacks callbacks_for(const Handlers &handlers);
    static void call_posted(wsd_server *server, void *);
    static void call_timer(wsd_server *server, void *arg);
    static void call_watch(wsd_server *server, int fd, unsigned events, void *);

    std::unique_ptr<State> state_;
};

inline Result Server::create(const Config &config, Handlers handlers, Server *server) {
    auto state = std::make_unique<State>();
    state->handlers = std::move(handlers);
    wsd_config with = config;
    with.context = state.get();
    const wsd_callbacks callbacks = callbacks_for(state->handlers);
    const int made = wsd_server_new(&with, &callbacks, &state->server);
    if (made == WSD_OK) server->state_ = std::move(state);
    return Result(made);
}

// Only what is set is asked for, as wsd.h does something of its own where a callback is not.
inline wsd_callbacks Server::callbacks_for(const Handlers &has) {
    using S = wsd_server;
    using C = wsd_conn;
    using H = Handlers;
    wsd_callbacks to{};
    to.size = sizeof to;
    if (has.on_request)
        to.on_request = [](S *s, C c, const wsd_request *r) { tell<&H::on_request>(s, Connection{s, c}, Request(r)); };
    if (has.on_open) to.on_open = [](S *s, C c) { tell<&H::on_open>(s, Connection{s, c}); };
    if (has.on_message)
        to.on_message = [](S *s, C c, wsd_opcode opcode, const void *data, size_t len) {
            tell<&H::on_message>(s, Connection{s, c}, Message(opcode, {static_cast<const char *>(data), len}));
        };
    if (has.on_chunk)
        to.on_chunk = [](S *s, C c, wsd_opcode opcode, const void *data, size_t len, int final) {
            const Message piece(opcode, {static_cast<const char *>(data), len});
            tell<&H::on_chunk>(s, Connection{s, c}, piece, final != 0);
        };
    if (has.on_pong) to.on_pong = [](S *s, C c, uint32_t rtt_ms) { tell<&H::on_pong>(s, Connection{s, c}, rtt_ms); };
    if (has.on_drain) to.on_drain = [](S *s, C c) { tell<&H::on_drain>(s, Connection{s, c}); };
    if (has.on_close)
        to.on_close = [](S *s, C c, const wsd_close_info *i) { tell<&H::on_close>(s, Connection{s, c}, *i); };
    if (has.on_log)
        to.on_log = [](S *s, wsd_log_level level, C c, const char *text, int e) {
            tell<&H::on_log>(s, level, Connection{s, c}, text, e);
        };
    if (has.on_session_end)
        to.on_session_end = [](S *s, wsd_session id, wsd_session_reason r) { tell<&H::on_session_end>(s, s, id, r); };
    if (has.on_refused)
        to.on_refused = [](S *s, C c, const wsd_request *r, int status, const char *why) {
            const Request request(r);
            tell<&H::on_refused>(s, Connection{s, c}, r ? &request : nullptr, status, why);
        };
    return to;
}

// The functions wait here and not in the arguments of the posts, as the library drops those when it is freed. Under one
// lock with the post, so that both queues have the same order.
inline Result Server::post(std::function<void()> call) {
    if (!call) return Result::kInvalid;
    const std::lock_guard lock(state_->posts_mutex);
    state_->posts.push_back(std::move(call));
    const int result = wsd_post(get(), call_posted, nullptr);
    if (result != WSD_OK) state_->posts.pop_back();
    return Result(result);
}

inline void Server::call_posted(wsd_server *server, void *) {
    guard(server, [](State &state) {
        std::unique_lock lock(state.posts_mutex);
        const std::function<void()> call = std::move(state.posts.front());
        state.posts.pop_front();
        lock.unlock();
        call();
    });
}

// The node is made before the timer and inserted after, which takes no memory: nothing can fail in between.
inline Result Server::start_timer(uint64_t delay_ms, std::function<void()> call, wsd_timer *timer) {
    if (!call) return Result::kInvalid;
    auto &timers = state_->timers;
    auto node = timers.extract(timers.emplace(0, Timer{0, std::move(call)}).first);
    const int result = wsd_timer_start(get(), delay_ms, call_timer, &node.mapped(), &node.mapped().id);
    if (result != WSD_OK) return Result(result);
    node.key() = node.mapped().id;
    if (timer) *timer = node.key();
    timers.insert(std::move(node));
    return Result::kOk;
}

inline Result Server::stop_timer(wsd_timer timer) {
    const int result = wsd_timer_stop(get(), timer);
    if (result == WSD_OK) state_->timers.erase(timer);
    return Result(result);
}

inline void Server::call_timer(wsd_server *server, void *arg) {
    guard(server, [&](State &state) { state.timers.extract(static_cast<Timer *>(arg)->id).mapped().call(); });
}

inline Result Server::watch(int fd, unsigned events, std::function<void(unsigned)> call) {
    if (!call) return Result::kInvalid;
    auto &watches = state_->watches;
    auto made = std::make_shared<const Watch>(std::move(call));
    const auto slot = watches.try_emplace(fd).first;
    const int result = wsd_watch(get(), fd, events, call_watch, nullptr);
    if (result == WSD_OK) slot->second = std::move(made);
    if (!slot->second) watches.erase(slot);
    return Result(result);
}

inline Result Server::unwatch(int fd) {
    const int result = wsd_unwatch(get(), fd);
    if (result == WSD_OK) state_->watches.erase(fd);
    return Result(result);
}

inline void Server::call_watch(wsd_server *server, int fd, unsigned events, void *) {
    guard(server, [&](State &state) {
        const std::shared_ptr<const Watch> call = state.watches.at(fd);  // which it may unwatch or replace
        (*call)(events);
    });
}

}  // namespace wsd
