// JSON Web Tokens (RFC 7519) signed with HS256 (RFC 7515, RFC 7518 §3.2), and nothing else: a token that names another
// algorithm is not looked at further.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace app::hub {

constexpr int64_t kLeewayDefaultS = 30;
constexpr size_t kTokenMaxBytes = 4096;
constexpr size_t kSecretMinBytes = 32;  // RFC 7518 §3.2: a key is at least as long as the hash

struct Claims {
    std::string sub;               // the user
    std::string role;              // empty: none told
    std::string sid;               // the session; empty: any
    std::string pid;               // the project; empty: any
    std::optional<int64_t> exp_s;  // since 1970
    std::optional<int64_t> nbf_s;
    std::optional<int64_t> iat_s;
    std::string iss;
    std::vector<std::string> aud;  // one text in the token, or an array of them
};

struct TokenRules {
    std::vector<std::string> secrets;    // the first signs, all verify
    std::string issuer;                  // `iss` has to be this; empty: not asked
    std::string audience;                // `aud` has to have this; empty: not asked
    int64_t leeway_s = kLeewayDefaultS;  // by which clocks may differ
};

enum class TokenVerdict : uint8_t {
    kGood,
    kMalformed,       // no three parts, no base64url, no JSON, a claim of the wrong type, or too long
    kWrongAlgorithm,  // anything but HS256, `none` included
    kBadSignature,
    kExpired,
    kNotYet,  // `nbf` or `iat` are ahead
    kWrongIssuer,
    kWrongAudience
};

const char* verdict_text(TokenVerdict verdict);

// Judges a token at `now_s`, in this order: form, algorithm, signature, then claims, so that nothing of a forged one is
// believed. `*claims` is set with kGood, and with kExpired.
TokenVerdict verify_token(std::string_view token, const TokenRules& rules, int64_t now_s, Claims* claims);

// Makes a token; absent claims are left out.
std::string sign_token(const Claims& claims, std::string_view secret);

// Reads secrets, one a line; blank lines are passed over. False sets `*error` to one line that names the file, and the
// line where a secret is shorter than kSecretMinBytes.
[[nodiscard]] bool read_secrets(const std::string& path, std::vector<std::string>* secrets, std::string* error);

}  // namespace app::hub
