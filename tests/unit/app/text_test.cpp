#include "app/text.h"

#include <doctest/doctest.h>

#include <cerrno>

TEST_CASE("blanks are trimmed at both ends, and only there") {
    CHECK(app::trimmed(" \t a b\r").compare("a b") == 0);
    CHECK(app::trimmed(" \t\r").empty());
    CHECK(app::trimmed("").empty());
}

TEST_CASE("a text file is read up to its limit") {
    std::string text;
    CHECK_FALSE(app::read_text_file("/nonexistent/wsd.conf", 1, &text));
    CHECK(errno == ENOENT);
    CHECK_FALSE(app::read_text_file("/", 1, &text));
    CHECK(errno == EISDIR);
    CHECK_FALSE(app::read_text_file("/dev/zero", 10000, &text));
    CHECK(errno == EFBIG);
    text.clear();
    CHECK(app::read_text_file("/dev/null", 0, &text));
    CHECK(text.empty());
}
