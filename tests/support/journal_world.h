// Journals for tests: one that was opened, with what that came upon, and where it is.
// is.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/hub/journal.h"
#include "support/records.h"
#include "support/temporary_directory.h"

namespace test {

constexpr uint64_t kTestSegmentBytes = 200;

inline std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void put(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A journal that was opened, with what that came upon.
struct Opened {
    explicit Opened(app::hub::JournalOptions options) : journal(std::move(options)) {
        const auto keep = [this](const app::hub::RecordView& view) {
            shown.push_back(std::make_shared<const app::hub::Record>(app::hub::to_record(view)));
        };
        ok = journal.open(keep, &report, &error);
    }
    Records read_all(size_t bytes = 1) {
        Records all;
        missing_at_read.clear();
        for (uint64_t seq = 1;;) {
            const app::hub::Chunk chunk = journal.read(seq, bytes);
            CHECK_FALSE(chunk.failed);
            for (const app::hub::Missing& range : chunk.missing) app::hub::add_missing(&missing_at_read, range);
            if (chunk.records.empty()) return all;
            all.insert(all.end(), chunk.records.begin(), chunk.records.end());
            REQUIRE(chunk.next_seq > seq);
            seq = chunk.next_seq;
        }
    }

    app::hub::Journal journal;
    Records shown;
    app::hub::JournalReport report;
    std::vector<app::hub::Missing> missing_at_read;
    std::string error;
    bool ok = false;
};

// A disk that takes its time is not what most tests are about.
inline const app::hub::FileCalls kNotSynced = {pwrite, [](int) { return 0; }, ftruncate, [](int) { return 0; }};

struct JournalFixture {
    TemporaryDirectory directory;
    app::hub::JournalOptions options{
        .directory = directory.path() + "/s", .segment_bytes = kTestSegmentBytes, .calls = &kNotSynced};

    std::vector<std::string> segments() const {
        std::vector<std::string> names;
        CHECK(app::hub::names_in(options.directory, &names));
        return names;
    }
    std::string path(size_t i) const { return options.directory + '/' + segments()[i]; }
};

}  // namespace test
