// A chat: the path of the URL names the room, a first word of "/name" changes one's name, everything else is said to
// the others in the room. Written with wsd.hpp, and on topics: a line is built once, however many hear it.
//
// usage: chat_room [ADDRESS]
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "wsd.hpp"

namespace {

using wsd::Result;

struct Member {
    std::string room, name;
};

struct Chat {
    wsd::Server server;
    std::map<wsd::Connection, Member> members;
    int guest_count = 0;

    // Who is so far behind that a line does not fit its queue is let go: a chat with gaps is worse than a reconnect.
    void say(const std::string& room, const std::string& line, wsd::Connection except = {}) {
        const Result said = server.publish(room, line, {.except = except, .full = WSD_FULL_CLOSE});
        if (said != Result::kOk) std::fprintf(stderr, "chat_room: a line was lost: %s\n", wsd::text(said));
    }

    void on_request(wsd::Connection conn, const wsd::Request& request) {
        if (!request.is_upgrade() || request.path().size() > WSD_TOPIC_MAX_BYTES) {
            (void)conn.respond(404,
                               "connect with a WebSocket to the path of a room\n");  // or it is gone, which is fine
            return;
        }
        const std::string room(request.path());
        if (conn.accept() == Result::kOk) members[conn] = {room, "guest " + std::to_string(++guest_count)};
    }

    void on_open(wsd::Connection conn) {
        const Member& member = members[conn];
        if (conn.subscribe(member.room) != Result::kOk) {
            (void)conn.close(1011, "no room");
            return;
        }
        say(member.room, "* " + member.name + " joins");
    }

    void on_message(wsd::Connection conn, wsd::Message message) {
        Member& member = members[conn];
        const std::string line(message.data);
        if (!message.is_text()) {
            (void)conn.close(1003, "text only");
        } else if (line.starts_with("/name ")) {
            const std::string before = std::exchange(member.name, line.substr(6));
            say(member.room, "* " + before + " is now " + member.name);
        } else {
            say(member.room, member.name + ": " + line, conn);
        }
    }

    void on_close(wsd::Connection conn) {
        const auto gone = members.extract(conn);  // whose subscription has ended with it
        say(gone.mapped().room, "* " + gone.mapped().name + " leaves");
    }

    wsd::Handlers handlers() {
        wsd::Handlers handlers;
        handlers.on_request = [this](wsd::Connection conn, const wsd::Request& request) { on_request(conn, request); };
        handlers.on_open = [this](wsd::Connection conn) { on_open(conn); };
        handlers.on_message = [this](wsd::Connection conn, wsd::Message message) { on_message(conn, message); };
        handlers.on_close = [this](wsd::Connection conn, const wsd_close_info&) { on_close(conn); };
        return handlers;
    }
};

// Signals as events of the loop: blocked, and read from a descriptor.
int take_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return -1;
    return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

int fail(const char* what, Result result) {
    std::fprintf(stderr, "chat_room: %s: %s\n", what,
                 result == Result::kSystem ? std::strerror(errno) : wsd::text(result));
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const char* const address = argc > 1 ? argv[1] : "127.0.0.1:9001";
    Chat chat;
    Result result = wsd::Server::create({}, chat.handlers(), &chat.server);
    if (result != Result::kOk) return fail("cannot start", result);
    result = chat.server.listen(address);
    if (result != Result::kOk) return fail(address, result);

    const int signals = take_signals();
    result = chat.server.watch(signals, WSD_READABLE, [&](unsigned) {
        signalfd_siginfo info;
        if (read(signals, &info, sizeof info) > 0) (void)chat.server.drain(5000);  // members get 1001; cut after 5 s
    });
    if (result != Result::kOk) return fail("cannot take signals", result);

    std::printf("listening on %s\n", chat.server.address().c_str());
    std::fflush(stdout);
    result = chat.server.run();
    return result == Result::kOk ? 0 : fail("cannot go on", result);
}
