#include "app/hub/sha256.h"

#include <doctest/doctest.h>

#include <string>

#include "support/hex.h"

using namespace app::hub;

namespace {

std::string shown(const Sha256Digest& digest) {
    std::string text;
    for (const uint8_t byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::string bytes(const char* text) {
    const auto read = test::hex(text);
    return {read.begin(), read.end()};
}

struct Row {
    const char* what;
    std::string key, data;
    const char* digest;
};

}  // namespace

TEST_CASE("SHA-256 of the examples of FIPS 180-4, and of lengths around a block") {
    CHECK(shown(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(shown(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(shown(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(shown(sha256(std::string(1000000, 'a'))) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK(shown(sha256(std::string(55, 'a'))) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    CHECK(shown(sha256(std::string(56, 'a'))) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
    CHECK(shown(sha256(std::string(63, 'a'))) == "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
    CHECK(shown(sha256(std::string(64, 'a'))) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    CHECK(shown(sha256(std::string(65, 'a'))) == "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0");
    CHECK(shown(sha256(std::string(119, 'a'))) == "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb");
    CHECK(shown(sha256(std::string(120, 'a'))) == "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c");
}

TEST_CASE("HMAC-SHA-256 of RFC 4231 §4") {
    const std::string long_key(131, '\xaa');
    const Row rows[] = {
        {"4.2", std::string(20, '\x0b'), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4.3", "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"4.4", std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"4.5", bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {"4.7", long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"4.8", long_key,
         "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
         "hashed before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(shown(hmac_sha256(row.key, row.data)) == row.digest);
    }
}

TEST_CASE("an HMAC key of one block is taken as it is, and one of a byte more is hashed") {
    CHECK(shown(hmac_sha256(std::string(0, 'k'), "data")) ==
          "e528c4d99e6177f5841f712a143b90843299a4aa181a06501422d9ca862bd2a5");
    CHECK(shown(hmac_sha256(std::string(64, 'k'), "data")) ==
          "93244b031118b8060c6619e5900fcf916faefb2d8d020fecb22ae0f62275db08");
    CHECK(shown(hmac_sha256(std::string(65, 'k'), "data")) ==
          "a79b53d0bf1cb4bb00c301979e6e60ef792a435cafabd76ab9e8989bbdef2dff");
}

TEST_CASE("texts are equal only where every byte and the length are") {
    CHECK(equal_in_constant_time("", ""));
    CHECK(equal_in_constant_time("abcd", "abcd"));
    CHECK_FALSE(equal_in_constant_time("abcd", "abc"));
    CHECK_FALSE(equal_in_constant_time("abcd", "bbcd"));
    CHECK_FALSE(equal_in_constant_time("abcd", "abce"));
    CHECK_FALSE(equal_in_constant_time("abcd", std::string("abc\xe4")));
}
