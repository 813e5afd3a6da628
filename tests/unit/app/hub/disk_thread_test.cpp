#include "app/hub/disk_thread.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/plain_server.h"

using app::hub::DiskThread;

namespace {

struct Fixture {
    test::PlainServer server;
    std::string error;
    std::unique_ptr<DiskThread> thread = DiskThread::start(server.server, &error);
    const std::thread::id here = std::this_thread::get_id();
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "jobs are done by the thread, and answered on the loop, in order") {
    REQUIRE(thread);
    std::vector<int> done, answered;
    bool apart = true, at_home = true;
    for (int i = 0; i < 1000; i++) {
        thread->run([&, i]() -> DiskThread::Completion {
            apart = apart && std::this_thread::get_id() != here;
            done.push_back(i);
            if (i % 3 == 0) return {};
            return [&, i] {
                at_home = at_home && std::this_thread::get_id() == here;
                answered.push_back(i);
            };
        });
    }
    server.turn_until([&] { return !answered.empty() && answered.back() == 998; });
    (void)thread->finish();  // the last job says nothing, so it may be done or not
    CHECK(apart);
    CHECK(at_home);
    CHECK(done.size() == 1000);
    CHECK(std::is_sorted(done.begin(), done.end()));
    CHECK(answered.size() == 666);
    CHECK(std::is_sorted(answered.begin(), answered.end()));
}

TEST_CASE_FIXTURE(Fixture, "finishing does what answers hand over, too") {
    REQUIRE(thread);
    int left = 5;
    std::function<void()> again = [&] {
        if (left-- > 0) thread->run([&]() -> DiskThread::Completion { return again; });
    };
    CHECK_FALSE(thread->finish());
    again();
    CHECK(thread->finish());
    CHECK(left == -1);
    server.turn();  // nothing is answered twice
    CHECK(left == -1);
}

TEST_CASE_FIXTURE(Fixture, "a thread that is freed has done everything, and calls nobody") {
    REQUIRE(thread);
    int done = 0, answered = 0;
    for (int i = 0; i < 100; i++) {
        thread->run([&]() -> DiskThread::Completion {
            done++;
            return [&] { answered++; };
        });
    }
    thread = nullptr;
    server.turn();
    CHECK(done == 100);
    CHECK(answered == 0);
}
