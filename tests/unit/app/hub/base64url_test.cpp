#include "app/hub/base64url.h"

#include <doctest/doctest.h>

using namespace app::hub;

TEST_CASE("base64url of RFC 4648 §10, without padding") {
    const struct {
        const char* bytes;
        const char* text;
    } rows[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
                {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(base64url_encode(row.bytes) == row.text);
        CHECK(base64url_decode(row.text) == row.bytes);
    }
}

TEST_CASE("every byte goes there and back") {
    std::string bytes;
    for (int i = 0; i < 256; i++) bytes += char(i);
    CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
}

TEST_CASE("no second form of the same bytes is taken") {
    for (const char* const text :
         {"Zg==", "Zg=", "Z", "Zh", "Zm9", "Zm8=", "Zm 8", "Zm8\n", "+_-_", "/_-_", "Zm9v=", "Zm9vZ", "\xc3\xa4zz"}) {
        CAPTURE(text);
        CHECK_FALSE(base64url_decode(text));
    }
    CHECK_FALSE(base64url_decode(std::string_view("Zm\0v", 4)));
}
