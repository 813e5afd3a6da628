#include "app/hub/crc32c.h"

#include <doctest/doctest.h>

#include <string>

using app::hub::crc32c;

TEST_CASE("CRC-32C of RFC 3720, B.4's examples") {
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
    std::string rising, falling;
    for (char c = 0; c < 32; c++) {
        rising += c;
        falling += char(31 - c);
    }
    CHECK(crc32c(rising) == 0x46dd794e);
    CHECK(crc32c(falling) == 0x113fdb5c);
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c("") == 0);
}

TEST_CASE("a CRC-32C in two pieces is that of the whole, wherever it is cut") {
    const std::string text = "what was said in one session, in order";
    for (size_t cut = 0; cut <= text.size(); cut++) {
        CAPTURE(cut);
        CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
    }
}
