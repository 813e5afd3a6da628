// Files as the store needs them: whole, durable, and with the reason where something failed. Nothing here is called on
// the loop's thread once it runs. Functions that fail leave the reason in errno.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace app::hub {

// A descriptor that closes itself; -1: none.
class File {
  public:
    File() = default;
    File(const std::string& path, int flags);  // made for its owner only, where `flags` have O_CREAT
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int fd() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

// "PATH: REASON", of what failed last.
std::string reason_text(const std::string& path);

// The calls by which a journal grows, so that tests can have them fail.
struct FileCalls {
    ssize_t (*pwrite)(int fd, const void* data, size_t len, off_t offset);
    int (*fdatasync)(int fd);
    int (*ftruncate)(int fd, off_t len);
    int (*fsync)(int fd);  // of directories
};
extern const FileCalls kFileCalls;  // the system's

// Writes all of `data` from `offset` on.
[[nodiscard]] bool write_at(const FileCalls& calls, int fd, std::string_view data, uint64_t offset);

// Adds the bytes of [offset, offset + len) to `*data`; fewer where the file ends. False keeps those that could be read.
[[nodiscard]] bool read_at(int fd, uint64_t offset, uint64_t len, std::string* data);

// All of a file; false if there is none, or for an error on the way.
[[nodiscard]] bool read_file(const std::string& path, std::string* data);

// Puts what a file or directory holds on the disk. True also where it is gone: then there is nothing to lose.
[[nodiscard]] bool sync_path(const std::string& path, const FileCalls& calls = kFileCalls);

// Makes a directory for its owner only. True also where there is one.
[[nodiscard]] bool make_directory(const std::string& path);

// Replaces `directory`/`name`, so that after a crash it is the one or the other, whole: through `temporary`, a file in
// the same directory that start_replacing() has written and finish_replacing() puts in place; neither leaves it behind
// where it fails.
[[nodiscard]] bool start_replacing(const std::string& temporary, std::string_view data);
[[nodiscard]] bool finish_replacing(const std::string& directory, const std::string& name,
                                    const std::string& temporary);

// The names in a directory, sorted; none where there is no such directory.
[[nodiscard]] bool names_in(const std::string& directory, std::vector<std::string>* names);

// Deletes a directory that holds nothing but files.
[[nodiscard]] bool remove_directory(const std::string& path);

}  // namespace app::hub
