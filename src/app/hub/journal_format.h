// What a journal's files look like, as functions on bytes: no file is touched here.
//
// A journal is a directory of segments. A segment is a file named by the number that its first record has, or is to
// have, in 20 decimal digits, and ".j1", the 1 being this format's version. It is a row of records and nothing else.
// Numbers are little-endian.
//
//     offset  bytes
//          0      4  n, the length of the payload; at most kPayloadMaxBytes
//          4      4  CRC-32C of all bytes of the record but these four
//          8      8  seq: one more than the record before has
//         16      8  time in milliseconds since 1970, UTC; signed
//         24      n  the payload:
//                        1  length of `from`
//                        1  length of `to`
//                        1  the role it is for: 0 none, 1 instructors, 2 students
//                        1  zero
//                           `from`, `to`, and the envelope up to the end
//
// Records go to the end of the last segment. What is not a good record there, with no good one behind it, is a torn
// tail: a write that a crash cut short. Anywhere else it is damage, and the numbers between the records around it are
// missing. Behind damage the next good record is looked for at every byte. No envelope can pass for one: the highest
// byte of `n` is zero, and a JSON text has no such byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/hub/history.h"

namespace app::hub {

constexpr uint64_t kSeqMax = INT64_MAX;
constexpr size_t kRecordHeadBytes = 24;
constexpr size_t kPayloadMinBytes = 4;
constexpr size_t kPayloadMaxBytes = 1u << 20;
constexpr size_t kRecordMinBytes = kRecordHeadBytes + kPayloadMinBytes;

// Does it fit the format? Names are at most 255 bytes long, the payload is at most kPayloadMaxBytes.
bool is_storable(const Record& record);

size_t record_bytes(const Record& record);

// Adds a storable record's bytes to `out`.
void encode_record(const Record& record, std::string* out);

// A record in bytes that somebody else owns.
struct RecordView {
    uint64_t seq = 0;
    int64_t time_ms = 0;
    std::string_view from;
    std::string_view to;
    std::optional<Role> to_role;
    std::string_view text;
    size_t offset = 0;  // where it begins
    size_t bytes = 0;   // its whole length
};

Record to_record(const RecordView& view);

// Goes through bytes that begin where a record does, or should.
struct Scan {
    std::string_view bytes{};
    uint64_t next_seq = 1;     // expected next; rises
    uint64_t end_seq = 0;      // the first number that cannot be among the bytes
    size_t at = 0;             // behind the last good record
    size_t damaged_bytes = 0;  // passed over on the way to good records
};

// The next good record whose number is one that can stand there: true, and `scan` is behind it. False where none is
// left: the bytes from `scan->at` on are none, be they torn or damaged.
[[nodiscard]] bool next_record(Scan* scan, RecordView* view);

// A segment's name and what it says; nothing for other names.
std::string segment_name(uint64_t first_seq);
std::optional<uint64_t> parse_segment_name(std::string_view name);

// Notes that numbers are missing, in one range with those before where they touch.
void add_missing(std::vector<Missing>* missing, Missing range);

}  // namespace app::hub
