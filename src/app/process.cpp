#include "app/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "app/number.h"

namespace app {
namespace {

constexpr int kFirstPassed = 3;

bool fail(std::string* error, const std::string& what, int reason) {
    *error = what + ": " + std::strerror(reason);
    return false;
}

// A number but for -1, which to chown() and its kin means "as it is".
template <class T>
bool parse_id(std::string_view text, T* id) {
    return parse_number(text, id) && *id != T(-1);
}

bool find_user(const std::string& name, Identity* identity) {
    const passwd* entry = getpwnam(name.c_str());
    uid_t number = 0;
    const bool numbered = !entry && parse_id(name, &number);
    if (numbered) entry = getpwuid(number);
    if (entry) {
        identity->user = entry->pw_uid;
        identity->group = entry->pw_gid;
    } else {
        identity->user = number;
        identity->group = gid_t(-1);  // a number without an entry has no group of its own
    }
    return entry || numbered;
}

bool find_group(const std::string& name, Identity* identity) {
    const group* const entry = getgrnam(name.c_str());
    if (entry) identity->group = entry->gr_gid;
    return entry || parse_id(name, &identity->group);
}

bool is_already(const Identity& identity) {
    uid_t real = 0, effective = 0, saved = 0;
    gid_t real_group = 0, effective_group = 0, saved_group = 0;
    return getresuid(&real, &effective, &saved) == 0 && getresgid(&real_group, &effective_group, &saved_group) == 0 &&
           real == identity.user && effective == identity.user && saved == identity.user &&
           real_group == identity.group && effective_group == identity.group && saved_group == identity.group;
}

}  // namespace

uint64_t raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlimit wanted{limit.rlim_max, limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur;
}

uint64_t connections_within(uint64_t descriptor_limit) {
    return descriptor_limit > kReservedDescriptors ? descriptor_limit - kReservedDescriptors : 1;
}

bool take_passed_sockets(std::vector<std::string>* addresses, std::string* error) {
    const char* const pid_text = getenv("LISTEN_PID");
    const char* const count_text = getenv("LISTEN_FDS");
    if (!pid_text || !count_text) return true;
    pid_t pid = 0;
    int count = 0;
    const bool good = parse_id<pid_t>(pid_text, &pid) && parse_id<int>(count_text, &count) && count >= 0;
    if (!good)
        *error =
            "LISTEN_FDS, LISTEN_PID: expected numbers, not \"" + std::string(count_text) + "\", \"" + pid_text + '"';
    for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(name);
    if (pid != getpid()) return good;  // meant for another process
    for (int i = 0; i < count; i++) addresses->push_back("fd:" + std::to_string(kFirstPassed + i));
    return good;
}

bool find_identity(const std::string& text, Identity* identity, std::string* error) {
    const size_t colon = text.find(':');
    identity->name = text;
    if (!find_user(text.substr(0, colon), identity)) {
        *error = "no such user: " + text.substr(0, colon);
        return false;
    }
    if (colon != text.npos && !find_group(text.substr(colon + 1), identity)) {
        *error = "no such group: " + text.substr(colon + 1);
        return false;
    }
    if (identity->group == gid_t(-1)) *error = "a user without an account needs a group: " + text;
    return identity->group != gid_t(-1);
}

bool become(const Identity& identity, std::string* error) {
    if (identity.user == 0) {
        *error = "root keeps its privileges: name another user";
        return false;
    }
    if (is_already(identity)) return true;
    const gid_t group = identity.group;
    const std::string what = "cannot become user " + identity.name;
    // The user comes last, as only root may change the groups.
    if (setgroups(1, &group) != 0) return fail(error, what, errno);
    if (setresgid(group, group, group) != 0) return fail(error, what, errno);
    if (setresuid(identity.user, identity.user, identity.user) != 0) return fail(error, what, errno);
    if (setuid(0) == 0 || seteuid(0) == 0 || !is_already(identity)) {
        *error = what + ": privileges could be regained";
        return false;
    }
    return true;
}

bool Pidfile::create(const std::string& path, std::string* error) {
    std::string temporary = path + ".XXXXXX";
    fd_ = mkostemp(temporary.data(), O_CLOEXEC);
    if (fd_ < 0) return fail(error, "cannot write " + path, errno);
    const std::string line = std::to_string(getpid()) + "\n";
    const bool written = write(fd_, line.data(), line.size()) == ssize_t(line.size()) && fchmod(fd_, 0644) == 0;
    if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
        const int reason = errno;
        unlink(temporary.c_str());
        return fail(error, "cannot write " + path, reason);
    }
    path_ = path;
    return true;
}

Pidfile::~Pidfile() {
    // Whoever has given up its privileges may not be able to remove the file, but can still empty it.
    if (!path_.empty() && unlink(path_.c_str()) != 0) (void)!ftruncate(fd_, 0);
    if (fd_ >= 0) close(fd_);
}

}  // namespace app
