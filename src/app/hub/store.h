// Where sessions are kept: each with its definition, a JSON text that the store does not read, and its history. On disk
// under one directory, or in memory. The loop never waits for a disk: a helper thread does, and posts back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/hub/history.h"
#include "wsd.h"

namespace app::hub {

enum class Fsync : uint8_t { kAlways, kInterval, kNever };

// How much a session's history keeps, of each as much as the narrowest allows; 0: no limit.
struct Retention {
    uint64_t count = 0;
    uint64_t age_ms = 0;
    uint64_t bytes = 0;
};

struct StoreOptions {
    std::string directory;  // made where there is none; empty: in memory
    Fsync fsync = Fsync::kInterval;
    uint32_t fsync_interval_ms = 1000;
    Retention retention;
    uint64_t segment_bytes = 16u << 20;     // a segment is the least that retention gives up on disk
    size_t recent_bytes = 1u << 20;         // of each history on disk, held in memory for those who lag a little ...
    size_t recent_total_bytes = 64u << 20;  // ... and of all of them, but for the newest record of each
};

// A line for the log: what happened, and to which session or file.
using StoreLog =
    std::function<void(bool error, std::string_view event, std::string_view session_id, std::string_view detail)>;

struct StoredSession {
    std::string id;
    std::string definition;  // empty: lost, or never saved
    std::unique_ptr<History> history;
    std::vector<Missing> missing;
};

// Is shown every record of a session that is being loaded, in order, as they need not all fit in memory. Of `session`
// the id and the definition are there; all of one session come in a row.
using LoadVisitor = std::function<void(const StoredSession& session, const std::shared_ptr<const Record>& record)>;

class Store {
  public:
    virtual ~Store() = default;

    // All sessions that are kept, read at once; before the loop runs, and before anything else is asked of the store.
    virtual std::vector<StoredSession> load(const LoadVisitor& visit) = 0;

    // Keeps a definition in place of the session's earlier one. `done(ok)` as with History::append().
    virtual void save(std::string_view session_id, std::string definition, std::function<void(bool ok)> done) = 0;

    // The history of a session that has none yet.
    virtual std::unique_ptr<History> make_history(std::string_view session_id) = 0;

    // Forgets the session: its definition and its history, whose History has been freed.
    virtual void remove(std::string_view session_id, std::function<void(bool ok)> done) = 0;

    // A secret of 32 bytes that outlives the process where there is a directory, made when it is first asked for.
    virtual std::string secret() = 0;

    // Waits until all that was handed over is done and on disk, calling back what is due: before the server is freed.
    virtual void finish() = 0;
};

// Null sets `*error` to a line that names what is at fault. `server` outlives the store.
std::unique_ptr<Store> open_store(const StoreOptions& options, wsd_server* server, StoreLog log, std::string* error);

}  // namespace app::hub
