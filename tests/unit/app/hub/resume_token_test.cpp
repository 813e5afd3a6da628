#include "app/hub/resume_token.h"

#include <doctest/doctest.h>

#include "app/hub/base64url.h"
#include "app/hub/sha256.h"

using namespace app::hub;

namespace {

constexpr std::string_view kSecret = "the server's own secret, of 32 b";
const ResumeClaim kClaim{"algebra-1", "ada", "c-7", 1000};

}  // namespace

TEST_CASE("a resume token is read back until it expires") {
    const std::string token = make_resume_token(kClaim, kSecret);
    const auto claim = read_resume_token(token, kSecret, 999);
    REQUIRE(claim);
    CHECK(claim->session_id == "algebra-1");
    CHECK(claim->user_id == "ada");
    CHECK(claim->connection_id == "c-7");
    CHECK(claim->expires_s == 1000);
    CHECK_FALSE(read_resume_token(token, kSecret, 1000));
}

TEST_CASE("a resume token that is changed, cut or another server's is none") {
    const std::string token = make_resume_token(kClaim, kSecret);
    for (size_t at = 0; at < token.size(); at++) {
        CAPTURE(at);
        std::string changed = token;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        CHECK_FALSE(read_resume_token(changed, kSecret, 0));
        CHECK_FALSE(read_resume_token(token.substr(0, at), kSecret, 0));
    }
    CHECK_FALSE(read_resume_token(token, "another secret", 0));
    CHECK_FALSE(read_resume_token(token + "=", kSecret, 0));
    CHECK_FALSE(read_resume_token("", kSecret, 0));
    CHECK_FALSE(read_resume_token(".", kSecret, 0));
}

TEST_CASE("what the same secret has signed for another purpose is no resume token") {
    const std::string text = "1000\nalgebra-1\nada\nc-7";
    const std::string token = base64url_encode(text) + "." + base64url_encode(digest_text(hmac_sha256(kSecret, text)));
    CHECK_FALSE(read_resume_token(token, kSecret, 0));
}
