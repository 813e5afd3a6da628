#include "app/notify.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {

// The service manager's end: a datagram socket at that name.
struct Manager {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::string name;

    explicit Manager(std::string at) : name(std::move(at)) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        const size_t len = offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '/');
        REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), socklen_t(len)) == 0);
        setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    ~Manager() {
        close(fd);
        if (name[0] == '/') unlink(name.c_str());
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    std::string next() {
        char text[512];
        const ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);  // what was sent is there
        return n < 0 ? "nothing" : std::string(text, size_t(n));
    }
};

}  // namespace

TEST_CASE("without a manager nothing is told") {
    unsetenv("NOTIFY_SOCKET");
    setenv("WATCHDOG_USEC", "1000000", 1);
    app::Notifier notifier;
    std::string error;
    CHECK(notifier.open(&error));
    CHECK(notifier.watchdog_ms() == 0);
    notifier.ready();
}

TEST_CASE("a manager is told by datagrams, at a path or an abstract name, and the variables are gone") {
    for (const std::string& name :
         {"/tmp/wsd-notify-" + std::to_string(getpid()), "@wsd-" + std::to_string(getpid())}) {
        CAPTURE(name);
        Manager manager(name);
        app::Notifier notifier;
        std::string error;
        REQUIRE(notifier.open(&error));
        CHECK(getenv("NOTIFY_SOCKET") == nullptr);
        notifier.ready();
        CHECK(manager.next() == "READY=1\nSTATUS=Serving.\n");
        notifier.reloading();
        const std::string reloading = manager.next();
        CHECK(reloading.find("RELOADING=1\nMONOTONIC_USEC=") == 0);
        CHECK(std::stoull(reloading.substr(reloading.find("USEC=") + 5)) > 0);
        notifier.watchdog();
        CHECK(manager.next() == "WATCHDOG=1\n");
        notifier.stopping();
        CHECK(manager.next() == "STOPPING=1\nSTATUS=Draining.\n");
        CHECK(manager.next() == "nothing");
    }
}

TEST_CASE("the watchdog is due twice in its time, if it is this process that is watched") {
    const struct {
        const char* period_us;
        std::string pid;
        uint32_t expected_ms;
    } kRows[] = {
        {"30000000", "", 15000}, {"30000000", std::to_string(getpid()), 15000}, {"30000000", "1", 0}, {"1", "", 1}};
    for (const auto& row : kRows) {
        CAPTURE(row.period_us);
        Manager manager("@wsd-watchdog-" + std::to_string(getpid()));
        setenv("WATCHDOG_USEC", row.period_us, 1);
        if (!row.pid.empty()) setenv("WATCHDOG_PID", row.pid.c_str(), 1);
        app::Notifier notifier;
        std::string error;
        REQUIRE(notifier.open(&error));
        CHECK(notifier.watchdog_ms() == row.expected_ms);
        CHECK(getenv("WATCHDOG_PID") == nullptr);
    }
}

TEST_CASE("variables that make no sense are named") {
    const struct {
        const char* name;
        const char* socket;
        const char* period;
    } kRows[] = {{"NOTIFY_SOCKET", "relative", ""},
                 {"NOTIFY_SOCKET", "@", ""},
                 {"WATCHDOG_USEC", "/tmp/x", "soon"},
                 {"WATCHDOG_USEC", "/tmp/x", "0"}};
    for (const auto& row : kRows) {
        setenv("NOTIFY_SOCKET", row.socket, 1);
        setenv("WATCHDOG_USEC", row.period, 1);
        app::Notifier notifier;
        std::string error;
        CHECK_FALSE(notifier.open(&error));
        CHECK(error.find(row.name) == 0);
    }
}
