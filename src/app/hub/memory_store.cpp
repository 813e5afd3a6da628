#include "app/hub/memory_store.h"

#include <algorithm>
#include <utility>

#include "app/hub/random_bytes.h"
#include "app/hub/recent.h"
#include "app/hub/sweep.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

class MemoryHistory;
using Histories = std::vector<MemoryHistory*>;

class MemoryHistory final : public History {
  public:
    MemoryHistory(const Retention& keep, std::shared_ptr<Histories> all)
        : age_ms_(keep.age_ms),
          records_(keep.bytes ? keep.bytes : kMemoryBytesMax, keep.count ? keep.count : kMemoryCountMax),
          all_(std::move(all)) {
        all_->push_back(this);
    }
    ~MemoryHistory() override { std::erase(*all_, this); }
    MemoryHistory(const MemoryHistory&) = delete;
    MemoryHistory& operator=(const MemoryHistory&) = delete;

    uint64_t first_seq() const override { return records_.first_seq(); }
    uint64_t last_seq() const override { return last_seq_; }

    void append(std::vector<std::shared_ptr<const Record>> records, std::function<void(bool)> done) override {
        for (auto& record : records) {
            last_seq_ = record->seq;
            records_.add(std::move(record));
        }
        drop_old();
        done(true);
    }

    std::shared_ptr<const Record> recent(uint64_t seq) const override { return records_.find(seq); }

    void read(uint64_t seq, size_t bytes, std::function<void(Chunk)> done) override {
        Chunk chunk;
        chunk.next_seq = std::max(seq, records_.first_seq() ? records_.first_seq() : last_seq_ + 1);
        for (size_t got = 0; chunk.records.empty() || got < bytes; chunk.next_seq++) {
            std::shared_ptr<const Record> record = records_.find(chunk.next_seq);
            if (!record) break;
            got += memory_bytes(*record);
            chunk.records.push_back(std::move(record));
        }
        done(std::move(chunk));
    }

    void drop_old() {
        if (age_ms_) records_.drop_older(oldest_kept_ms(wall_ms(), age_ms_));
    }

  private:
    uint64_t age_ms_;
    uint64_t last_seq_ = 0;
    RecentRecords records_;
    std::shared_ptr<Histories> all_;
};

class MemoryStore final : public Store {
  public:
    MemoryStore(const StoreOptions& options, wsd_server* server)
        : retention_(options.retention), sweep_(server, options.retention.age_ms, [this] {
              for (MemoryHistory* history : *histories_) history->drop_old();
          }) {}

    std::vector<StoredSession> load(const LoadVisitor&) override { return {}; }
    void save(std::string_view, std::string, std::function<void(bool)> done) override { done(true); }
    std::unique_ptr<History> make_history(std::string_view) override {
        return std::make_unique<MemoryHistory>(retention_, histories_);
    }
    void remove(std::string_view, std::function<void(bool)> done) override { done(true); }
    std::string secret() override {
        if (secret_.empty()) secret_ = random_bytes(kSecretBytes);
        return secret_;
    }
    void finish() override {}

  private:
    Retention retention_;
    std::string secret_;
    std::shared_ptr<Histories> histories_ = std::make_shared<Histories>();
    Sweep sweep_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(const StoreOptions& options, wsd_server* server) {
    return std::make_unique<MemoryStore>(options, server);
}

}  // namespace app::hub
