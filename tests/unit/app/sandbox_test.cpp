// Each case in a process of its own, since a filter is for ever.
#include "app/sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "app/hub/store.h"
#include "support/plain_server.h"
#include "support/records.h"
#include "support/temporary_directory.h"

namespace {

// Runs `fn` in the sandbox, and `prepare` before. Returns what `fn` returned; 99 where there is no sandbox, -1 for a
// death by a signal.
template <class Fn>
int in_sandbox(
    Fn fn, void (*prepare)() = [] {}) {
    const pid_t child = fork();
    if (child == 0) {
        prepare();
        const long result = app::renounce_privileges() && app::enter_sandbox() ? fn() : 99;
        syscall(SYS_exit_group, result);  // _exit() is where AddressSanitizer makes a call that the sandbox refuses
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("in the sandbox no socket is made, no program run, and nobody else's process signalled or limited") {
    const pid_t other = getpid();  // asked for here, as the sandbox knows no getppid()
    CHECK(in_sandbox([] { return socket(AF_INET6, SOCK_STREAM, 0) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([] { return socket(AF_UNIX, SOCK_DGRAM, 0) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([] { return execl("/bin/true", "true", nullptr) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([] { return syscall(SYS_clone, 17, 0, 0, 0, 0) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([] { return syscall(SYS_ptrace, 0, 0, 0, 0) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([=] { return syscall(SYS_kill, other, 0) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([=] { return syscall(SYS_tgkill, other, other, 0) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([=] { return prlimit(other, RLIMIT_CORE, nullptr, nullptr) == -1 ? errno : 0; }) == EPERM);
    CHECK(in_sandbox([] { return syscall(SYS_setuid, getuid()) == -1 ? errno : 0; }) == EPERM);
}

TEST_CASE("in the sandbox a process may still signal itself and ask for its own limits") {
    CHECK(in_sandbox([] { return raise(0) == 0 ? 0 : errno; }) == 0);
    CHECK(in_sandbox([] {
              rlimit limit{};
              return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 0 ? 0 : 1;
          }) == 0);
}

TEST_CASE("in the sandbox memory is had, but none that can be executed") {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    CHECK(in_sandbox([=] { return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED; }) == 0);
    CHECK(in_sandbox([=] {
              return mmap(nullptr, 4096, PROT_READ | PROT_EXEC, flags, -1, 0) == MAP_FAILED ? errno : 0;
          }) == EPERM);
    CHECK(in_sandbox([=] {
              void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
              if (mprotect(page, 4096, PROT_READ) != 0) return 1;
              return mprotect(page, 4096, PROT_READ | PROT_EXEC) == -1 ? errno : 2;
          }) == EPERM);
}

TEST_CASE("in the sandbox files are read, and it can be left only by ending") {
    CHECK(in_sandbox([] {
              char c = 1;
              const int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
              return read(fd, &c, 1) == 1 && close(fd) == 0 ? int(c) : 1;
          }) == 0);
    CHECK(in_sandbox([] { return app::enter_sandbox() ? 0 : errno; }) == EPERM);
}

#if defined(__x86_64__)
TEST_CASE("a call by the numbers of another architecture kills") {
    CHECK(in_sandbox([] {
              int result = 20;  // getpid() of i386
              __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
              return 0;
          }) == -1);
}
#endif

TEST_CASE("in the sandbox the hub's sessions are kept, read and removed") {
    using namespace app::hub;
    static const test::TemporaryDirectory directory;
    static test::PlainServer server;
    static std::unique_ptr<Store> store;
    const auto work = [] {
        if (!store) return 1;
        int answers = 0;
        const auto count = [&answers](bool ok) { answers += ok; };
        const std::unique_ptr<History> kept = store->make_history("kept"), gone = store->make_history("gone");
        store->save("kept", "definition", count);
        kept->append(test::records(1, 100, 1000), count);
        kept->read(1, 1000, [&answers](const Chunk& chunk) { answers += !chunk.failed; });
        gone->append(test::records(1, 1), count);
        store->remove("gone", count);
        store->finish();
        return answers == 5 && store->secret().size() == 32 ? 0 : 2;
    };
    CHECK(in_sandbox(work, [] {
              StoreOptions options;
              options.directory = directory.path();
              options.segment_bytes = 1000;
              options.fsync = Fsync::kAlways;
              options.retention.count = 10;
              std::string error;
              store = open_store(options, server.server, {}, &error);
              if (store) (void)store->load({});
          }) == 0);
    CHECK(std::filesystem::exists(directory.path() + "/sessions/s-kept/definition.json"));
    CHECK_FALSE(std::filesystem::exists(directory.path() + "/sessions/s-gone"));
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path() + "/sessions"), {}) == 1);
}

TEST_CASE("in the sandbox files are kept as the hub keeps its history") {
    char folder[] = "/tmp/wsd-test-XXXXXX";
    REQUIRE(mkdtemp(folder));
    const std::string inner = std::string(folder) + "/s", before = inner + "/a.tmp", after = inner + "/a";
    CHECK(in_sandbox([&] {
              if (mkdir(inner.c_str(), 0700) != 0) return 1;
              const int fd = open(before.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
              char byte = 0;
              if (pwrite(fd, "x", 1, 5) != 1 || fdatasync(fd) != 0 || pread(fd, &byte, 1, 5) != 1) return 2;
              if (ftruncate(fd, 1) != 0 || fsync(fd) != 0) return 3;
              if (rename(before.c_str(), after.c_str()) != 0) return 4;
              return unlink(after.c_str()) == 0 && rmdir(inner.c_str()) == 0 ? 0 : 5;
          }) == 0);
    rmdir(folder);
}
