// A directory that is gone with the test; in memory where the system has such a place, as a disk takes its time.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace test {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        path_ = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        path_ += "/wsd-test-XXXXXX";
        if (!mkdtemp(path_.data())) std::abort();
    }
    ~TemporaryDirectory() {
        std::error_code ignored;  // what could not be removed stays in /tmp
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace test
