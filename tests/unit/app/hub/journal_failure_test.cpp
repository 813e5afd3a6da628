// A journal on a disk that refuses: full, failing to sync, failing to truncate.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>

#include "support/journal_world.h"

using namespace app::hub;
using test::kNotSynced;
using test::numbers;
using test::Opened;
using test::records;

namespace {

size_t room_bytes;  // until the disk is full
bool sync_fails, truncate_fails, path_sync_fails;

ssize_t narrow_pwrite(int fd, const void* data, size_t len, off_t offset) {
    if (!room_bytes) errno = ENOSPC;
    if (!room_bytes) return -1;
    const ssize_t n = pwrite(fd, data, std::min(len, room_bytes), offset);
    if (n > 0) room_bytes -= size_t(n);
    return n;
}

int failing_sync(int fd) {
    errno = EIO;
    return sync_fails ? -1 : kNotSynced.fdatasync(fd);
}

int failing_truncate(int fd, off_t len) {
    errno = EIO;
    return truncate_fails ? -1 : ftruncate(fd, len);
}

int failing_path_sync(int fd) {
    errno = EIO;
    return path_sync_fails ? -1 : kNotSynced.fsync(fd);
}

const FileCalls kFailing = {narrow_pwrite, failing_sync, failing_truncate, failing_path_sync};

struct FailingFixture : test::JournalFixture {
    FailingFixture() {
        room_bytes = SIZE_MAX;
        sync_fails = truncate_fails = path_sync_fails = false;
        options.calls = &kFailing;
        options.segment_bytes = 1u << 20;
    }
};

}  // namespace

TEST_CASE_FIXTURE(FailingFixture, "a disk that is full at any byte leaves nothing of the append, and later ones work") {
    for (const bool truncating : {true, false}) {
        const size_t bytes = record_bytes(*test::record(3)) + record_bytes(*test::record(4));
        for (size_t room = 0; room < bytes; room++) {
            CAPTURE(room);
            test::TemporaryDirectory fresh;
            options.directory = fresh.path() + "/s";
            Opened opened(options);
            REQUIRE(opened.journal.append(records(1, 2)).ok);
            room_bytes = room;
            truncate_fails = !truncating;
            const Journal::Appended full = opened.journal.append(records(3, 4));
            CHECK_FALSE(full.ok);
            CHECK(full.error.ends_with(".j1: No space left on device"));
            CHECK(opened.journal.last_seq() == 2);
            CHECK(numbers(opened.read_all()) == "1-2");
            room_bytes = SIZE_MAX;
            if (truncating) CHECK(Opened(options).report.torn_bytes == 0);
            const auto other = std::make_shared<const Record>(Record{3, 0, {"eve", "", {}}, "another"});
            CHECK(opened.journal.append({other}).ok);
            truncate_fails = false;
            Opened again(options);
            CHECK(numbers(again.shown) == "1-3");
            CHECK(again.report.missing.empty());
            CHECK(again.shown[2]->text == "another");
        }
    }
}

TEST_CASE_FIXTURE(FailingFixture, "what could not be brought to the disk is not kept") {
    options.sync = true;
    Opened opened(options);
    REQUIRE(opened.journal.append(records(1, 2)).ok);
    sync_fails = true;
    CHECK_FALSE(opened.journal.append(records(3, 9)).ok);
    CHECK(numbers(Opened(options).shown) == "1-2");  // as who said it was told
    sync_fails = false;
    CHECK(opened.journal.append(records(3, 4)).ok);
    Opened again(options);
    CHECK(numbers(again.shown) == "1-4");
    CHECK(again.report.missing.empty());
}

TEST_CASE_FIXTURE(FailingFixture,
                  "a segment whose name could not be brought to the disk takes nothing from the one before") {
    options.sync = true;
    options.retention.age_ms = 80000;  // a segment is of ten seconds
    const auto at = [](uint64_t seq, int64_t time_ms) {
        return test::Records{std::make_shared<const Record>(Record{seq, time_ms, {"eve", "", {}}, "{}"})};
    };
    Opened opened(options);
    REQUIRE(opened.journal.append(at(1, 1000)).ok);
    path_sync_fails = true;
    CHECK_FALSE(opened.journal.append(at(2, 20000)).ok);
    path_sync_fails = false;
    CHECK(opened.journal.append(at(2, 2000)).ok);  // the clock was set back meanwhile
    Opened again(options);
    CHECK(numbers(again.shown) == "1-2");
    CHECK(again.report.torn_bytes == 0);
}

TEST_CASE_FIXTURE(FailingFixture, "retention takes nothing that alone tells the last number for sure") {
    options.retention.age_ms = 80000;
    Opened opened(options);
    REQUIRE(opened.journal.append(records(1, 3)).ok);
    path_sync_fails = true;
    for (int again = 0; again < 2; again++) {
        opened.journal.drop_old(1000000);
        CHECK(opened.journal.first_seq() == 1);
    }
    path_sync_fails = false;
    opened.journal.drop_old(1000000);
    CHECK(opened.journal.first_seq() == 0);
    CHECK(Opened(options).journal.last_seq() == 3);
}
