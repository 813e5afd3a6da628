// A history on disk, and what the disk's store shares with its histories.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/hub/disk_thread.h"
#include "app/hub/journal.h"
#include "app/hub/recent.h"
#include "app/hub/store.h"
#include "wsd.h"

namespace app::hub {

// Brings to the disk, once in a while and by a thread of its own, what was written in the meantime: an fsync that takes
// long delays no append.
class Syncing {
  public:
    // `every_ms` 0: never.
    Syncing(wsd_server* server, DiskThread* thread, uint32_t every_ms, StoreLog log);
    ~Syncing();
    Syncing(const Syncing&) = delete;
    Syncing& operator=(const Syncing&) = delete;

    void add(const std::vector<std::string>& paths);
    void sync_now();

  private:
    wsd_server* server_;
    DiskThread* thread_;
    uint32_t every_ms_;
    StoreLog log_;
    std::set<std::string> paths_;  // not descriptors, of which a process has too few for all sessions
    wsd_timer timer_ = 0;
};

// What is known of a history on the loop's thread. Whoever finds it gone calls nobody.
struct DiskHistoryState {
    DiskHistoryState(std::string id, std::shared_ptr<Journal> on_disk, size_t recent_bytes,
                     std::shared_ptr<RecentShare> share)
        : session_id(std::move(id)), journal(std::move(on_disk)), recent(recent_bytes, 0, std::move(share)) {}

    // Retention has given up what was before, which is everything for 0.
    void begin_at(uint64_t seq) {
        first_seq = seq;
        recent.drop_before(seq ? seq : UINT64_MAX);
    }

    std::string session_id;
    std::shared_ptr<Journal> journal;  // the helper's, once the loop runs
    uint64_t first_seq = 0, last_seq = 0;
    RecentRecords recent;
    bool failing = false;  // the last append failed, and the log says so
};

// What all histories of a store use; outlives them.
struct DiskContext {
    DiskThread* disk = nullptr;
    Syncing* syncing = nullptr;
    StoreLog log;
};

class DiskHistory final : public History {
  public:
    DiskHistory(DiskContext* context, std::shared_ptr<DiskHistoryState> state)
        : context_(context), state_(std::move(state)) {}

    uint64_t first_seq() const override { return state_->first_seq; }
    uint64_t last_seq() const override { return state_->last_seq; }
    void append(std::vector<std::shared_ptr<const Record>> records, std::function<void(bool)> done) override;
    std::shared_ptr<const Record> recent(uint64_t seq) const override { return state_->recent.find(seq); }
    void read(uint64_t seq, size_t bytes, std::function<void(Chunk)> done) override;

  private:
    DiskContext* context_;
    std::shared_ptr<DiskHistoryState> state_;
};

}  // namespace app::hub
