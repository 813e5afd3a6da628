// Any bytes as a token, as what a token is signed over, and as a change to a good one. None but the very token that was
// signed is taken, nothing is known of one that is not, and claims that are taken and signed again read to the same. No
// byte outside the input is touched (every text ends before a page nobody may read).
#include <cstdlib>
#include <string>

#include "app/hub/base64url.h"
#include "app/hub/jwt.h"
#include "app/hub/sha256.h"
#include "support/guard_page.h"

using namespace app::hub;

namespace {

constexpr size_t kInputMax = 4096;
constexpr int64_t kNow = 1700000000;

void require(bool condition) {
    if (!condition) std::abort();
}

const TokenRules& rules() {
    static const TokenRules kRules = {{"a secret that is as long as the hash itself"}, "", "", 0};
    return kRules;
}

bool nothing_known(const Claims& claims) {
    return claims.sub.empty() && claims.role.empty() && claims.sid.empty() && !claims.exp_s;
}

// Without the secret, nobody makes a token.
void check_forged(std::string_view token) {
    Claims claims;
    const TokenVerdict verdict = verify_token(token, rules(), kNow, &claims);
    require(verdict == TokenVerdict::kMalformed || verdict == TokenVerdict::kWrongAlgorithm ||
            verdict == TokenVerdict::kBadSignature);
    require(nothing_known(claims));
}

std::string signed_over(std::string_view header, std::string_view payload) {
    const std::string text = base64url_encode(header) + "." + base64url_encode(payload);
    return text + "." + base64url_encode(digest_text(hmac_sha256(rules().secrets[0], text)));
}

void check_same(const Claims& a, const Claims& b) {
    require(a.sub == b.sub && a.role == b.role && a.sid == b.sid && a.pid == b.pid && a.iss == b.iss && a.aud == b.aud);
    require(a.exp_s == b.exp_s && a.nbf_s == b.nbf_s && a.iat_s == b.iat_s);
}

// Whoever has the secret may still write nonsense.
void check_claims(std::string_view payload) {
    Claims claims;
    const TokenVerdict verdict = verify_token(signed_over(R"({"alg":"HS256"})", payload), rules(), kNow, &claims);
    require(verdict != TokenVerdict::kBadSignature && verdict != TokenVerdict::kWrongAlgorithm);
    if (verdict != TokenVerdict::kGood) return;
    const std::string again = sign_token(claims, rules().secrets[0]);
    Claims read;
    require(verify_token(again, rules(), kNow, &read) == TokenVerdict::kGood);
    check_same(claims, read);
}

void check_header(std::string_view header) {
    Claims claims;
    const TokenVerdict verdict = verify_token(signed_over(header, R"({"sub":"ada"})"), rules(), kNow, &claims);
    require(verdict != TokenVerdict::kBadSignature);
    require(verdict == TokenVerdict::kGood || nothing_known(claims));
}

// A good token with one byte that is another.
void check_changed(const uint8_t* data, size_t size) {
    if (size < 3) return;
    static const std::string kGood = signed_over(R"({"alg":"HS256"})", R"({"sub":"ada","role":"student"})");
    std::string changed = kGood;
    changed[(size_t(data[0]) << 8 | data[1]) % changed.size()] = char(data[2]);
    if (changed != kGood) check_forged(changed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > kInputMax) return 0;
    static test::GuardPage page(kInputMax);
    const std::string_view text(reinterpret_cast<const char*>(page.before_end(data, size)), size);
    check_forged(text);
    check_claims(text);
    check_header(text);
    check_changed(data, size);
    if (const auto bytes = base64url_decode(text)) require(base64url_encode(*bytes) == text);
    require(base64url_decode(base64url_encode(text)) == text);
    return 0;
}
