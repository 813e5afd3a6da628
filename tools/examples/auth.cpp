// Authentication at the upgrade. A client shows a token, and a thread looks it up, as a database would have to be
// asked; the loop serves everybody else meanwhile. Who has shown a good one is greeted by name; everybody else gets 401
// and never becomes a WebSocket connection.
//
// Programs send "Authorization: Bearer TOKEN". A page in a browser cannot set that header and should use a cookie: a
// token in the URL ends in logs.
//
// usage: auth [ADDRESS]
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "wsd.h"

namespace {

constexpr size_t kWaitingMax = 1000;  // requests; further ones are told to come back, and do not pile up

struct Check {
    wsd_conn conn;
    std::string token;
    std::string* user;  // null: not with this token
};

// Where the loop and the thread meet.
struct Desk {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::deque<Check> waiting, decided;
};

// Stands for the database, which had better know tokens by their hashes: then neither a leak of it nor the time that it
// takes tells one.
std::string* find_user(const std::string& token) {
    static std::map<std::string, std::string> users = {{"s3cret-of-ada", "ada"}, {"s3cret-of-bob", "bob"}};
    const auto found = users.find(token);
    return found == users.end() ? nullptr : &found->second;
}

// On the loop again. A client that has left meanwhile, or is past the handshake timeout, is answered WSD_E_CLOSED here,
// and there is nobody to tell.
void decide(wsd_server* server, void*) {
    Desk& desk = *static_cast<Desk*>(wsd_context(server));
    std::unique_lock lock(desk.mutex);
    const std::deque<Check> decided = std::exchange(desk.decided, {});
    lock.unlock();
    for (const Check& check : decided) {
        const wsd_header challenge = {"WWW-Authenticate", "Bearer realm=\"wsd\""};
        if (!check.user) {
            (void)wsd_respond(server, check.conn, 401, &challenge, 1, "not with this token\n", 20);
        } else if (wsd_accept(server, check.conn, nullptr, nullptr, 0) == WSD_OK) {
            (void)wsd_set_user(server, check.conn, check.user);  // it lives: on_open is to come
        }
    }
}

// The thread. What it found waits at the desk and the post only says so: one that the loop never takes loses no memory,
// and one that finds the queue of posts full can be left out, as those in it will do.
void look_up(const std::stop_token& stop, wsd_server* server, Desk& desk) {
    std::unique_lock lock(desk.mutex);
    while (desk.changed.wait(lock, stop, [&] { return !desk.waiting.empty(); })) {
        Check check = std::move(desk.waiting.front());
        desk.waiting.pop_front();
        lock.unlock();
        check.user = find_user(check.token);
        lock.lock();
        desk.decided.push_back(std::move(check));
        (void)wsd_post(server, decide, nullptr);
    }
}

void on_request(wsd_server* server, wsd_conn conn, const wsd_request* request) {
    if (!wsd_request_is_upgrade(request)) {
        (void)wsd_respond(server, conn, 426, nullptr, 0, "WebSocket only\n", 15);
        return;
    }
    const wsd_str header = wsd_request_header(request, "Authorization");
    const std::string_view value(header.p ? header.p : "", header.len), scheme = "Bearer ";
    const std::string token(value.starts_with(scheme) ? value.substr(scheme.size()) : "");
    Desk& desk = *static_cast<Desk*>(wsd_context(server));
    const std::lock_guard lock(desk.mutex);
    if (desk.waiting.size() >= kWaitingMax) {
        (void)wsd_respond(server, conn, 503, nullptr, 0, nullptr, 0);
        return;
    }
    desk.waiting.push_back({conn, token, nullptr});
    desk.changed.notify_one();
}

void on_open(wsd_server* server, wsd_conn conn) {
    const std::string hello = "hello " + *static_cast<std::string*>(wsd_user(server, conn));
    (void)wsd_send(server, conn, WSD_TEXT, hello.data(), hello.size());  // the first one: there is room
}

wsd_server* running;
void drain(wsd_server* server, void*) { (void)wsd_server_drain(server, 5000); }
void on_signal(int) { (void)wsd_post(running, drain, nullptr); }

int fail(const char* what, int result) {
    const char* const why = result == WSD_E_SYSTEM ? std::strerror(errno) : wsd_error_text(result);
    std::fprintf(stderr, "auth: %s: %s\n", what, why);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const char* const address = argc > 1 ? argv[1] : "127.0.0.1:9001";
    Desk desk;
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.context = &desk;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    callbacks.on_request = on_request;
    callbacks.on_open = on_open;
    const int made = wsd_server_new(&config, &callbacks, &running);
    if (made != WSD_OK) return fail("cannot start", made);
    const int listener = wsd_server_listen(running, address);
    if (listener < 0) return fail(address, listener);
    std::signal(SIGTERM, on_signal);
    std::signal(SIGINT, on_signal);
    std::jthread thread(look_up, running, std::ref(desk));

    char actual[128] = "";
    (void)wsd_server_address(running, listener, actual, sizeof actual);
    std::printf("listening on %s\n", actual);
    std::fflush(stdout);
    const int ran = wsd_server_run(running);
    thread = {};  // has ended before the server does that it posts to
    (void)wsd_server_free(running);
    return ran == WSD_OK ? 0 : fail("cannot go on", ran);
}
