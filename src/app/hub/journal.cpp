#include "app/hub/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace app::hub {
namespace {

constexpr uint64_t kMarkBytes = 64 * 1024;  // how far to look for a record from the mark before it
// A segment ends after this part of what retention keeps at most, so that not much more than that is kept.
constexpr uint64_t kRetentionParts = 8;

// What a limit leaves to one segment; 0, which is none, stays so.
uint64_t part_of(uint64_t limit) { return limit ? std::max<uint64_t>(limit / kRetentionParts, 1) : 0; }

// What a session of the same name has left behind that could not be removed.
bool delete_segments(const std::string& directory) {
    std::vector<std::string> names;
    if (!names_in(directory, &names)) return false;
    for (const std::string& name : names) {
        if (parse_segment_name(name) && unlink((directory + '/' + name).c_str()) != 0) return false;
    }
    return true;
}

}  // namespace

std::string Journal::path_of(const Segment& segment) const {
    return options_.directory + '/' + segment_name(segment.first_seq);
}

uint64_t Journal::end_seq(size_t i) const {
    return i + 1 < segments_.size() ? segments_[i + 1].first_seq : last_seq_ + 1;
}

uint64_t Journal::first_seq() const {
    for (const Segment& segment : segments_) {
        if (segment.oldest_seq) return segment.oldest_seq;
    }
    return 0;
}

// ----------------------------------------------------------------------------------------------------------- opening

bool Journal::open(const std::function<void(const RecordView&)>& visit, JournalReport* report, std::string* error) {
    std::vector<std::string> names;
    broken_ = !names_in(options_.directory, &names);
    if (broken_) *error = reason_text(options_.directory);
    for (const std::string& name : names) {
        const std::optional<uint64_t> first_seq = parse_segment_name(name);
        if (first_seq) segments_.push_back({.first_seq = *first_seq});
    }
    last_seq_ = kSeqMax;  // how far the last segment reaches is what is to be found out
    for (size_t i = 0; i < segments_.size() && !broken_; i++) {
        broken_ = !open_segment(i, visit, report);
        if (broken_) *error = reason_text(path_of(segments_[i]));
    }
    if (segments_.empty() || broken_) last_seq_ = 0;
    return !broken_;
}

bool Journal::open_segment(size_t i, const std::function<void(const RecordView&)>& visit, JournalReport* report) {
    Segment& segment = segments_[i];
    const bool last = i + 1 == segments_.size();
    std::string bytes;
    // What cannot be read is damage like any other where it is not the end.
    if (!read_file(path_of(segment), &bytes) && last) return false;
    Scan scan{.bytes = bytes, .next_seq = segment.first_seq, .end_seq = end_seq(i)};
    uint64_t expected = segment.first_seq;
    for (RecordView view; next_record(&scan, &view); expected = scan.next_seq) {
        if (view.seq > expected) add_missing(&report->missing, {expected, view.seq - 1});
        note(segment, view.seq, view.time_ms, view.bytes, view.offset);
        if (visit) visit(view);
    }
    report->damaged_bytes += scan.damaged_bytes;
    if (last) {
        last_seq_ = expected - 1;
        cut_tail(segment, bytes.size(), report);
        return true;
    }
    report->damaged_bytes += bytes.size() - scan.at;
    if (expected < scan.end_seq) add_missing(&report->missing, {expected, scan.end_seq - 1});
    return true;
}

void Journal::cut_tail(Segment& segment, uint64_t file_bytes, JournalReport* report) {
    if (segment.bytes == file_bytes) return;
    report->torn_bytes = file_bytes - segment.bytes;
    const File file(path_of(segment), O_WRONLY);
    segment.sealed = !file || options_.calls->ftruncate(file.fd(), off_t(segment.bytes)) != 0 ||
                     options_.calls->fdatasync(file.fd()) != 0;
}

void Journal::note(Segment& segment, uint64_t seq, int64_t time_ms, size_t bytes, uint64_t offset) {
    if (segment.marks.empty() || offset - segment.marks.back().offset >= kMarkBytes)
        segment.marks.push_back({seq, offset});
    if (!segment.count) segment.oldest_seq = seq, segment.oldest_ms = segment.newest_ms = time_ms;
    segment.newest_ms = std::max(segment.newest_ms, time_ms);
    segment.count++;
    count_++;
    bytes_ += offset + bytes - segment.bytes;
    segment.bytes = offset + bytes;
}

// ---------------------------------------------------------------------------------------------------------- appending

Journal::Appended Journal::append(const Records& records) {
    Appended result;
    std::string bytes;
    result.ok = records.empty();
    if (result.ok) return result;
    if (broken_ || !encode(records, &bytes)) {
        result.error = options_.directory + (broken_ ? ": could not be read" : ": no record for a journal");
        return result;
    }
    if (!has_room(records.front()->time_ms) && !start_segment(&result)) return result;
    uint64_t offset = segments_.back().bytes;
    result.ok = write(bytes, &result);
    if (!result.ok) return result;
    for (const auto& record : records) {
        const size_t len = record_bytes(*record);
        note(segments_.back(), record->seq, record->time_ms, len, offset);
        offset += len;
    }
    last_seq_ = records.back()->seq;
    return result;
}

bool Journal::encode(const Records& records, std::string* bytes) const {
    uint64_t seq = last_seq_;
    for (const auto& record : records) {
        if (record->seq != ++seq || seq > kSeqMax || !is_storable(*record)) return false;
        encode_record(*record, bytes);
    }
    return true;
}

bool Journal::has_room(int64_t now_ms) const {
    if (segments_.empty() || segments_.back().sealed) return false;
    const Segment& last = segments_.back();
    const uint64_t count_max = part_of(options_.retention.count), bytes_part = part_of(options_.retention.bytes);
    const uint64_t bytes_max = bytes_part ? std::min(bytes_part, options_.segment_bytes) : options_.segment_bytes;
    const uint64_t age_max_ms = part_of(options_.retention.age_ms);
    if (!last.count) return true;
    if (age_max_ms && now_ms > last.oldest_ms && uint64_t(now_ms - last.oldest_ms) >= age_max_ms) return false;
    return last.bytes < bytes_max && (!count_max || last.count < count_max);
}

bool Journal::start_segment(Appended* result) {
    Segment segment{.first_seq = last_seq_ + 1};
    const std::string path = path_of(segment);
    std::vector<std::string> unsynced{options_.directory};
    bool good = true;
    if (segments_.empty()) {
        const size_t slash = options_.directory.rfind('/');
        if (slash != std::string::npos) unsynced.push_back(options_.directory.substr(0, slash));
        good = make_directory(options_.directory) && delete_segments(options_.directory);
    }
    // A file of that name holds nothing that is committed: it is emptied.
    good = good && File(path, O_WRONLY | O_CREAT | O_TRUNC);
    for (size_t i = 0; good && options_.sync && i < unsynced.size(); i++)
        good = sync_path(unsynced[i], *options_.calls);
    if (!good) {
        result->error = reason_text(path);
        // The name may be there: then it ends the segment before, and what is added to that does not count.
        if (!segments_.empty()) segments_.back().sealed = true;
        return false;
    }
    if (!segments_.empty() && segments_.back().first_seq == segment.first_seq) segments_.pop_back();
    segments_.push_back(std::move(segment));
    if (!options_.sync) result->unsynced = std::move(unsynced);
    return true;
}

bool Journal::write(std::string_view bytes, Appended* result) {
    Segment& segment = segments_.back();
    const std::string path = path_of(segment);
    const File file(path, O_WRONLY);
    const bool written = file && write_at(*options_.calls, file.fd(), bytes, segment.bytes);
    if (written && (!options_.sync || options_.calls->fdatasync(file.fd()) == 0)) {
        if (!options_.sync) result->unsynced.push_back(path);
        return true;
    }
    result->error = reason_text(path);
    // Where the file cannot be brought back to what it was, or the disk cannot be trusted to have done so, the records
    // that take these numbers go to a segment of their own, whose name says that those behind it here do not count.
    const bool cut = file && options_.calls->ftruncate(file.fd(), off_t(segment.bytes)) == 0;
    segment.sealed = written || !cut;
    return false;
}

// ------------------------------------------------------------------------------------------------------------ reading

Chunk Journal::read(uint64_t seq, size_t bytes) const {
    Chunk chunk;
    chunk.failed = broken_;
    chunk.next_seq = std::max(seq, segments_.empty() ? last_seq_ + 1 : segments_.front().first_seq);
    size_t got = 0;
    while (!chunk.failed && chunk.next_seq <= last_seq_ && (chunk.records.empty() || got < bytes))
        read_block(bytes, &got, &chunk);
    return chunk;
}

// Reads on from chunk->next_seq, to the next mark at most.
void Journal::read_block(size_t bytes, size_t* got, Chunk* chunk) const {
    const auto after = std::upper_bound(segments_.begin(), segments_.end(), chunk->next_seq,
                                        [](uint64_t seq, const Segment& segment) { return seq < segment.first_seq; });
    const Segment& segment = *(after - 1);
    const std::vector<Mark>& marks = segment.marks;
    auto next = std::upper_bound(marks.begin(), marks.end(), chunk->next_seq,
                                 [](uint64_t seq, const Mark& mark) { return seq < mark.seq; });
    if (next == marks.begin() && next != marks.end()) ++next;
    Scan scan{.end_seq = next == marks.end() ? end_seq(size_t(after - segments_.begin()) - 1) : next->seq};
    std::string data;
    if (!marks.empty()) {
        const Mark& mark = *(next - 1);
        const uint64_t end = next == marks.end() ? segment.bytes : next->offset;
        const File file(path_of(segment), O_RDONLY);
        chunk->failed = !file || !read_at(file.fd(), mark.offset, end - mark.offset, &data);
        scan.next_seq = mark.seq;
    }
    scan.bytes = data;
    RecordView view;
    while (chunk->records.empty() || *got < bytes) {
        const bool found = next_record(&scan, &view);
        if (!found && chunk->failed) return;
        const uint64_t seq = found ? view.seq : scan.end_seq;
        if (seq < chunk->next_seq) continue;
        if (seq > chunk->next_seq) add_missing(&chunk->missing, {chunk->next_seq, seq - 1});
        chunk->next_seq = found ? seq + 1 : seq;
        if (!found) return;
        chunk->records.push_back(std::make_shared<const Record>(to_record(view)));
        *got += view.bytes;
    }
}

// ---------------------------------------------------------------------------------------------------------- retention

bool Journal::is_too_old(const Segment& segment, int64_t now_ms) const {
    const uint64_t age_ms = options_.retention.age_ms;
    return age_ms && segment.count && now_ms > segment.newest_ms && uint64_t(now_ms - segment.newest_ms) > age_ms;
}

bool Journal::is_given_up(const Segment& oldest, int64_t now_ms) const {
    const Retention& keep = options_.retention;
    if (!oldest.count || is_too_old(oldest, now_ms)) return true;
    return (keep.bytes && bytes_ > keep.bytes) || (keep.count && count_ - oldest.count >= keep.count);
}

void Journal::drop_old(int64_t now_ms) {
    if (!segments_.empty() && is_too_old(segments_.back(), now_ms)) {
        Appended started;
        if (!start_segment(&started)) return;  // an empty one is to take its place
    }
    // An empty last one tells how far the numbers are. It has to be on the disk before it is alone in that.
    bool told = segments_.empty() || segments_.back().count > 0;
    while (segments_.size() > 1 && is_given_up(segments_.front(), now_ms)) {
        told = told || sync_path(options_.directory, *options_.calls);
        if (!told) return;
        if (unlink(path_of(segments_.front()).c_str()) != 0 && errno != ENOENT) return;
        count_ -= segments_.front().count;
        bytes_ -= segments_.front().bytes;
        segments_.pop_front();
    }
}

}  // namespace app::hub
