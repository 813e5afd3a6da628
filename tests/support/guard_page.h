// A buffer that ends (or begins) exactly at a page nobody may touch: one byte too far is a crash, not a chance.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace test {

class GuardPage {
  public:
    explicit GuardPage(size_t capacity) : page_(size_t(sysconf(_SC_PAGESIZE))) {
        room_ = (capacity + page_ - 1) / page_ * page_ + page_;
        void* const p = mmap(nullptr, room_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) std::abort();
        base_ = static_cast<uint8_t*>(p);
        if (mprotect(base_ + page_, room_, PROT_READ | PROT_WRITE) != 0) std::abort();
    }
    ~GuardPage() { munmap(base_, room_ + 2 * page_); }
    GuardPage(const GuardPage&) = delete;
    GuardPage& operator=(const GuardPage&) = delete;

    // A copy of `len` bytes whose last byte is the last that may be read.
    uint8_t* before_end(const void* data, size_t len) {
        uint8_t* const p = base_ + page_ + room_ - len;
        if (len) std::memcpy(p, data, len);
        return p;
    }

    // A copy of `len` bytes whose first byte is the first that may be read.
    uint8_t* after_start(const void* data, size_t len) {
        if (len) std::memcpy(base_ + page_, data, len);
        return base_ + page_;
    }

  private:
    size_t page_;
    size_t room_;
    uint8_t* base_;
};

}  // namespace test
