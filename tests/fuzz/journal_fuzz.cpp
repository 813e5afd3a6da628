// Any bytes as a journal of two segments. What is read has its checksum right, which is worked out anew here; numbers
// rise, each is read or missing, and no byte outside the segment is touched (it lies between two pages nobody may
// read). Opened again, when its torn tail is cut, the journal is the same. Bytes are mostly made into good records, as
// few would have a checksum by chance.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "app/hub/crc32c.h"
#include "app/hub/journal.h"
#include "support/guard_page.h"
#include "support/records.h"
#include "support/temporary_directory.h"

using namespace app::hub;

namespace {

constexpr size_t kInputMax = 4096;

void require(bool condition) {
    if (!condition) std::abort();
}

// Each piece begins with a byte that says how long it is, and one that says what becomes of it: a record with the next
// number or another, damaged or whole, or bytes as they are.
std::string make_segment(std::string_view in, uint64_t seq) {
    std::string segment;
    while (in.size() > 2) {
        const size_t len = std::min<size_t>(uint8_t(in[0]), in.size() - 2);
        const unsigned kind = uint8_t(in[1]);
        const std::string_view text = in.substr(2, len);
        in.remove_prefix(2 + len);
        if (kind % 4 == 0) {
            segment += text;
            continue;
        }
        seq += kind % 4 == 1 ? 0 : kind / 4 % 8;
        const size_t start = segment.size();
        encode_record({seq++, int64_t(len), {std::string(text.substr(0, len / 3)), "", {}}, std::string(text)},
                      &segment);
        if (kind % 4 == 3) segment[start + kind % (segment.size() - start)] ^= char(1 + kind / 8);
    }
    return segment;
}

uint32_t checksum_of(std::string_view record) { return crc32c(record.substr(8), crc32c(record.substr(0, 4))); }

void check_scan(const std::string& segment, const uint8_t* p) {
    Scan scan{.bytes = {reinterpret_cast<const char*>(p), segment.size()}, .end_seq = kSeqMax};
    uint64_t seq = 0;
    size_t end = 0, passed = 0;
    for (RecordView view; next_record(&scan, &view);) {
        require(view.seq > seq && view.offset >= end && view.bytes <= segment.size() - view.offset);
        uint32_t checksum = 0;
        std::memcpy(&checksum, p + view.offset + 4, sizeof checksum);
        require(checksum_of(scan.bytes.substr(view.offset, view.bytes)) == checksum);
        std::string again;
        encode_record(to_record(view), &again);
        require(again == scan.bytes.substr(view.offset, view.bytes));
        passed += view.offset - end;
        seq = view.seq;
        end = view.offset + view.bytes;
    }
    require(scan.at == end && scan.damaged_bytes == passed);
}

struct Opened {
    test::Records records;
    std::string missing;
    uint64_t torn_bytes = 0, last_seq = 0;
};

// Opens, and reads all of it once more: reading finds what opening found.
Opened open_journal(const JournalOptions& options) {
    Opened opened;
    Journal journal(options);
    JournalReport report;
    std::string error;
    const auto keep = [&opened](const RecordView& view) {
        opened.records.push_back(std::make_shared<const Record>(to_record(view)));
    };
    require(journal.open(keep, &report, &error));
    opened.missing = test::numbers(report.missing);
    opened.torn_bytes = report.torn_bytes;
    opened.last_seq = journal.last_seq();
    const Chunk all = journal.read(0, SIZE_MAX);
    require(!all.failed && all.next_seq == opened.last_seq + 1 && all.records.size() == opened.records.size());
    for (size_t i = 0; i < all.records.size(); i++) require(test::same(*all.records[i], *opened.records[i]));
    require(test::numbers(all.missing) == opened.missing);
    uint64_t missing_count = 0;
    for (const Missing& range : report.missing) missing_count += range.last - range.first + 1;
    require(missing_count + opened.records.size() == opened.last_seq);
    return opened;
}

void put(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static test::GuardPage page(1u << 20);
    static const test::TemporaryDirectory directory;
    static const FileCalls not_synced = {pwrite, [](int) { return 0; }, ftruncate};
    if (size < 2) return 0;
    const std::string_view in(reinterpret_cast<const char*>(data), std::min(size, kInputMax));
    const size_t cut = 2 + (in.size() - 2) * uint8_t(in[0]) / 255;
    const uint64_t second_seq = 2 + uint8_t(in[1]) % 16;
    const std::string first = make_segment(in.substr(2, cut - 2), 1);
    const std::string second = make_segment(in.substr(cut), second_seq);
    for (const std::string& segment : {first, std::string(in)}) {
        check_scan(segment, page.before_end(segment.data(), segment.size()));
        check_scan(segment, page.after_start(segment.data(), segment.size()));
    }
    put(directory.path() + '/' + segment_name(1), first);
    const std::string second_path = directory.path() + '/' + segment_name(second_seq);
    if (in[1] & 0x10) put(second_path, second);
    const JournalOptions options{.directory = directory.path(), .calls = &not_synced};
    const Opened once = open_journal(options), twice = open_journal(options);
    require(once.missing == twice.missing && once.last_seq == twice.last_seq && twice.torn_bytes == 0);
    require(once.records.size() == twice.records.size());
    for (size_t i = 0; i < once.records.size(); i++) require(test::same(*once.records[i], *twice.records[i]));
    unlink(second_path.c_str());
    return 0;
}
