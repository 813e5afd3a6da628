#include "app/text.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "support/descriptors.h"

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

TEST_CASE("the limit itself is within it, and a byte more is not") {
    char path[] = "/tmp/wsd_text_test_XXXXXX";
    const test::Fd file(mkstemp(path));
    REQUIRE(file.fd >= 0);
    REQUIRE(write(file, "12345", 5) == 5);
    std::string text;
    CHECK(app::read_text_file(path, 5, &text));
    CHECK(text == "12345");
    text.clear();
    CHECK_FALSE(app::read_text_file(path, 4, &text));
    CHECK(errno == EFBIG);
    unlink(path);
}
