#include "app/process.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace {

// Runs `fn` in a process of its own. Returns what that returned, or -1.
template <class Fn>
int in_child(Fn fn) {
    const pid_t child = fork();
    if (child == 0) _exit(fn());
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void set_passed(const std::string& pid, const char* count) {
    setenv("LISTEN_PID", pid.c_str(), 1);
    setenv("LISTEN_FDS", count, 1);
    setenv("LISTEN_FDNAMES", "a:b", 1);
}

}  // namespace

TEST_CASE("connections leave descriptors for everything else") {
    CHECK(app::connections_within(1024) == 924);
    CHECK(app::connections_within(101) == 1);
    CHECK(app::connections_within(100) == 1);
    CHECK(app::connections_within(0) == 1);
}

TEST_CASE("the limit of descriptors is raised as far as it goes") {
    CHECK(in_child([] { return app::raise_descriptor_limit() == uint64_t(sysconf(_SC_OPEN_MAX)) ? 0 : 1; }) == 0);
}

TEST_CASE("sockets that a service manager passes are taken once, and only by whom they are for") {
    std::vector<std::string> addresses;
    std::string error;
    CHECK(app::take_passed_sockets(&addresses, &error));
    CHECK(addresses.empty());
    set_passed(std::to_string(getpid()), "2");
    CHECK(app::take_passed_sockets(&addresses, &error));
    CHECK(addresses == std::vector<std::string>{"fd:3", "fd:4"});
    for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) CHECK(getenv(name) == nullptr);
    set_passed("1", "2");
    CHECK(app::take_passed_sockets(&addresses, &error));
    CHECK(addresses.size() == 2);
    set_passed(std::to_string(getpid()), "many");
    CHECK_FALSE(app::take_passed_sockets(&addresses, &error));
    CHECK(error.find("LISTEN_FDS") == 0);
    set_passed(std::to_string(getpid()), "-1");
    CHECK_FALSE(app::take_passed_sockets(&addresses, &error));
    CHECK(addresses.size() == 2);
}

TEST_CASE("users and groups are found by name and by number") {
    app::Identity identity;
    std::string error;
    CHECK(app::find_identity("root", &identity, &error));
    CHECK(identity.user == 0);
    CHECK(identity.group == 0);
    CHECK(app::find_identity("12345:54321", &identity, &error));
    CHECK(identity.user == 12345);
    CHECK(identity.group == 54321);
    CHECK(app::find_identity("nobody:root", &identity, &error));
    CHECK(identity.user != 0);
    CHECK(identity.group == 0);
    CHECK_FALSE(app::find_identity("12345", &identity, &error));
    CHECK(error == "a user without an account needs a group: 12345");
    CHECK_FALSE(app::find_identity("no-such-user", &identity, &error));
    CHECK(error == "no such user: no-such-user");
    CHECK_FALSE(app::find_identity("root:no-such-group", &identity, &error));
    CHECK(error == "no such group: no-such-group");
    CHECK_FALSE(app::find_identity("4294967295:1", &identity, &error));
    CHECK_FALSE(app::find_identity("", &identity, &error));
}

TEST_CASE("to become root is refused, and so is another user without the right to") {
    std::string error;
    CHECK_FALSE(app::become({"root", 0, 0}, &error));
    CHECK(error == "root keeps its privileges: name another user");
    if (geteuid() == 0) {
        CHECK(in_child([] {
                  std::string why;
                  if (!app::become({"nobody", 65534, 65534}, &why)) return 1;
                  if (getuid() != 65534 || getegid() != 65534 || getgroups(0, nullptr) != 1) return 2;
                  if (!app::become({"nobody", 65534, 65534}, &why)) return 3;
                  return app::become({"other", 65533, 65534}, &why) ? 4 : 0;
              }) == 0);
    } else {
        CHECK_FALSE(app::become({"other", getuid() + 1, getgid()}, &error));
        MESSAGE("skipped: becoming another user, as that takes root");
    }
}

TEST_CASE("a pidfile holds the process id as long as it is had, and replaces an old one whole") {
    char folder[] = "/tmp/wsd-pidfile-XXXXXX";
    REQUIRE(mkdtemp(folder));
    const std::string path = std::string(folder) + "/pid";
    std::ofstream(path) << "an old and much longer line\n";
    std::string error;
    {
        app::Pidfile pidfile;
        REQUIRE(pidfile.create(path, &error));
        std::string text;
        std::getline(std::ifstream(path), text, '\0');
        CHECK(text == std::to_string(getpid()) + "\n");
    }
    CHECK(access(path.c_str(), F_OK) != 0);
    {
        app::Pidfile pidfile;
        CHECK_FALSE(pidfile.create(std::string(folder) + "/none/pid", &error));
        CHECK(error.find("/none/pid: No such file or directory") != std::string::npos);
        app::Pidfile folder_in_the_way;
        CHECK_FALSE(folder_in_the_way.create(folder, &error));
    }
    CHECK(rmdir(folder) == 0);  // nothing is left in it
}
