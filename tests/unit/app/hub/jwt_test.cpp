#include "app/hub/jwt.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "app/hub/base64url.h"
#include "app/hub/sha256.h"
#include "support/scratch_file.h"

using namespace app::hub;

namespace {

constexpr int64_t kNow = 1'800'000'000;
constexpr const char* kHeader = R"({"alg":"HS256"})";
const std::string kSecret = "a secret of thirty-two bytes, ok";

std::string signed_text(const std::string& header, const std::string& payload, const std::string& secret = kSecret) {
    const std::string text = base64url_encode(header) + "." + base64url_encode(payload);
    return text + "." + base64url_encode(digest_text(hmac_sha256(secret, text)));
}

struct Judged {
    Claims claims;
    TokenVerdict verdict;
};

TokenRules rules() {
    TokenRules rules;
    rules.secrets = {kSecret};
    return rules;
}

Judged judge(const std::string& token, const TokenRules& by = rules(), int64_t now_s = kNow) {
    Judged judged;
    judged.verdict = verify_token(token, by, now_s, &judged.claims);
    return judged;
}

TokenVerdict verdict_of(const std::string& payload, const TokenRules& by = rules()) {
    return judge(signed_text(kHeader, payload), by).verdict;
}

}  // namespace

TEST_CASE("the example of RFC 7515 A.1 is good, and stays good only unchanged and until it expires") {
    const std::string token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    TokenRules by;
    by.secrets = {
        *base64url_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")};
    const Judged judged = judge(token, by, 1300819380 - 1);
    CHECK(judged.verdict == TokenVerdict::kGood);
    CHECK(judged.claims.iss == "joe");
    CHECK(judged.claims.exp_s == 1300819380);
    CHECK(judge(token, by).verdict == TokenVerdict::kExpired);
    for (size_t at = 0; at < token.size(); at++) {
        CAPTURE(at);
        std::string changed = token;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        CHECK(judge(changed, by, 1300819379).verdict != TokenVerdict::kGood);
        CHECK(judge(token.substr(0, at), by, 1300819379).verdict != TokenVerdict::kGood);
    }
}

TEST_CASE("what is signed is read again") {
    Claims claims;
    claims.sub = "ada";
    claims.role = "instructor";
    claims.sid = "algebra-1";
    claims.pid = "p1";
    claims.iss = "school \"one\"";
    claims.exp_s = kNow + 60;
    claims.nbf_s = kNow;
    claims.iat_s = kNow - 1;
    for (const auto& aud : {std::vector<std::string>{}, {"wsd"}, {"wsd", "other"}}) {
        claims.aud = aud;
        const Judged judged = judge(sign_token(claims, kSecret));
        REQUIRE(judged.verdict == TokenVerdict::kGood);
        CHECK(judged.claims.sub == claims.sub);
        CHECK(judged.claims.role == claims.role);
        CHECK(judged.claims.sid == claims.sid);
        CHECK(judged.claims.pid == claims.pid);
        CHECK(judged.claims.iss == claims.iss);
        CHECK(judged.claims.exp_s == claims.exp_s);
        CHECK(judged.claims.nbf_s == claims.nbf_s);
        CHECK(judged.claims.iat_s == claims.iat_s);
        CHECK(judged.claims.aud == aud);
    }
}

TEST_CASE("absent claims are left out of a token") {
    const std::string token = sign_token({}, kSecret);
    CHECK(token == signed_text(R"({"alg":"HS256","typ":"JWT"})", "{}"));
    CHECK(judge(token).verdict == TokenVerdict::kGood);
}

TEST_CASE("any algorithm but HS256 is refused, whatever the signature") {
    for (const char* const header :
         {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"NONE"})", R"({"alg":""})", R"({"alg":"HS512"})",
          R"({"alg":"HS384"})", R"({"alg":"RS256"})", R"({"alg":"ES256"})", R"({"alg":"hs256"})", R"({"alg":"HS256 "})",
          R"({"alg":null})", R"({"alg":["HS256"]})", R"({"alg":256})", R"({"typ":"JWT"})", "{}"}) {
        CAPTURE(header);
        CHECK(judge(signed_text(header, "{}")).verdict == TokenVerdict::kWrongAlgorithm);
        const std::string bare = base64url_encode(header) + "." + base64url_encode("{}") + ".";
        CHECK(judge(bare).verdict == TokenVerdict::kWrongAlgorithm);
    }
}

TEST_CASE("a header with extensions that must be understood, or that is no object, is refused") {
    for (const char* const header :
         {R"({"alg":"HS256","crit":["exp"]})", R"({"alg":"HS256","crit":[]})", R"({"alg":"none","alg":"HS256"})",
          R"({"alg":"HS256"} )"
          "x",
          "[]", "\"HS256\"", "", "{"}) {
        CAPTURE(header);
        CHECK(judge(signed_text(header, "{}")).verdict == TokenVerdict::kMalformed);
    }
    CHECK(judge(signed_text(R"({"alg":"HS256","kid":"7","typ":"at+jwt"})", "{}")).verdict == TokenVerdict::kGood);
}

TEST_CASE("a signature that is cut, empty, longer or another's is wrong") {
    const std::string good = signed_text(kHeader, R"({"sub":"ada"})");
    const size_t dot = good.rfind('.');
    const std::string text = good.substr(0, dot);
    const Sha256Digest digest = hmac_sha256(kSecret, text);
    const std::string signature(digest_text(digest));
    const std::string other = signed_text(kHeader, R"({"sub":"eve"})");
    for (const std::string& forged :
         {std::string(), signature.substr(0, 31), signature.substr(1), signature + std::string(1, '\0'),
          signature + signature, std::string(32, '\0'), *base64url_decode(other.substr(other.rfind('.') + 1))}) {
        CAPTURE(forged.size());
        CHECK(judge(text + "." + base64url_encode(forged)).verdict == TokenVerdict::kBadSignature);
    }
    const std::string longer_header = signed_text(R"({"alg":"HS256","typ":"JWT"})", R"({"sub":"ada"})");
    CHECK(judge(text + longer_header.substr(longer_header.rfind('.'))).verdict == TokenVerdict::kBadSignature);
    CHECK(judge(good).verdict == TokenVerdict::kGood);
}

TEST_CASE("a token has three parts in strict base64url, and nothing around them") {
    const std::string good = signed_text(kHeader, "{}");
    REQUIRE(judge(good).verdict == TokenVerdict::kGood);
    const std::string text = good.substr(0, good.rfind('.'));
    // 32 bytes leave two bits over in the last character: its three neighbours stand for the same signature.
    std::string twin = good;
    twin.back() = char(twin.back() + 1);
    for (const std::string& wrong :
         {std::string(), std::string("."), std::string(".."), std::string("..."), text, good + ".", good + ".e30",
          good + "=", good + "\n", " " + good, good + " ", text + "=" + good.substr(text.size()), twin,
          good + std::string(1, '\0'), "Bearer " + good}) {
        CAPTURE(wrong);
        const TokenVerdict verdict = judge(wrong).verdict;
        CHECK(verdict != TokenVerdict::kGood);
        CHECK((verdict == TokenVerdict::kMalformed || wrong == twin));
    }
}

TEST_CASE("a payload is one object, with no claim twice and nothing behind it") {
    for (const char* const payload : {R"({"sub":"ada","sub":"eve"})", R"({"sub":"ada"}{})", R"({"sub":"ada"} x)", "[]",
                                      "null", "", R"({"sub":"ada",})", "{\"sub\":\"\xff\"}"}) {
        CAPTURE(payload);
        CHECK(verdict_of(payload) == TokenVerdict::kMalformed);
    }
}

TEST_CASE("claims of the wrong type or an impossible size are refused") {
    for (const char* const name : {"exp", "nbf", "iat"}) {
        for (const char* const value : {R"("1800000001")", "null", "true", "[1]", "{}", "1e300", "-1e300", "1e400",
                                        "99999999999999999999", "9007199254740994"}) {
            CAPTURE(name);
            CAPTURE(value);
            CHECK(verdict_of(std::string("{\"") + name + "\":" + value + "}") == TokenVerdict::kMalformed);
        }
    }
    for (const char* const name : {"sub", "role", "sid", "pid", "iss"}) {
        for (const char* const value : {"1", "null", "false", R"(["ada"])", "{}", R"("")"}) {
            CAPTURE(name);
            CAPTURE(value);
            CHECK(verdict_of(std::string("{\"") + name + "\":" + value + "}") == TokenVerdict::kMalformed);
        }
    }
    for (const char* const value : {"1", "null", "{}", "[1]", R"(["a",null])"}) {
        CAPTURE(value);
        CHECK(verdict_of(std::string("{\"aud\":") + value + "}") == TokenVerdict::kMalformed);
    }
}

TEST_CASE("a token holds until the second before exp, and the leeway longer") {
    TokenRules by = rules();
    for (const int64_t leeway_s : {0, 30}) {
        by.leeway_s = leeway_s;
        const auto expiring = [&](int64_t exp_s) { return verdict_of("{\"exp\":" + std::to_string(exp_s) + "}", by); };
        CHECK(expiring(kNow - leeway_s + 1) == TokenVerdict::kGood);
        CHECK(expiring(kNow - leeway_s) == TokenVerdict::kExpired);
        CHECK(expiring(-1) == TokenVerdict::kExpired);
        CHECK(expiring(9007199254740992) == TokenVerdict::kGood);
        for (const char* const name : {"nbf", "iat"}) {
            CAPTURE(name);
            const auto beginning = [&](int64_t at_s) {
                return verdict_of(std::string("{\"") + name + "\":" + std::to_string(at_s) + "}", by);
            };
            CHECK(beginning(kNow + leeway_s) == TokenVerdict::kGood);
            CHECK(beginning(kNow + leeway_s + 1) == TokenVerdict::kNotYet);
        }
    }
}

TEST_CASE("the fraction of a time does not count") {
    const std::string second = std::to_string(kNow - kLeewayDefaultS);
    CHECK(verdict_of("{\"exp\":" + second + ".9}") == TokenVerdict::kExpired);
    CHECK(verdict_of("{\"exp\":" + std::to_string(kNow - kLeewayDefaultS + 1) + ".0}") == TokenVerdict::kGood);
    CHECK(verdict_of("{\"exp\":1.9e9}") == TokenVerdict::kGood);
}

TEST_CASE("an expired token still tells whose it was") {
    const Judged judged = judge(signed_text(kHeader, R"({"sub":"ada","exp":1})"));
    CHECK(judged.verdict == TokenVerdict::kExpired);
    CHECK(judged.claims.sub == "ada");
    CHECK(judge(signed_text(kHeader, R"({"sub":"ada","nbf":1900000000})")).claims.sub.empty());
}

TEST_CASE("issuer and audience are asked where they are set") {
    TokenRules by = rules();
    CHECK(verdict_of(R"({"iss":"a","aud":"b"})", by) == TokenVerdict::kGood);
    by.issuer = "school";
    CHECK(verdict_of(R"({"iss":"school"})", by) == TokenVerdict::kGood);
    CHECK(verdict_of(R"({"iss":"schoo"})", by) == TokenVerdict::kWrongIssuer);
    CHECK(verdict_of("{}", by) == TokenVerdict::kWrongIssuer);
    by.issuer.clear();
    by.audience = "wsd";
    CHECK(verdict_of(R"({"aud":"wsd"})", by) == TokenVerdict::kGood);
    CHECK(verdict_of(R"({"aud":["other","wsd"]})", by) == TokenVerdict::kGood);
    for (const char* const payload : {"{}", R"({"aud":"other"})", R"({"aud":[]})", R"({"aud":["wsd2"]})"}) {
        CAPTURE(payload);
        CHECK(verdict_of(payload, by) == TokenVerdict::kWrongAudience);
    }
}

TEST_CASE("each of several secrets verifies, and without one nothing does") {
    const std::string second = "another secret of thirty-two byt";
    TokenRules by = rules();
    by.secrets.push_back(second);
    CHECK(judge(signed_text(kHeader, "{}", kSecret), by).verdict == TokenVerdict::kGood);
    CHECK(judge(signed_text(kHeader, "{}", second), by).verdict == TokenVerdict::kGood);
    CHECK(judge(signed_text(kHeader, "{}", second + "x"), by).verdict == TokenVerdict::kBadSignature);
    by.secrets.clear();
    CHECK(judge(signed_text(kHeader, "{}", ""), by).verdict == TokenVerdict::kBadSignature);
}

TEST_CASE("a token over 4096 bytes is not looked at") {
    const std::string empty = signed_text(kHeader, R"({"x":""})");
    for (const size_t size : {kTokenMaxBytes, kTokenMaxBytes + 1}) {
        std::string token;
        for (size_t fill = (size - empty.size()) * 3 / 4 - 2; token.size() < size; fill++) {
            token = signed_text(kHeader, R"({"x":")" + std::string(fill, 'x') + R"("})");
        }
        CAPTURE(token.size());
        const bool fits = token.size() <= kTokenMaxBytes;
        CHECK(judge(token).verdict == (fits ? TokenVerdict::kGood : TokenVerdict::kMalformed));
    }
}

TEST_CASE("every verdict has a text of its own") {
    std::vector<std::string> texts;
    for (int i = 0; i <= int(TokenVerdict::kWrongAudience); i++) {
        const std::string text = verdict_text(TokenVerdict(i));
        CHECK_FALSE(text.empty());
        for (const std::string& earlier : texts) CHECK(text != earlier);
        texts.push_back(text);
    }
}

TEST_CASE("secrets stand one a line, whatever ends it, and blank lines are passed over") {
    const test::ScratchFile file(kSecret + "\r\n\n  \n" + "another secret of thirty-two byt" + "\n");
    std::vector<std::string> secrets;
    std::string error;
    REQUIRE(read_secrets(file.path(), &secrets, &error));
    CHECK(secrets == std::vector<std::string>{kSecret, "another secret of thirty-two byt"});
}

TEST_CASE("a file of secrets that cannot be used is named, and the secrets there were stay") {
    std::vector<std::string> secrets = {"old"};
    std::string error;
    const test::ScratchFile weak(kSecret + "\n" + kSecret.substr(1) + "\n");
    CHECK_FALSE(read_secrets(weak.path(), &secrets, &error));
    CHECK(error == weak.path() + ":2: a secret has 32 bytes at least");
    const test::ScratchFile blank("\n");
    CHECK_FALSE(read_secrets(blank.path(), &secrets, &error));
    CHECK(error == blank.path() + ": no secret in it");
    CHECK_FALSE(read_secrets("/nowhere/secrets", &secrets, &error));
    CHECK(error == "/nowhere/secrets: No such file or directory");
    CHECK_FALSE(read_secrets("/", &secrets, &error));
    CHECK(error == "/: Is a directory");
    const test::ScratchFile huge(std::string(2u << 20, 'x'));
    CHECK_FALSE(read_secrets(huge.path(), &secrets, &error));
    CHECK(error == huge.path() + ": File too large");
    CHECK(secrets == std::vector<std::string>{"old"});
}
