// A history of 100,000 messages on disk: how long it takes to be loaded at start, to be read piece by piece, and to
// grow by one message at a time and by a hundred. Prints the best of some rounds; "load/100000  80 ms".
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "app/hub/journal.h"
#include "support/records.h"
#include "support/temporary_directory.h"

using namespace app::hub;

namespace {

constexpr uint64_t kCount = 100000;
constexpr size_t kTextBytes = 300, kPieceBytes = 64 * 1024;
constexpr int kRounds = 5;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "store_bench: %s\n", what);
    std::exit(1);
}

template <class Work>
void bench(const std::string& name, Work work) {
    double best_ms = 1e9;
    for (int round = 0; round < kRounds; round++) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
        best_ms = std::min(best_ms, took.count());
    }
    std::printf("%-28s %8.1f ms\n", name.c_str(), best_ms);
}

void grow(size_t batch) {
    const test::TemporaryDirectory directory;
    Journal journal({.directory = directory.path() + "/s"});
    for (uint64_t seq = 1; seq <= kCount; seq += batch)
        require(journal.append(test::records(seq, seq + batch - 1, kTextBytes)).ok, "an append failed");
}

}  // namespace

int main() {
    for (const size_t batch : {1, 100}) bench("append/" + std::to_string(batch), [batch] { grow(batch); });
    const test::TemporaryDirectory directory;
    const JournalOptions options{.directory = directory.path() + "/s"};
    Journal(options).append(test::records(1, kCount, kTextBytes));
    bench("load/" + std::to_string(kCount), [&options] {
        Journal journal(options);
        JournalReport report;
        std::string error;
        size_t bytes = 0;
        const auto visit = [&bytes](const RecordView& view) { bytes += to_record(view).text.size(); };
        require(journal.open(visit, &report, &error) && bytes == kCount * kTextBytes, "loading failed");
    });
    Journal journal(options);
    JournalReport report;
    std::string error;
    require(journal.open({}, &report, &error), "opening failed");
    bench("read/" + std::to_string(kCount), [&journal] {
        uint64_t count = 0;
        for (uint64_t seq = 1; seq <= kCount;) {
            const Chunk chunk = journal.read(seq, kPieceBytes);
            count += chunk.records.size();
            seq = chunk.next_seq;
        }
        require(count == kCount, "reading failed");
    });
    return 0;
}
