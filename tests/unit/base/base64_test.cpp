#include "base/base64.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/guard_page.h"

using namespace wsd;

namespace {

struct Row {
    const char* plain;
    const char* encoded;
};

// RFC 4648 §10
const Row kRows[] = {{"", ""},
                     {"f", "Zg=="},
                     {"fo", "Zm8="},
                     {"foo", "Zm9v"},
                     {"foob", "Zm9vYg=="},
                     {"fooba", "Zm9vYmE="},
                     {"foobar", "Zm9vYmFy"}};

bool decodes(const std::string& text, std::string* plain = nullptr) {
    test::GuardPage in(text.size()), out(text.size());
    uint8_t* const p = in.before_end(text.data(), text.size());
    const std::string room(text.size() / 4 * 3, '\0');
    uint8_t* const to = out.before_end(room.data(), room.size());
    size_t len = 0;
    if (!base64_decode({p, text.size()}, to, &len)) return false;
    if (plain) plain->assign(reinterpret_cast<char*>(to), len);
    return true;
}

}  // namespace

TEST_CASE("base64 is as in RFC 4648 §10, both ways") {
    for (const Row& row : kRows) {
        CAPTURE(row.plain);
        const Bytes in = bytes_of(row.plain);
        std::string encoded(base64_encoded_size(in.len), '\0');
        base64_encode(in, encoded.data());
        CHECK(encoded == row.encoded);
        std::string plain;
        CHECK(decodes(row.encoded, &plain));
        CHECK(plain == row.plain);
    }
}

TEST_CASE("every byte value comes back, at every length") {
    std::vector<uint8_t> data;
    for (int n = 0; n < 300; n++) {
        std::string encoded(base64_encoded_size(data.size()), '\0');
        base64_encode({data.data(), data.size()}, encoded.data());
        std::string plain;
        REQUIRE(decodes(encoded, &plain));
        CHECK(plain == std::string(data.begin(), data.end()));
        data.push_back(uint8_t(n * 37));
    }
}

TEST_CASE("what is not exactly base64 is refused") {
    for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==", "Zm9v\n", " Zm9", "Zm9-",
                             "Zm9_", "Zm=v", "Zh==", "Zm9=", "Zm\x80v"}) {
        CAPTURE(text);
        CHECK_FALSE(decodes(text));
    }
}
