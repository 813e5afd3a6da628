#include "app/hub/disk_history.h"

#include <utility>

#include "app/hub/files.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

struct AppendOutcome {
    Journal::Appended appended;
    uint64_t first_seq = 0;
};

// The log hears of the first append that fails and of the first that works again, not of each.
void log_outcome(const DiskContext& context, DiskHistoryState* state, const AppendOutcome& outcome) {
    const bool failing = !outcome.appended.ok;
    if (state->failing == failing) return;
    state->failing = failing;
    context.log(failing, failing ? "history not written" : "history written again", state->session_id,
                outcome.appended.error);
}

void take_outcome(const DiskContext& context, DiskHistoryState* state, const Journal::Records& records,
                  const AppendOutcome& outcome) {
    log_outcome(context, state, outcome);
    if (!outcome.appended.ok || records.empty()) return;
    state->last_seq = records.back()->seq;
    for (const auto& record : records) state->recent.add(record);
    state->begin_at(outcome.first_seq);
}

}  // namespace

void DiskHistory::append(std::vector<std::shared_ptr<const Record>> records, std::function<void(bool)> done) {
    DiskContext* const context = context_;
    const auto shared = std::make_shared<const Journal::Records>(std::move(records));
    context->disk->run([context, journal = state_->journal, shared, known = std::weak_ptr(state_),
                        done = std::move(done)]() -> DiskThread::Completion {
        AppendOutcome outcome{journal->append(*shared)};
        if (outcome.appended.ok) journal->drop_old(wall_ms());
        outcome.first_seq = journal->first_seq();
        return [context, outcome, shared, known, done] {
            context->syncing->add(outcome.appended.unsynced);
            const std::shared_ptr<DiskHistoryState> state = known.lock();
            if (!state) return;
            take_outcome(*context, state.get(), *shared, outcome);
            done(outcome.appended.ok);
        };
    });
}

void DiskHistory::read(uint64_t seq, size_t bytes, std::function<void(Chunk)> done) {
    context_->disk->run([journal = state_->journal, seq, bytes, known = std::weak_ptr(state_),
                         done = std::move(done)]() -> DiskThread::Completion {
        const auto chunk = std::make_shared<Chunk>(journal->read(seq, bytes));
        return [chunk, seq, known, done] {
            if (known.expired()) *chunk = {.failed = true, .records = {}, .missing = {}, .next_seq = seq};
            done(std::move(*chunk));
        };
    });
}

// ------------------------------------------------------------------------------------------------------------ syncing

Syncing::Syncing(wsd_server* server, DiskThread* thread, uint32_t every_ms, StoreLog log)
    : server_(server), thread_(thread), every_ms_(every_ms), log_(std::move(log)) {}

Syncing::~Syncing() {
    if (timer_) (void)wsd_timer_stop(server_, timer_);
}

void Syncing::add(const std::vector<std::string>& paths) {
    if (!every_ms_ || paths.empty()) return;
    paths_.insert(paths.begin(), paths.end());
    if (timer_) return;
    const auto fire = [](wsd_server*, void* arg) { static_cast<Syncing*>(arg)->sync_now(); };
    if (wsd_timer_start(server_, every_ms_, fire, this, &timer_) != WSD_OK) sync_now();
}

void Syncing::sync_now() {
    if (timer_) (void)wsd_timer_stop(server_, timer_);  // or it has just fired
    timer_ = 0;
    if (paths_.empty()) return;
    thread_->run([paths = std::exchange(paths_, {}), log = log_]() -> DiskThread::Completion {
        std::string error;
        for (const std::string& path : paths) {
            if (!sync_path(path) && error.empty()) error = reason_text(path);
        }
        if (error.empty()) return {};
        return [log, error] { log(true, "history not synced", {}, error); };
    });
}

}  // namespace app::hub
