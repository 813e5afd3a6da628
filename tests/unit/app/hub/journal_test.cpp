#include "app/hub/journal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support/journal_world.h"

using namespace app::hub;
using test::contents;
using test::kTestSegmentBytes;
using test::numbers;
using test::Opened;
using test::put;
using test::records;
using Fixture = test::JournalFixture;

namespace {

void check_same(const test::Records& a, const test::Records& b) {
    REQUIRE(numbers(a) == numbers(b));
    for (size_t i = 0; i < a.size(); i++) CHECK(test::same(*a[i], *b[i]));
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what was appended is there after opening again, over several segments") {
    const test::Records all = records(1, 50);
    {
        Opened first(options);
        REQUIRE(first.ok);
        CHECK(first.journal.last_seq() == 0);
        CHECK(first.journal.first_seq() == 0);
        for (size_t i = 0; i < all.size(); i += 5)
            CHECK(first.journal.append({all.begin() + long(i), all.begin() + long(i) + 5}).ok);
        check_same(first.read_all(), all);
        check_same(first.read_all(1000), all);
    }
    CHECK(segments().size() > 3);
    Opened again(options);
    REQUIRE(again.ok);
    CHECK(again.journal.first_seq() == 1);
    CHECK(again.journal.last_seq() == 50);
    CHECK(again.report.torn_bytes + again.report.damaged_bytes + again.report.missing.size() == 0);
    check_same(again.shown, all);
    check_same(again.read_all(), all);
    CHECK(again.journal.append(records(51, 52)).ok);
    CHECK(numbers(again.read_all(1u << 20)) == "1-52");
}

TEST_CASE_FIXTURE(Fixture, "reading begins where it is asked to, and gives about as much") {
    options.segment_bytes = 1u << 20;
    Opened opened(options);
    REQUIRE(opened.journal.append(records(1, 1000, 1000)).ok);
    for (const uint64_t seq : {1, 2, 63, 64, 65, 500, 999, 1000}) {
        CAPTURE(seq);
        const Chunk one = opened.journal.read(seq, 0);
        CHECK(numbers(one.records) == std::to_string(seq));
        CHECK(one.next_seq == seq + 1);
        const Chunk some = opened.journal.read(seq, 10000);
        CHECK(some.records.size() == std::min<uint64_t>(10, 1001 - seq));
        CHECK(some.records.front()->seq == seq);
    }
    const Chunk none = opened.journal.read(1001, 10000);
    CHECK(none.records.empty());
    CHECK(none.next_seq == 1001);
    CHECK_FALSE(none.failed);
}

TEST_CASE_FIXTURE(Fixture, "a journal takes only what follows, all or nothing") {
    Opened opened(options);
    CHECK(opened.journal.append({}).ok);
    CHECK_FALSE(opened.journal.append(records(2, 3)).ok);
    test::Records torn = records(1, 2);
    torn.push_back(test::record(4));
    CHECK_FALSE(opened.journal.append(torn).ok);
    CHECK_FALSE(opened.journal.append(records(1, 1, kPayloadMaxBytes)).ok);
    CHECK(opened.journal.append(records(1, 1, kPayloadMaxBytes - 20)).ok);
    CHECK(numbers(opened.read_all()) == "1");
}

TEST_CASE_FIXTURE(Fixture, "the last segment cut at any byte loses its torn record, and only that") {
    options.segment_bytes = 1u << 20;
    std::vector<size_t> ends{0};
    {
        Opened opened(options);
        for (uint64_t seq = 1; seq <= 4; seq++) {
            REQUIRE(opened.journal.append(records(seq, seq)).ok);
            ends.push_back(contents(path(0)).size());
        }
    }
    const std::string whole = contents(path(0));
    for (size_t cut = 0; cut <= whole.size(); cut++) {
        CAPTURE(cut);
        put(path(0), whole.substr(0, cut));
        size_t good = 0;
        while (good < 4 && ends[good + 1] <= cut) good++;
        Opened opened(options);
        REQUIRE(opened.ok);
        CHECK(opened.journal.last_seq() == good);
        CHECK(opened.report.torn_bytes == cut - ends[good]);
        CHECK(opened.report.missing.empty());
        CHECK(contents(path(0)).size() == ends[good]);
        REQUIRE(opened.journal.append(records(good + 1, good + 2)).ok);
        CHECK(opened.read_all().size() == good + 2);
    }
}

TEST_CASE_FIXTURE(Fixture, "a damaged byte anywhere costs its record, which is reported missing") {
    {
        Opened opened(options);
        for (uint64_t seq = 1; seq <= 14; seq += 2) REQUIRE(opened.journal.append(records(seq, seq + 1)).ok);
    }
    const size_t count = segments().size();
    REQUIRE(count == 3);
    for (size_t i = 0; i < count; i++) {
        const std::string file = path(i), whole = contents(file);
        for (size_t at = 0; at < whole.size(); at++) {
            CAPTURE(i);
            CAPTURE(at);
            std::string damaged = whole;
            damaged[at] = char(damaged[at] ^ 0x55);
            put(file, damaged);
            Opened opened(options);
            REQUIRE(opened.ok);
            const bool torn = opened.report.torn_bytes > 0;
            CHECK(opened.shown.size() == 13);
            CHECK(opened.report.missing.size() == (torn ? 0 : 1));
            CHECK(opened.journal.last_seq() == (torn ? 13 : 14));
            CHECK((opened.report.damaged_bytes > 0) == !torn);
            check_same(opened.read_all(), opened.shown);
            CHECK(numbers(opened.missing_at_read) == numbers(opened.report.missing));
            for (const auto& record : opened.shown) CHECK(test::same(*record, *test::record(record->seq)));
            put(file, whole);
        }
    }
}

TEST_CASE_FIXTURE(Fixture, "damage that comes while the journal is open is reported by reading") {
    Opened opened(options);
    for (uint64_t seq = 1; seq <= 14; seq++) REQUIRE(opened.journal.append(records(seq, seq)).ok);
    const std::string whole = contents(path(1));
    for (size_t at = 0; at < whole.size(); at++) {
        CAPTURE(at);
        std::string damaged = whole;
        damaged[at] = char(damaged[at] ^ 0x55);
        put(path(1), damaged);
        CHECK(opened.read_all().size() == 13);
        REQUIRE(opened.missing_at_read.size() == 1);
        CHECK(opened.missing_at_read[0].first == opened.missing_at_read[0].last);
    }
    put(path(1), "");
    const Missing lost{*parse_segment_name(segments()[1]), *parse_segment_name(segments()[2]) - 1};
    CHECK(opened.read_all().size() == 14 - (lost.last - lost.first + 1));
    CHECK(numbers(opened.missing_at_read) == numbers(std::vector<Missing>{lost}));
    std::filesystem::remove(path(1));
    const Chunk chunk = opened.journal.read(1, 1u << 20);
    CHECK(chunk.failed);
    CHECK(chunk.next_seq == lost.first);
    CHECK(chunk.records.size() == lost.first - 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "a segment that is gone, or is nothing but damage, is missing, and numbers go on behind it") {
    {
        Opened opened(options);
        for (uint64_t seq = 1; seq <= 20; seq++) REQUIRE(opened.journal.append(records(seq, seq)).ok);
    }
    const uint64_t second = *parse_segment_name(segments()[1]), third = *parse_segment_name(segments()[2]);
    put(path(1), std::string(1000, '\0'));
    {
        Opened opened(options);
        CHECK(numbers(opened.report.missing) == numbers(std::vector<Missing>{{second, third - 1}}));
        CHECK(opened.report.damaged_bytes == 1000);
    }
    std::filesystem::remove(path(1));
    put(path(1), "torn");  // now the third, and not the last
    Opened opened(options);
    CHECK(opened.report.missing.size() == 1);
    CHECK(opened.report.missing[0].first == second);
    CHECK(opened.journal.last_seq() == 20);
    CHECK(opened.read_all().size() + opened.report.missing[0].last - second + 1 == 20);
    put(path(segments().size() - 1), "nothing good");
    const uint64_t last = *parse_segment_name(segments().back());
    Opened cut(options);
    CHECK(cut.report.torn_bytes == 12);
    CHECK(cut.journal.last_seq() == last - 1);
}

TEST_CASE_FIXTURE(Fixture, "an envelope that looks like a record is none, and one behind damage is found") {
    std::string forged;
    encode_record(*test::record(2), &forged);
    auto liar = std::make_shared<Record>(*test::record(1));
    liar->text = forged;  // no JSON, so that it could be taken for a record
    {
        Opened opened(options);
        REQUIRE(opened.journal.append({liar, test::record(2), test::record(3)}).ok);
    }
    Opened opened(options);
    CHECK(numbers(opened.shown) == "1-3");
    CHECK(opened.shown[0]->text == forged);
}

TEST_CASE_FIXTURE(Fixture, "files of other names are not looked at") {
    {
        Opened opened(options);
        REQUIRE(opened.journal.append(records(1, 1)).ok);
    }
    for (const char* name : {"definition.json", "00000000000000000000.j1", "0000000000000000002.j1",
                             "00000000000000000002.j2", "18446744073709551615.j1", "0000000000000000000x.j1"})
        put(options.directory + '/' + name, "x");
    Opened opened(options);
    CHECK(opened.journal.last_seq() == 1);
    CHECK(opened.report.torn_bytes == 0);
}

TEST_CASE_FIXTURE(Fixture, "a journal whose directory or end cannot be read takes nothing") {
    put(options.directory, "a file");
    Opened opened(options);
    CHECK_FALSE(opened.ok);
    CHECK(opened.error == options.directory + ": Not a directory");
    CHECK_FALSE(opened.journal.append(records(1, 1)).ok);
    CHECK(opened.journal.read(1, 1).failed);
    CHECK(contents(options.directory) == "a file");
}

TEST_CASE_FIXTURE(Fixture, "a new journal begins with nothing, whatever an earlier one has left there") {
    REQUIRE(Opened(options).journal.append(records(1, 20)).ok);
    REQUIRE(Opened(options).journal.append(records(21, 40)).ok);
    REQUIRE(segments().size() == 2);
    Journal fresh(options);  // of a session of the same name, as the one before could not be removed
    REQUIRE(fresh.append(records(1, 1)).ok);
    CHECK(numbers(Opened(options).shown) == "1");
}

TEST_CASE_FIXTURE(Fixture, "what is not on the disk yet is told, and with `sync` there is none") {
    {
        Opened opened(options);
        const Journal::Appended first = opened.journal.append(records(1, 1));
        CHECK(first.unsynced == std::vector<std::string>{options.directory, directory.path(), path(0)});
        std::filesystem::create_directory(directory.path() + "/t");  // with a definition, perhaps not synced yet
        JournalOptions other = options;
        other.directory = directory.path() + "/t";
        const std::vector<std::string> unsynced = Opened(other).journal.append(records(1, 1)).unsynced;
        CHECK(std::count(unsynced.begin(), unsynced.end(), directory.path()) == 1);
        CHECK(opened.journal.append(records(2, 2)).unsynced == std::vector<std::string>{path(0)});
    }
    options.sync = true;
    Opened opened(options);
    CHECK(opened.journal.append(records(3, 20)).unsynced.empty());
    CHECK(opened.journal.append(records(21, 22)).unsynced.empty());
}

// ---------------------------------------------------------------------------------------------------------- retention

TEST_CASE_FIXTURE(Fixture, "retention by count keeps that many, and not much more") {
    options.retention.count = 80;
    Opened opened(options);
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        REQUIRE(opened.journal.append(records(seq, seq)).ok);
        opened.journal.drop_old(0);
        const uint64_t kept = seq - opened.journal.first_seq() + 1;
        CHECK(kept >= std::min<uint64_t>(seq, 80));
        CHECK(kept <= 90);
    }
    const test::Records kept = opened.read_all();
    CHECK(kept.back()->seq == 1000);
    CHECK(opened.missing_at_read.empty());
    Opened again(options);
    CHECK(again.journal.first_seq() == opened.journal.first_seq());
    CHECK(again.report.missing.empty());
}

TEST_CASE_FIXTURE(Fixture, "retention by bytes holds for what is on the disk") {
    options.retention.bytes = 4000;
    Opened opened(options);
    for (uint64_t seq = 1; seq <= 200; seq++) {
        REQUIRE(opened.journal.append(records(seq, seq)).ok);
        opened.journal.drop_old(0);
        size_t bytes = 0;
        for (const std::string& name : segments()) bytes += contents(options.directory + '/' + name).size();
        CHECK(bytes <= 4000);
        if (seq > 100) CHECK(bytes >= 3000);
    }
}

TEST_CASE_FIXTURE(Fixture, "retention by age lets go of all, also where nothing is said any more, but of no number") {
    options.retention.age_ms = 80000;  // records are a second apart
    Opened opened(options);
    for (uint64_t seq = 1; seq <= 300; seq++) {
        REQUIRE(opened.journal.append(records(seq, seq)).ok);
        opened.journal.drop_old(int64_t(1000 * seq));
        const uint64_t kept = seq - opened.journal.first_seq() + 1;
        CHECK(kept >= std::min<uint64_t>(seq, 80));
        CHECK(kept <= 92);
    }
    opened.journal.drop_old(300000 + 80001);
    CHECK(opened.journal.first_seq() == 0);
    CHECK(opened.journal.last_seq() == 300);
    CHECK(opened.read_all().empty());
    CHECK(segments().size() == 1);
    Opened again(options);
    CHECK(again.journal.last_seq() == 300);
    CHECK(again.report.missing.empty());
    CHECK(again.journal.append(records(301, 301)).ok);
    CHECK(again.journal.first_seq() == 301);
}
