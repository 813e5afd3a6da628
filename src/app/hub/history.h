// What was said in one session, in order, numbered from 1 without a gap. A Store makes histories, on disk or in memory;
// whoever uses one does not see which. A history may be freed whatever is under way, but not after its store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/hub/envelope.h"
#include "app/json_writer.h"

namespace app::hub {

// Whom a message is for, so that replaying need not read it. Neither: everyone in the session.
struct Route {
    std::string from;
    std::string to;
    std::optional<Role> to_role;
};

// An instructor sees everything; a student what it sent, what was sent to it or to students, and what is for everyone.
bool may_see(const Route& route, Role role, std::string_view user_id);

struct Record {
    uint64_t seq = 0;
    int64_t time_ms = 0;  // since 1970, UTC
    Route route;
    std::string text;  // the envelope as it is sent
};

// Numbers that are lost, first and last included.
struct Missing {
    uint64_t first = 0;
    uint64_t last = 0;
};

// As a member `missing` of an object, where there are any.
void write_missing(const std::vector<Missing>& missing, JsonWriter* writer);

struct Chunk {
    bool failed = false;  // the disk cannot be read: what there is in `records` is good all the same
    std::vector<std::shared_ptr<const Record>> records;  // rising; none where nothing is left to be read
    std::vector<Missing> missing;                        // damaged on disk, within what was looked through
    uint64_t next_seq = 0;                               // where to go on reading
};

class History {
  public:
    virtual ~History() = default;

    // The oldest record there still is, 0 for none, and the newest that was ever committed, 0 before the first.
    // Retention moves the first.
    virtual uint64_t first_seq() const = 0;
    virtual uint64_t last_seq() const = 0;

    // Adds records, whose numbers follow on last_seq(). `done(ok)` is called on the loop's thread, in a later turn or
    // before this returns: with true, they are where `--fsync` wants them, and last_seq() has moved on; with false,
    // nothing of them was kept, and the next ones take their numbers. Not while another append is under way. Nobody is
    // called where the history is freed meanwhile; the records are kept all the same, if they can be.
    virtual void append(std::vector<std::shared_ptr<const Record>> records, std::function<void(bool ok)> done) = 0;

    // A record that is in memory, as the newest are; null for another.
    virtual std::shared_ptr<const Record> recent(uint64_t seq) const = 0;

    // Reads records from `seq` on, about `bytes` of them but one at least. `done` as with append(), but it is called
    // also where the history is freed meanwhile: in a later turn, as failed and with nothing in it.
    virtual void read(uint64_t seq, size_t bytes, std::function<void(Chunk)> done) = 0;
};

}  // namespace app::hub
