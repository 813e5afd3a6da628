// The newest records of one history, as many as there is room for; their numbers follow on each other.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "app/hub/history.h"

namespace app::hub {

class RecentRecords {
  public:
    // As much as both allow, but the newest record at least; 0: no limit.
    explicit RecentRecords(size_t bytes_max, size_t count_max = 0) : bytes_max_(bytes_max), count_max_(count_max) {}

    // One whose number does not follow takes the place of all that there is.
    void add(std::shared_ptr<const Record> record);

    std::shared_ptr<const Record> find(uint64_t seq) const;  // null: not here, or not any more

    void drop_before(uint64_t seq);
    void drop_older(int64_t time_ms);  // than that, from the oldest on

    uint64_t first_seq() const { return records_.empty() ? 0 : records_.front()->seq; }
    uint64_t last_seq() const { return records_.empty() ? 0 : records_.back()->seq; }

  private:
    void drop_oldest();

    size_t bytes_max_, count_max_;
    size_t bytes_ = 0;
    std::deque<std::shared_ptr<const Record>> records_;
};

// What a record takes up in memory, near enough.
size_t memory_bytes(const Record& record);

}  // namespace app::hub
