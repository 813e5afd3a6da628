#include "support/growth.h"

#include <doctest/doctest.h>

#include <initializer_list>

using test::Growth;

TEST_CASE("growth is told as a factor for ten times as many") {
    Growth flat, proportional, doubling;
    for (const size_t count : {1000, 100000, 1000000}) {
        flat.add(count, 7);
        proportional.add(count, 3.0 * double(count));
    }
    doubling.add(10, 5);
    doubling.add(1000, 20);
    CHECK(flat.for_tenfold() == doctest::Approx(1));
    CHECK(proportional.for_tenfold() == doctest::Approx(10));
    CHECK(doubling.for_tenfold() == doctest::Approx(2));
}
