#include "app/wall_clock.h"

#include <doctest/doctest.h>

TEST_CASE("times are RFC 3339 with milliseconds") {
    CHECK(app::format_time(0) == "1970-01-01T00:00:00.000Z");
    CHECK(app::format_time(951827696007) == "2000-02-29T12:34:56.007Z");
}
