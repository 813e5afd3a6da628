#include "app/hub/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace app::hub {
namespace {

constexpr mode_t kOwnersFile = 0600, kOwnersDirectory = 0700;
constexpr size_t kReadStep = 256 * 1024;

bool sync_file(const std::string& path) {
    const File file(path, O_RDONLY);  // sync_path() would not mind where it is gone
    return file && fsync(file.fd()) == 0;
}

void delete_keeping_reason(const std::string& path) {
    const int reason = errno;
    unlink(path.c_str());
    errno = reason;
}

}  // namespace

const FileCalls kFileCalls = {::pwrite, ::fdatasync, ::ftruncate, ::fsync};

File::File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, kOwnersFile)) {}

File::~File() {
    const int reason = errno;  // of what went before, which is what is asked for
    if (fd_ >= 0) close(fd_);
    errno = reason;
}

std::string reason_text(const std::string& path) { return path + ": " + std::strerror(errno); }

bool write_at(const FileCalls& calls, int fd, std::string_view data, uint64_t offset) {
    while (!data.empty()) {
        const ssize_t n = calls.pwrite(fd, data.data(), data.size(), off_t(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) errno = ENOSPC;
        if (n == 0) return false;
        data.remove_prefix(size_t(n));
        offset += uint64_t(n);
    }
    return true;
}

bool read_at(int fd, uint64_t offset, uint64_t len, std::string* data) {
    const size_t start = data->size();
    size_t got = 0;
    while (got < len) {
        // By steps, as a file may be shorter by far than it is said to be.
        const size_t step = size_t(std::min<uint64_t>(len - got, kReadStep));
        data->resize(start + got + step);
        const ssize_t n = pread(fd, data->data() + start + got, step, off_t(offset + got));
        if (n > 0) got += size_t(n);
        if (n == 0) break;
        if (n < 0 && errno != EINTR) {
            data->resize(start + got);
            return false;
        }
    }
    data->resize(start + got);
    return true;
}

bool read_file(const std::string& path, std::string* data) {
    data->clear();
    const File file(path, O_RDONLY);
    struct stat status {};
    if (!file || fstat(file.fd(), &status) != 0) return false;
    data->reserve(size_t(status.st_size) + kReadStep);
    return read_at(file.fd(), 0, UINT64_MAX, data);
}

bool sync_path(const std::string& path, const FileCalls& calls) {
    const File file(path, O_RDONLY);
    if (!file) return errno == ENOENT;
    return calls.fsync(file.fd()) == 0;
}

bool make_directory(const std::string& path) { return mkdir(path.c_str(), kOwnersDirectory) == 0 || errno == EEXIST; }

bool start_replacing(const std::string& temporary, std::string_view data) {
    const File file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (file && write_at(kFileCalls, file.fd(), data, 0)) return true;
    delete_keeping_reason(temporary);
    return false;
}

bool finish_replacing(const std::string& directory, const std::string& name, const std::string& temporary) {
    if (sync_file(temporary) && rename(temporary.c_str(), (directory + '/' + name).c_str()) == 0)
        return sync_path(directory);
    delete_keeping_reason(temporary);
    return false;
}

bool names_in(const std::string& directory, std::vector<std::string>* names) {
    names->clear();
    DIR* const entries = opendir(directory.c_str());
    if (!entries) return errno == ENOENT;
    errno = 0;
    while (const dirent* entry = readdir(entries)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names->emplace_back(name);
    }
    const int reason = errno;
    closedir(entries);
    errno = reason;
    std::sort(names->begin(), names->end());
    return reason == 0;
}

bool remove_directory(const std::string& path) {
    std::vector<std::string> names;
    bool good = names_in(path, &names);
    for (const std::string& name : names) {
        if (unlink((path + '/' + name).c_str()) != 0) good = false;
    }
    return rmdir(path.c_str()) == 0 && good;
}

}  // namespace app::hub
