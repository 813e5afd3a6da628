// A store of the hub that is one with the test: everything is kept in plain sight, and it does what it is told. It
// answers at once, unless the test holds it back, and refuses when the test says so.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/hub/store.h"

namespace test {

using Records = std::vector<std::shared_ptr<const app::hub::Record>>;

struct FakeDisk {
    std::map<std::string, std::string> definitions;
    std::map<std::string, Records> records;
    std::vector<std::string> removed;
    bool refuses = false;  // what is asked for from now on
    bool unreadable = false;
    bool holding = false;  // answers wait for release()
    size_t save_count = 0;
    std::deque<std::function<void()>> held;

    void answer(std::function<void()> call) {
        if (holding) {
            held.push_back(std::move(call));
        } else {
            call();
        }
    }

    // One answer that was held back.
    void release() {
        const std::function<void()> call = std::move(held.front());
        held.pop_front();
        call();
    }
};

class FakeHistory : public app::hub::History {
  public:
    FakeHistory(FakeDisk* disk, std::string id) : disk_(disk), id_(std::move(id)) {}
    ~FakeHistory() override { *alive_ = false; }

    uint64_t first_seq() const override { return all().empty() ? 0 : all().front()->seq; }
    uint64_t last_seq() const override { return all().empty() ? 0 : all().back()->seq; }

    void append(Records records, std::function<void(bool ok)> done) override {
        const bool ok = !disk_->refuses;
        disk_->answer([this, alive = alive_, ok, records = std::move(records), done = std::move(done)] {
            if (!*alive) return;
            if (ok) all().insert(all().end(), records.begin(), records.end());
            done(ok);
        });
    }

    std::shared_ptr<const app::hub::Record> recent(uint64_t seq) const override {
        for (const auto& record : all()) {
            if (record->seq == seq) return record;
        }
        return nullptr;
    }

    // Three records at most, so that reading takes several goes.
    void read(uint64_t seq, size_t, std::function<void(app::hub::Chunk)> done) override {
        disk_->answer([this, alive = alive_, seq, done = std::move(done)] {
            app::hub::Chunk chunk;
            chunk.failed = !*alive || disk_->unreadable;
            chunk.next_seq = seq;
            if (!chunk.failed) fill(&chunk, seq);
            done(std::move(chunk));
        });
    }

  private:
    Records& all() const { return disk_->records[id_]; }

    void fill(app::hub::Chunk* chunk, uint64_t seq) {
        for (const auto& record : all()) {
            if (record->seq < seq || chunk->records.size() == 3) continue;
            if (record->seq > chunk->next_seq) chunk->missing.push_back({chunk->next_seq, record->seq - 1});
            chunk->records.push_back(record);
            chunk->next_seq = record->seq + 1;
        }
    }

    FakeDisk* disk_;
    std::string id_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class FakeStore : public app::hub::Store {
  public:
    explicit FakeStore(FakeDisk* disk) : disk_(disk) {}

    std::vector<app::hub::StoredSession> load(const app::hub::LoadVisitor& visit) override {
        std::vector<app::hub::StoredSession> all;
        for (const auto& [id, definition] : disk_->definitions) {
            app::hub::StoredSession stored{id, definition, nullptr, {}};
            for (const auto& record : disk_->records[id]) visit(stored, record);
            stored.history = make_history(id);
            all.push_back(std::move(stored));
        }
        return all;
    }

    void save(std::string_view session_id, std::string definition, std::function<void(bool ok)> done) override {
        const bool ok = !disk_->refuses;
        disk_->save_count++;
        if (ok) disk_->definitions[std::string(session_id)] = std::move(definition);
        disk_->answer([ok, done = std::move(done)] { done(ok); });
    }

    std::unique_ptr<app::hub::History> make_history(std::string_view session_id) override {
        return std::make_unique<FakeHistory>(disk_, std::string(session_id));
    }

    void remove(std::string_view session_id, std::function<void(bool ok)> done) override {
        const std::string id(session_id);
        const bool ok = !disk_->refuses;
        disk_->removed.push_back(id);
        if (ok) {
            disk_->definitions.erase(id);
            disk_->records.erase(id);
        }
        disk_->answer([ok, done = std::move(done)] { done(ok); });
    }

    std::string secret() override { return std::string(32, 's'); }
    void finish() override {
        while (!disk_->held.empty()) disk_->release();
    }

  private:
    FakeDisk* disk_;
};

}  // namespace test
