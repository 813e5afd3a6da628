#include "app/usage.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

TEST_CASE("a descriptor more is a descriptor more") {
    const auto before = app::process_usage();
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const auto during = app::process_usage();
    close(fd);
    REQUIRE(before.fds_open);
    REQUIRE(during.fds_open);
    CHECK(*during.fds_open == *before.fds_open + 1);
    CHECK(*app::process_usage().fds_open == *before.fds_open);
}

TEST_CASE("memory, CPU time and limits are this process's") {
    const auto usage = app::process_usage();
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(usage.fds_max == limit.rlim_cur);
    REQUIRE(usage.resident_bytes);
    REQUIRE(usage.virtual_bytes);
    CHECK(*usage.resident_bytes > 4096);
    CHECK(*usage.resident_bytes < *usage.virtual_bytes);
    CHECK(usage.cpu_s > 0);
    CHECK(app::process_usage().cpu_s >= usage.cpu_s);
}
