#include "base/sha1.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/guard_page.h"

using namespace wsd;

namespace {

std::string hex_of(const Sha1Digest& digest) {
    std::string text;
    for (const uint8_t byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::string sha1_hex(const std::string& text) {
    return hex_of(sha1({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
}

}  // namespace

TEST_CASE("SHA-1 gives the published digests (FIPS 180-4, RFC 3174 §7.3)") {
    CHECK(sha1_hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK(sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    CHECK(sha1_hex(std::string(1000000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("SHA-1 is right at every length around its blocks") {
    // The digest of all digests of 0 to 200 bytes, made with another implementation (Python's hashlib).
    test::GuardPage page(200);
    std::vector<uint8_t> digests;
    for (int n = 0; n <= 200; n++) {
        std::vector<uint8_t> data;
        for (int i = 0; i < n; i++) data.push_back(uint8_t(i * 7 + n));
        const Sha1Digest digest = sha1({page.before_end(data.data(), data.size()), data.size()});
        digests.insert(digests.end(), digest.begin(), digest.end());
    }
    CHECK(hex_of(sha1({digests.data(), digests.size()})) == "d0de06f4c5cb01efe13d538b17bbc0bd8144a1c2");
}
