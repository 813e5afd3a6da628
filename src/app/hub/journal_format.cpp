#include "app/hub/journal_format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "app/hub/crc32c.h"
#include "app/number.h"

namespace app::hub {
namespace {

static_assert(std::endian::native == std::endian::little);  // numbers are copied as they are

constexpr size_t kNameMaxBytes = 255;
constexpr size_t kChecksumAt = 4, kSeqAt = 8, kTimeAt = 16;
// More than were ever lost at one place. What lies further on is no record, which spares most checksums behind damage.
constexpr uint64_t kLostMax = 1u << 20;
constexpr std::string_view kSegmentSuffix = ".j1";
constexpr size_t kSegmentDigits = 20;

template <class T>
T number_at(std::string_view bytes, size_t at) {
    T n = 0;
    std::memcpy(&n, bytes.data() + at, sizeof n);
    return n;
}

template <class T>
void put_number(T n, char* p) {
    std::memcpy(p, &n, sizeof n);
}

uint32_t checksum(std::string_view record) {
    return crc32c(record.substr(kSeqAt), crc32c(record.substr(0, kChecksumAt)));
}

size_t payload_bytes(const Record& record) {
    return kPayloadMinBytes + record.route.from.size() + record.route.to.size() + record.text.size();
}

bool read_payload(std::string_view payload, RecordView* view) {
    const size_t from_bytes = uint8_t(payload[0]), to_bytes = uint8_t(payload[1]);
    const uint8_t role = uint8_t(payload[2]);
    if (role > 2 || payload[3] != 0 || from_bytes + to_bytes > payload.size() - kPayloadMinBytes) return false;
    view->from = payload.substr(kPayloadMinBytes, from_bytes);
    view->to = payload.substr(kPayloadMinBytes + from_bytes, to_bytes);
    view->text = payload.substr(kPayloadMinBytes + from_bytes + to_bytes);
    view->to_role = role == 0 ? std::nullopt : std::optional(role == 1 ? Role::kInstructor : Role::kStudent);
    return true;
}

// A good record at `at`, with a number in [first, last].
bool read_record(std::string_view bytes, size_t at, Missing seqs, RecordView* view) {
    const std::string_view rest = bytes.substr(at);
    if (rest.size() < kRecordMinBytes) return false;
    const size_t len = number_at<uint32_t>(rest, 0);
    if (len < kPayloadMinBytes || len > kPayloadMaxBytes || len > rest.size() - kRecordHeadBytes) return false;
    // Before the checksum, so that looking for a record at every byte of a damaged place does not take for ever.
    view->seq = number_at<uint64_t>(rest, kSeqAt);
    if (view->seq < seqs.first || view->seq > seqs.last) return false;
    const std::string_view record = rest.substr(0, kRecordHeadBytes + len);
    if (checksum(record) != number_at<uint32_t>(rest, kChecksumAt)) return false;
    view->time_ms = number_at<int64_t>(rest, kTimeAt);
    view->offset = at;
    view->bytes = record.size();
    return read_payload(record.substr(kRecordHeadBytes), view);
}

}  // namespace

bool is_storable(const Record& record) {
    return record.route.from.size() <= kNameMaxBytes && record.route.to.size() <= kNameMaxBytes &&
           payload_bytes(record) <= kPayloadMaxBytes;
}

size_t record_bytes(const Record& record) { return kRecordHeadBytes + payload_bytes(record); }

void encode_record(const Record& record, std::string* out) {
    const Route& route = record.route;
    const size_t start = out->size(), len = payload_bytes(record);
    const char role = route.to_role ? (*route.to_role == Role::kInstructor ? 1 : 2) : 0;
    const char lengths[kPayloadMinBytes] = {char(route.from.size()), char(route.to.size()), role, 0};
    out->resize(start + kRecordHeadBytes);
    out->append(lengths, sizeof lengths).append(route.from).append(route.to).append(record.text);
    char* const head = out->data() + start;
    put_number(uint32_t(len), head);
    put_number(record.seq, head + kSeqAt);
    put_number(record.time_ms, head + kTimeAt);
    put_number(checksum({head, kRecordHeadBytes + len}), head + kChecksumAt);
}

Record to_record(const RecordView& view) {
    return {
        view.seq, view.time_ms, {std::string(view.from), std::string(view.to), view.to_role}, std::string(view.text)};
}

bool next_record(Scan* scan, RecordView* view) {
    if (scan->next_seq >= scan->end_seq) return false;
    const Missing seqs{scan->next_seq, std::min(scan->end_seq - 1, scan->next_seq + kLostMax)};
    for (size_t at = scan->at; at + kRecordMinBytes <= scan->bytes.size(); at++) {
        if (!read_record(scan->bytes, at, seqs, view)) continue;
        scan->damaged_bytes += at - scan->at;
        scan->at = at + view->bytes;
        scan->next_seq = view->seq + 1;
        return true;
    }
    return false;
}

std::string segment_name(uint64_t first_seq) {
    const std::string digits = std::to_string(first_seq);
    return std::string(kSegmentDigits - digits.size(), '0') + digits + std::string(kSegmentSuffix);
}

std::optional<uint64_t> parse_segment_name(std::string_view name) {
    uint64_t seq = 0;
    if (name.size() != kSegmentDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) return {};
    if (!parse_number(name.substr(0, kSegmentDigits), &seq) || seq == 0 || seq > kSeqMax) return {};
    return seq;
}

void add_missing(std::vector<Missing>* missing, Missing range) {
    if (!missing->empty() && missing->back().last + 1 == range.first)
        missing->back().last = range.last;
    else
        missing->push_back(range);
}

}  // namespace app::hub
