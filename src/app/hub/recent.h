// The newest records of one history, as many as there is room for; their numbers follow on each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "app/hub/history.h"

namespace app::hub {

// What many histories hold in memory between them. Given back on whatever thread frees the last of one.
struct RecentShare {
    explicit RecentShare(size_t most) : bytes_max(most) {}
    const size_t bytes_max;
    std::atomic<size_t> bytes = 0;
};

class RecentRecords {
  public:
    // As much as both allow, but the newest record at least; 0: no limit. With a share that is used up, no more than
    // that record either: whoever adds gives up its own.
    explicit RecentRecords(size_t bytes_max, size_t count_max = 0, std::shared_ptr<RecentShare> share = nullptr)
        : bytes_max_(bytes_max), count_max_(count_max), share_(std::move(share)) {}
    ~RecentRecords() { drop_before(UINT64_MAX); }
    RecentRecords(const RecentRecords&) = delete;
    RecentRecords& operator=(const RecentRecords&) = delete;

    // One whose number does not follow takes the place of all that there is.
    void add(std::shared_ptr<const Record> record);

    std::shared_ptr<const Record> find(uint64_t seq) const;  // null: not here, or not any more

    void drop_before(uint64_t seq);
    void drop_older(int64_t time_ms);  // than that, from the oldest on

    uint64_t first_seq() const { return records_.empty() ? 0 : records_.front()->seq; }
    uint64_t last_seq() const { return records_.empty() ? 0 : records_.back()->seq; }

  private:
    bool too_many() const;
    void drop_oldest();

    size_t bytes_max_, count_max_;
    std::shared_ptr<RecentShare> share_;  // null: none
    size_t bytes_ = 0;
    std::deque<std::shared_ptr<const Record>> records_;
};

// What a record takes up in memory, near enough.
size_t memory_bytes(const Record& record);

}  // namespace app::hub
