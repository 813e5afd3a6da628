#include "app/hub/disk_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "app/hub/disk_history.h"
#include "app/hub/random_bytes.h"
#include "app/hub/sweep.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

constexpr std::string_view kSessionPrefix = "s-", kRemovedPrefix = "x-";
constexpr const char* kDefinition = "definition.json";

class DiskStore final : public Store {
  public:
    DiskStore(const StoreOptions& options, wsd_server* server, StoreLog log);

    [[nodiscard]] bool open(std::string* error);
    std::vector<StoredSession> load(const LoadVisitor& visit) override;
    void save(std::string_view session_id, std::string definition, std::function<void(bool)> done) override;
    std::unique_ptr<History> make_history(std::string_view session_id) override;
    void remove(std::string_view session_id, std::function<void(bool)> done) override;
    std::string secret() override;
    void finish() override;

  private:
    std::string sessions() const { return options_.directory + "/sessions"; }
    std::string path_of(std::string_view id) const { return sessions().append("/").append(kSessionPrefix).append(id); }
    [[nodiscard]] bool lock(std::string* error);
    [[nodiscard]] bool delete_removed();
    std::shared_ptr<DiskHistoryState> make_state(std::string_view session_id);
    StoredSession load_session(std::string id, const LoadVisitor& visit);
    void log_report(const std::string& id, const JournalReport& report);
    void drop_old();

    StoreOptions options_;
    wsd_server* server_;
    StoreLog log_;
    std::unique_ptr<File> lock_;
    std::unique_ptr<DiskThread> disk_, sync_;
    std::unique_ptr<Syncing> syncing_;
    std::unique_ptr<Sweep> sweep_;
    DiskContext context_;
    std::shared_ptr<RecentShare> recent_share_;               // of all histories
    std::vector<std::weak_ptr<DiskHistoryState>> histories_;  // some of which may be gone
    uint64_t name_count_ = 0;                                 // of temporary files and removed sessions, to tell apart
};

// ------------------------------------------------------------------------------------------------------------ opening

DiskStore::DiskStore(const StoreOptions& options, wsd_server* server, StoreLog log)
    : options_(options), server_(server), log_(std::move(log)) {
    std::string& directory = options_.directory;
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
}

bool DiskStore::lock(std::string* error) {
    const std::string path = options_.directory + "/lock";
    lock_ = std::make_unique<File>(path, O_RDWR | O_CREAT);
    if (*lock_ && flock(lock_->fd(), LOCK_EX | LOCK_NB) == 0) return true;
    if (*lock_ && errno == EWOULDBLOCK)
        *error = options_.directory + ": in use by another server";
    else
        *error = reason_text(path);
    return false;
}

bool DiskStore::delete_removed() {
    std::vector<std::string> names;
    // To begin with no sessions where there are some would be to lose them.
    if (!names_in(sessions(), &names)) return false;
    for (const std::string& name : names) {
        const std::string path = sessions() + '/' + name;
        if (!name.starts_with(kRemovedPrefix) || remove_directory(path)) continue;
        log_(true, "removed session not deleted", {}, reason_text(path));
    }
    return true;
}

bool DiskStore::open(std::string* error) {
    std::error_code failure;
    const bool made = std::filesystem::create_directories(options_.directory, failure);
    if (failure) *error = options_.directory + ": " + failure.message();
    if (failure) return false;
    if (made) std::filesystem::permissions(options_.directory, std::filesystem::perms::owner_all, failure);
    if (!lock(error)) return false;
    // Its name, too; who may write to a directory may not always read it.
    if (made) (void)sync_path(options_.directory + "/..");
    if (!make_directory(sessions()) || !sync_path(options_.directory) || !delete_removed()) {
        *error = reason_text(sessions());
        return false;
    }
    disk_ = DiskThread::start(server_, error);
    if (disk_) sync_ = DiskThread::start(server_, error);
    if (!sync_) return false;
    const bool interval = options_.fsync == Fsync::kInterval;
    const uint32_t every_ms = interval ? std::max<uint32_t>(options_.fsync_interval_ms, 1) : 0;
    recent_share_ = std::make_shared<RecentShare>(options_.recent_total_bytes);
    syncing_ = std::make_unique<Syncing>(server_, sync_.get(), every_ms, log_);
    sweep_ = std::make_unique<Sweep>(server_, options_.retention.age_ms, [this] { drop_old(); });
    context_ = {disk_.get(), syncing_.get(), log_};
    return true;
}

// ------------------------------------------------------------------------------------------------------------ loading

std::shared_ptr<DiskHistoryState> DiskStore::make_state(std::string_view session_id) {
    auto journal = std::make_shared<Journal>(JournalOptions{.directory = path_of(session_id),
                                                            .sync = options_.fsync == Fsync::kAlways,
                                                            .retention = options_.retention,
                                                            .segment_bytes = options_.segment_bytes});
    auto state = std::make_shared<DiskHistoryState>(std::string(session_id), std::move(journal), options_.recent_bytes,
                                                    recent_share_);
    if (options_.retention.age_ms) histories_.push_back(state);
    return state;
}

void DiskStore::log_report(const std::string& id, const JournalReport& report) {
    if (report.torn_bytes) log_(false, "torn end of history cut", id, std::to_string(report.torn_bytes) + " bytes");
    if (!report.damaged_bytes && report.missing.empty()) return;
    std::string detail = std::to_string(report.damaged_bytes) + " bytes";
    for (const Missing& range : report.missing)
        detail += ", missing " + std::to_string(range.first) + "-" + std::to_string(range.last);
    log_(true, "history damaged", id, detail);
}

// Takes what a crash left half written out of a session's directory. False where nothing else was in it: then nobody
// has been told that there is such a session, and it goes, too.
bool holds_session(const std::string& directory) {
    std::vector<std::string> names;
    if (!names_in(directory, &names)) return true;  // the journal says so
    bool holds = false;
    for (const std::string& name : names) {
        if (name.ends_with(".tmp"))
            (void)unlink((directory + '/' + name).c_str());  // in nobody's way if it stays
        else
            holds = true;
    }
    if (!holds) (void)remove_directory(directory);
    return holds;
}

StoredSession DiskStore::load_session(std::string id, const LoadVisitor& visit) {
    StoredSession session;
    session.id = std::move(id);
    const std::string directory = path_of(session.id);
    if (!read_file(directory + '/' + kDefinition, &session.definition) && errno != ENOENT)
        log_(true, "definition not read", session.id, reason_text(directory + '/' + kDefinition));
    const std::shared_ptr<DiskHistoryState> state = make_state(session.id);
    JournalReport report;
    std::string error;
    const auto show = [&](const RecordView& view) {
        const auto record = std::make_shared<const Record>(to_record(view));
        state->recent.add(record);
        if (visit) visit(session, record);
    };
    if (!state->journal->open(show, &report, &error)) log_(true, "history not read", session.id, error);
    log_report(session.id, report);
    state->journal->drop_old(wall_ms());
    state->last_seq = state->journal->last_seq();
    state->begin_at(state->journal->first_seq());
    session.missing = std::move(report.missing);
    session.history = std::make_unique<DiskHistory>(&context_, state);
    return session;
}

std::vector<StoredSession> DiskStore::load(const LoadVisitor& visit) {
    std::vector<StoredSession> loaded;
    std::vector<std::string> names;
    if (!names_in(sessions(), &names)) log_(true, "sessions not read", {}, reason_text(sessions()));
    for (const std::string& name : names) {
        if (!name.starts_with(kSessionPrefix) || !holds_session(sessions() + '/' + name)) continue;
        loaded.push_back(load_session(name.substr(kSessionPrefix.size()), visit));
    }
    return loaded;
}

std::unique_ptr<History> DiskStore::make_history(std::string_view session_id) {
    return std::make_unique<DiskHistory>(&context_, make_state(session_id));
}

// ------------------------------------------------------------------------------------------------ saving and removing

// Written on the one thread, so that it is in order with removing; synced and put in place on the other, so that no
// append waits for that. The directory may have been moved away meanwhile: then there is nothing to put in place.
void DiskStore::save(std::string_view session_id, std::string definition, std::function<void(bool)> done) {
    const std::string directory = path_of(session_id);
    const std::string temporary = directory + "/definition." + std::to_string(++name_count_) + ".tmp";
    // Called on the loop's thread at last.
    const auto answer = [log = log_, id = std::string(session_id), done = std::move(done)](bool ok,
                                                                                           const std::string& error) {
        if (!error.empty()) log(true, "definition not saved", id, error);
        done(ok);
    };
    const auto put_in_place = [directory, temporary, answer, parent = sessions()]() -> DiskThread::Completion {
        const bool good = finish_replacing(directory, kDefinition, temporary) && sync_path(parent);
        const bool faulty = !good && errno != ENOENT;
        return [answer, good, error = faulty ? reason_text(directory) : std::string()] { answer(good, error); };
    };
    disk_->run([this, directory, temporary, put_in_place, answer,
                definition = std::move(definition)]() -> DiskThread::Completion {
        const bool good = make_directory(directory) && start_replacing(temporary, definition);
        if (!good) return [answer, error = reason_text(temporary)] { answer(false, error); };
        return [this, put_in_place] { sync_->run(put_in_place); };
    });
}

void DiskStore::remove(std::string_view session_id, std::function<void(bool)> done) {
    const std::string directory = path_of(session_id);
    const std::string removed = sessions().append("/").append(kRemovedPrefix) + std::to_string(++name_count_);
    const auto answer = [log = log_, id = std::string(session_id), done = std::move(done)](const std::string& error) {
        if (!error.empty()) log(true, "session not removed", id, error);
        done(error.empty());
    };
    const auto forget = [removed, answer, parent = sessions()]() -> DiskThread::Completion {
        const bool good = sync_path(parent);
        std::string error = good ? std::string() : reason_text(parent);
        // What stays is deleted at the next start: the session is gone all the same.
        (void)remove_directory(removed);
        return [answer, error = std::move(error)] { answer(error); };
    };
    disk_->run([this, directory, removed, forget, answer]() -> DiskThread::Completion {
        const bool good = rename(directory.c_str(), removed.c_str()) == 0 || errno == ENOENT;
        if (!good) return [answer, error = reason_text(directory)] { answer(error); };
        return [this, forget] { sync_->run(forget); };
    });
}

void DiskStore::drop_old() {
    std::erase_if(histories_, [](const std::weak_ptr<DiskHistoryState>& history) { return history.expired(); });
    for (const std::weak_ptr<DiskHistoryState>& known : histories_) {
        const std::shared_ptr<DiskHistoryState> state = known.lock();
        disk_->run([known, journal = state->journal]() -> DiskThread::Completion {
            journal->drop_old(wall_ms());
            return [known, first_seq = journal->first_seq()] {
                if (const std::shared_ptr<DiskHistoryState> kept = known.lock()) kept->begin_at(first_seq);
            };
        });
    }
}

// ---------------------------------------------------------------------------------------------------- secret, the end

std::string DiskStore::secret() {
    const std::string path = options_.directory + "/secret", temporary = path + ".tmp";
    std::string secret;
    if (read_file(path, &secret) && secret.size() == kSecretBytes) return secret;
    if (!secret.empty()) log_(true, "secret made anew", {}, path + ": not of 32 bytes");
    secret = random_bytes(kSecretBytes);
    (void)unlink(temporary.c_str());  // of a crash, and perhaps not for its owner only
    if (!start_replacing(temporary, secret) || !finish_replacing(options_.directory, "secret", temporary))
        log_(true, "secret not kept", {}, reason_text(path));
    return secret;
}

void DiskStore::finish() {
    syncing_->sync_now();
    bool any = true;
    while (any) {
        any = disk_->finish();
        any = sync_->finish() || any;
        syncing_->sync_now();
    }
}

}  // namespace

std::unique_ptr<Store> open_disk_store(const StoreOptions& options, wsd_server* server, StoreLog log,
                                       std::string* error) {
    auto store = std::make_unique<DiskStore>(options, server, std::move(log));
    if (!store->open(error)) return nullptr;
    return store;
}

}  // namespace app::hub
