#include "app/hub/recent.h"

#include <utility>

namespace app::hub {

size_t memory_bytes(const Record& record) {
    return sizeof record + record.text.size() + record.route.from.size() + record.route.to.size();
}

void RecentRecords::add(std::shared_ptr<const Record> record) {
    if (!records_.empty() && record->seq != last_seq() + 1) drop_before(UINT64_MAX);
    const size_t size = memory_bytes(*record);
    bytes_ += size;
    if (share_) share_->bytes += size;
    records_.push_back(std::move(record));
    while (records_.size() > 1 && too_many()) drop_oldest();
}

bool RecentRecords::too_many() const {
    return (bytes_max_ && bytes_ > bytes_max_) || (count_max_ && records_.size() > count_max_) ||
           (share_ && share_->bytes > share_->bytes_max);
}

std::shared_ptr<const Record> RecentRecords::find(uint64_t seq) const {
    return records_.empty() || seq < first_seq() || seq > last_seq() ? nullptr : records_[seq - first_seq()];
}

void RecentRecords::drop_oldest() {
    const size_t size = memory_bytes(*records_.front());
    bytes_ -= size;
    if (share_) share_->bytes -= size;
    records_.pop_front();
}

void RecentRecords::drop_before(uint64_t seq) {
    while (!records_.empty() && records_.front()->seq < seq) drop_oldest();
}

void RecentRecords::drop_older(int64_t time_ms) {
    while (!records_.empty() && records_.front()->time_ms < time_ms) drop_oldest();
}

}  // namespace app::hub
