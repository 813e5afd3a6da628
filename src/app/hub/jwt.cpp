#include "app/hub/jwt.h"

#include <algorithm>
#include <cmath>

#include "app/hub/base64url.h"
#include "app/hub/sha256.h"
#include "app/hub/text_file.h"
#include "app/json.h"
#include "app/json_writer.h"

namespace app::hub {
namespace {

constexpr JsonLimits kLimits = {kTokenMaxBytes, 8};
constexpr double kTimeMax = 9007199254740992;  // 2^53: up to here a double tells whole seconds apart

// The compact form (RFC 7515 §3.1), decoded; `text` is what is signed of it.
struct Parts {
    std::string_view text;
    std::string header, payload, signature;
};

bool split(std::string_view token, Parts* parts) {
    if (token.size() > kTokenMaxBytes) return false;
    const size_t first = token.find('.');
    const size_t second = token.find('.', first == token.npos ? first : first + 1);
    if (second == token.npos) return false;
    const auto header = base64url_decode(token.substr(0, first));
    const auto payload = base64url_decode(token.substr(first + 1, second - first - 1));
    const auto signature = base64url_decode(token.substr(second + 1));
    if (!header || !payload || !signature) return false;
    *parts = {token.substr(0, second), *header, *payload, *signature};
    return true;
}

bool parse_object(std::string_view text, Json* json) {
    JsonError error;
    return parse_json(text, kLimits, json, &error) && json->is(JsonType::kObject);
}

// The algorithm is pinned: a token has no say in how it is judged.
TokenVerdict judge_header(std::string_view text) {
    Json header;
    if (!parse_object(text, &header)) return TokenVerdict::kMalformed;
    const Json* const algorithm = header.find("alg");
    const bool pinned = algorithm && algorithm->is(JsonType::kString) && algorithm->string() == "HS256";
    if (!pinned) return TokenVerdict::kWrongAlgorithm;
    return header.find("crit") ? TokenVerdict::kMalformed : TokenVerdict::kGood;  // nothing is known to us (§4.1.11)
}

// All secrets are tried whatever the first says, so that the time does not tell which one it was.
bool is_signed(const Parts& parts, const std::vector<std::string>& secrets) {
    bool good = false;
    for (const std::string& secret : secrets) {
        good |= equal_in_constant_time(digest_text(hmac_sha256(secret, parts.text)), parts.signature);
    }
    return good;
}

// A claim may be absent, but not empty: nobody can have meant that.
bool take_text(const Json& object, std::string_view name, std::string* text) {
    const Json* const claim = object.find(name);
    if (!claim) return true;
    if (!claim->is(JsonType::kString) || claim->string().empty()) return false;
    *text = claim->string();
    return true;
}

// Seconds may have a fraction (RFC 7519 §2); it does not count.
bool take_time(const Json& object, std::string_view name, std::optional<int64_t>* time_s) {
    const Json* const claim = object.find(name);
    if (!claim) return true;
    if (!claim->is(JsonType::kNumber) || !(std::fabs(claim->number()) <= kTimeMax)) return false;
    *time_s = int64_t(std::floor(claim->number()));
    return true;
}

bool take_audience(const Json& object, std::vector<std::string>* audience) {
    const Json* const claim = object.find("aud");
    if (!claim) return true;
    if (claim->is(JsonType::kString)) {
        audience->emplace_back(claim->string());
        return true;
    }
    if (!claim->is(JsonType::kArray)) return false;
    for (const Json& item : claim->items()) {
        if (!item.is(JsonType::kString)) return false;
        audience->emplace_back(item.string());
    }
    return true;
}

bool read_claims(std::string_view text, Claims* claims) {
    Json object;
    if (!parse_object(text, &object)) return false;
    return take_text(object, "sub", &claims->sub) && take_text(object, "role", &claims->role) &&
           take_text(object, "sid", &claims->sid) && take_text(object, "pid", &claims->pid) &&
           take_text(object, "iss", &claims->iss) && take_time(object, "exp", &claims->exp_s) &&
           take_time(object, "nbf", &claims->nbf_s) && take_time(object, "iat", &claims->iat_s) &&
           take_audience(object, &claims->aud);
}

// Expiry comes last, so that an expired token is one that was good once.
TokenVerdict judge_claims(const Claims& claims, const TokenRules& rules, int64_t now_s) {
    const auto& aud = claims.aud;
    if (!rules.issuer.empty() && claims.iss != rules.issuer) return TokenVerdict::kWrongIssuer;
    if (!rules.audience.empty() && std::find(aud.begin(), aud.end(), rules.audience) == aud.end()) {
        return TokenVerdict::kWrongAudience;
    }
    const int64_t latest_s = now_s + rules.leeway_s;
    if (claims.nbf_s.value_or(latest_s) > latest_s || claims.iat_s.value_or(latest_s) > latest_s) {
        return TokenVerdict::kNotYet;
    }
    // From the second of `exp` on the token is not to be taken (RFC 7519 §4.1.4).
    const bool expired = claims.exp_s && now_s - rules.leeway_s >= *claims.exp_s;
    return expired ? TokenVerdict::kExpired : TokenVerdict::kGood;
}

void write_text(JsonWriter* writer, std::string_view name, const std::string& text) {
    if (!text.empty()) writer->key(name).string(text);
}

void write_time(JsonWriter* writer, std::string_view name, const std::optional<int64_t>& time_s) {
    if (time_s) writer->key(name).number(*time_s);
}

std::string write_claims(const Claims& claims) {
    JsonWriter writer;
    writer.begin_object();
    write_text(&writer, "iss", claims.iss);
    write_text(&writer, "sub", claims.sub);
    if (claims.aud.size() == 1) {
        writer.key("aud").string(claims.aud[0]);
    } else if (!claims.aud.empty()) {
        writer.key("aud").begin_array();
        for (const std::string& one : claims.aud) writer.string(one);
        writer.end_array();
    }
    write_time(&writer, "exp", claims.exp_s);
    write_time(&writer, "nbf", claims.nbf_s);
    write_time(&writer, "iat", claims.iat_s);
    write_text(&writer, "sid", claims.sid);
    write_text(&writer, "pid", claims.pid);
    write_text(&writer, "role", claims.role);
    return writer.end_object().take();
}

}  // namespace

const char* verdict_text(TokenVerdict verdict) {
    switch (verdict) {
        case TokenVerdict::kGood: return "the token is good";
        case TokenVerdict::kMalformed: return "the token is malformed";
        case TokenVerdict::kWrongAlgorithm: return "the token is not signed with HS256";
        case TokenVerdict::kBadSignature: return "the token's signature is wrong";
        case TokenVerdict::kExpired: return "the token has expired";
        case TokenVerdict::kNotYet: return "the token is not valid yet";
        case TokenVerdict::kWrongIssuer: return "the token is of another issuer";
        case TokenVerdict::kWrongAudience: return "the token is for another audience";
    }
    return "";
}

TokenVerdict verify_token(std::string_view token, const TokenRules& rules, int64_t now_s, Claims* claims) {
    Parts parts;
    if (!split(token, &parts)) return TokenVerdict::kMalformed;
    const TokenVerdict form = judge_header(parts.header);
    if (form != TokenVerdict::kGood) return form;
    if (!is_signed(parts, rules.secrets)) return TokenVerdict::kBadSignature;
    Claims read;
    if (!read_claims(parts.payload, &read)) return TokenVerdict::kMalformed;
    const TokenVerdict verdict = judge_claims(read, rules, now_s);
    if (verdict == TokenVerdict::kGood || verdict == TokenVerdict::kExpired) *claims = std::move(read);
    return verdict;
}

std::string sign_token(const Claims& claims, std::string_view secret) {
    const std::string text =
        base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url_encode(write_claims(claims));
    return text + "." + base64url_encode(digest_text(hmac_sha256(secret, text)));
}

bool read_secrets(const std::string& path, std::vector<std::string>* secrets, std::string* error) {
    std::vector<TextLine> lines;
    if (!read_lines(path, &lines, error)) return false;
    std::vector<std::string> read;
    for (TextLine& line : lines) {
        if (line.text.size() < kSecretMinBytes) {
            *error = path + ":" + std::to_string(line.number) + ": a secret has " + std::to_string(kSecretMinBytes) +
                     " bytes at least";
            return false;
        }
        read.push_back(std::move(line.text));
    }
    if (read.empty()) {
        *error = path + ": no secret in it";
        return false;
    }
    *secrets = std::move(read);
    return true;
}

}  // namespace app::hub
