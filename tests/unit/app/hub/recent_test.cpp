#include "app/hub/recent.h"

#include <doctest/doctest.h>

#include "support/records.h"

using namespace app::hub;

TEST_CASE("recent records are as many as there is room for, and one at least") {
    RecentRecords by_count(0, 3), by_bytes(3 * memory_bytes(*test::record(1, 100)));
    CHECK(by_count.find(1) == nullptr);
    for (uint64_t seq = 1; seq <= 9; seq++) {
        by_count.add(test::record(seq));
        by_bytes.add(test::record(seq, 100));
        for (const RecentRecords* recent : {&by_count, &by_bytes}) {
            CHECK(recent->last_seq() == seq);
            CHECK(recent->first_seq() == (seq < 3 ? 1 : seq - 2));
            CHECK(recent->find(seq)->seq == seq);
            CHECK(recent->find(recent->first_seq())->seq == recent->first_seq());
            CHECK(recent->find(recent->first_seq() - 1) == nullptr);
            CHECK(recent->find(seq + 1) == nullptr);
        }
    }
    by_bytes.add(test::record(10, 100000));
    CHECK(by_bytes.first_seq() == 10);
}

TEST_CASE("recent records begin anew where numbers are missing, and let go what is old") {
    RecentRecords recent(0);
    for (const uint64_t seq : {1, 2, 5, 6, 7, 8}) recent.add(test::record(seq));
    CHECK(recent.first_seq() == 5);
    recent.drop_before(6);
    CHECK(recent.first_seq() == 6);
    recent.drop_older(7000);
    CHECK(recent.first_seq() == 7);
    recent.drop_before(UINT64_MAX);
    CHECK(recent.last_seq() == 0);
}

TEST_CASE("recent records of many histories share what there is") {
    const auto share = std::make_shared<RecentShare>(4 * memory_bytes(*test::record(1, 100)));
    const auto bytes_of = [](uint64_t first, uint64_t last) {
        size_t bytes = 0;
        for (const auto& record : test::records(first, last, 100)) bytes += memory_bytes(*record);
        return bytes;
    };
    RecentRecords quiet(0, 0, share);
    {
        RecentRecords busy(0, 0, share);
        for (uint64_t seq = 1; seq <= 3; seq++) quiet.add(test::record(seq, 100));
        for (uint64_t seq = 1; seq <= 9; seq++) busy.add(test::record(seq, 100));
        CHECK(quiet.first_seq() == 1);
        CHECK(busy.first_seq() == 9);  // the newest at least
        quiet.add(test::record(4, 100));
        CHECK(quiet.first_seq() == 2);
        CHECK(share->bytes == bytes_of(2, 4) + bytes_of(9, 9));
    }
    CHECK(share->bytes == bytes_of(2, 4));  // what is freed is given back
    quiet.add(test::record(5, 100));
    CHECK(quiet.first_seq() == 2);
}
