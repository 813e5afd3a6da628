// A session's journal on disk, in the format of journal_format.h. It keeps no descriptor and no record, only where
// records are. It has no thread: whoever uses it sees to it that one thread does so at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/hub/files.h"
#include "app/hub/history.h"
#include "app/hub/journal_format.h"
#include "app/hub/store.h"

namespace app::hub {

struct JournalOptions {
    std::string directory;  // made with the first record; the one above it is there
    bool sync = false;      // append() returns once the records are on the disk
    Retention retention{};
    uint64_t segment_bytes = 16u << 20;  // a segment that is longer gets no more records
    const FileCalls* calls = &kFileCalls;
};

// What opening came upon.
struct JournalReport {
    std::vector<Missing> missing;
    uint64_t damaged_bytes = 0;  // that are no record, before others that are; where numbers may be missing
    uint64_t torn_bytes = 0;     // cut from the end of the last segment
};

class Journal {
  public:
    using Records = std::vector<std::shared_ptr<const Record>>;

    struct Appended {
        bool ok = false;
        std::string error;                  // where not ok
        std::vector<std::string> unsynced;  // files and directories that are not on the disk yet; none with `sync`
    };

    explicit Journal(JournalOptions options) : options_(std::move(options)) {}

    // Reads everything, once, before anything else, where there may be something already; shows each record to `visit`.
    // A torn tail is cut away. False sets `*error`: what the last number is cannot be told, so the journal takes no
    // records, and none can be read.
    [[nodiscard]] bool open(const std::function<void(const RecordView&)>& visit, JournalReport* report,
                            std::string* error);

    // Adds records whose numbers follow on last_seq(), all or none. Where there have been none, segments that another
    // journal has left in the directory are deleted first.
    Appended append(const Records& records);

    // As History::read().
    Chunk read(uint64_t seq, size_t bytes) const;

    // Deletes what retention gives up: segments from the oldest on, each once what is behind it has `count` records,
    // once all of it is older than `age_ms`, or while all that there is exceeds `bytes`.
    void drop_old(int64_t now_ms);

    uint64_t first_seq() const;  // as History's
    uint64_t last_seq() const { return last_seq_; }
    const std::string& directory() const { return options_.directory; }

  private:
    struct Mark {
        uint64_t seq;
        uint64_t offset;
    };
    struct Segment {
        uint64_t first_seq = 0;   // as its name says; the first that is there may be a later one
        uint64_t oldest_seq = 0;  // that is there; 0: none is
        uint64_t bytes = 0;       // up to the end of the last good record
        uint64_t count = 0;
        int64_t oldest_ms = 0, newest_ms = 0;
        bool sealed = false;        // behind `bytes` there may be what is not to be read, so nothing is added any more
        std::vector<Mark> marks{};  // the first good record, and one for each kMarkBytes
    };

    [[nodiscard]] bool open_segment(size_t i, const std::function<void(const RecordView&)>& visit,
                                    JournalReport* report);
    void note(Segment& segment, uint64_t seq, int64_t time_ms, size_t bytes, uint64_t offset);
    void cut_tail(Segment& segment, uint64_t file_bytes, JournalReport* report);
    [[nodiscard]] bool has_room(int64_t now_ms) const;
    [[nodiscard]] bool start_segment(Appended* result);
    [[nodiscard]] bool encode(const Records& records, std::string* bytes) const;
    [[nodiscard]] bool write(std::string_view bytes, Appended* result);
    void read_block(size_t bytes, size_t* got, Chunk* chunk) const;
    [[nodiscard]] bool is_too_old(const Segment& segment, int64_t now_ms) const;
    [[nodiscard]] bool is_given_up(const Segment& oldest, int64_t now_ms) const;

    std::string path_of(const Segment& segment) const;
    uint64_t end_seq(size_t i) const;  // the first number that cannot be in that segment

    JournalOptions options_;
    std::deque<Segment> segments_;
    uint64_t last_seq_ = 0;
    uint64_t count_ = 0, bytes_ = 0;  // of all segments
    bool broken_ = false;
};

}  // namespace app::hub
