#include "app/hub/entry.h"

#include <algorithm>
#include <vector>

#include "app/hub/close_codes.h"
#include "app/json_writer.h"
#include "app/number.h"
#include "app/request_text.h"

namespace app::hub {
namespace {

constexpr size_t kReasonMaxBytes = 123;  // of a close frame (RFC 6455 §5.5)

Refusal missing(std::string_view name) { return {400, "missing_parameter", std::string(name) + " is missing"}; }

Refusal invalid(std::string_view name, std::string_view expected) {
    return {400, "invalid_parameter", std::string(name) + ": expected " + std::string(expected)};
}

Refusal bad_token(std::string message) { return {401, "token_invalid", std::move(message)}; }

// ------------------------------------------------------------------------------------------------------------- token

// Of another scheme nothing is taken: that may be meant for a proxy.
void add_authorization(std::string_view value, std::vector<std::string>* tokens) {
    if (const auto token = bearer_credentials(value)) tokens->emplace_back(trimmed(*token));
}

// A page can set no header but this one.
void add_subprotocols(std::string_view value, std::vector<std::string>* tokens) {
    constexpr std::string_view kPrefix = "bearer.";
    while (!value.empty()) {
        const size_t end = std::min(value.find(','), value.size());
        const std::string_view name = trimmed(value.substr(0, end));
        if (name.substr(0, kPrefix.size()) == kPrefix) tokens->emplace_back(name.substr(kPrefix.size()));
        value.remove_prefix(std::min(end + 1, value.size()));
    }
}

// All tokens of a request, wherever they stand; an empty one is none.
std::vector<std::string> tokens_of(const wsd_request* request, const Parameters& parameters) {
    std::vector<std::string> tokens;
    wsd_str name{}, value{};
    for (size_t i = 0; wsd_request_header_at(request, i, &name, &value) == WSD_OK; i++) {
        if (equal_ignoring_case(view_of(name), "Authorization")) add_authorization(view_of(value), &tokens);
        if (equal_ignoring_case(view_of(name), "Sec-WebSocket-Protocol")) add_subprotocols(view_of(value), &tokens);
    }
    if (const std::string* const token = find_parameter(parameters, "token")) tokens.push_back(*token);
    std::erase(tokens, "");
    return tokens;
}

// The claims that entering rests on, as of a token whose signature holds.
std::optional<Refusal> judge_claims(const Claims& claims) {
    if (claims.sub.empty()) return bad_token("the token names no user (sub)");
    const struct {
        const char* name;
        const std::string& value;
    } identifiers[] = {{"sub", claims.sub}, {"sid", claims.sid}, {"pid", claims.pid}};
    for (const auto& one : identifiers) {
        if (!one.value.empty() && !is_identifier(one.value)) {
            return bad_token(std::string("the token's ") + one.name + " is no identifier");
        }
    }
    if (!claims.role.empty() && !parse_role(claims.role)) return bad_token("the token's role is not known");
    return std::nullopt;
}

std::optional<Refusal> read_token(const std::vector<std::string>& tokens, const TokenRules& rules, int64_t now_s,
                                  Claims* claims) {
    if (tokens.empty()) return Refusal{401, "token_missing", "a token is needed"};
    for (const std::string& other : tokens) {
        if (other != tokens[0]) return bad_token("there are two tokens that differ");
    }
    const TokenVerdict verdict = verify_token(tokens[0], rules, now_s, claims);
    if (verdict == TokenVerdict::kExpired) return Refusal{401, "token_expired", verdict_text(verdict)};
    if (verdict != TokenVerdict::kGood) return bad_token(verdict_text(verdict));
    return judge_claims(*claims);
}

// -------------------------------------------------------------------------------------------------------- parameters

// A parameter and the claim that stands in for it, and that it may not contradict.
struct Told {
    const char* name;
    const std::string* parameter;  // null: absent, or empty, as a form sends what was not filled in
    const std::string& claim;      // empty: absent

    const std::string& value() const { return parameter ? *parameter : claim; }
    bool absent() const { return !parameter && claim.empty(); }
    bool contradicts() const { return parameter && !claim.empty() && *parameter != claim; }
};

struct Identity {
    Told session, user, role, project;
};

Identity identity_of(const Parameters& parameters, const Claims& claims) {
    const auto told = [&](const char* name, const std::string& claim) {
        const std::string* const parameter = find_parameter(parameters, name);
        return Told{name, parameter && !parameter->empty() ? parameter : nullptr, claim};
    };
    return {told("session_id", claims.sid), told("user_id", claims.sub), told("role", claims.role),
            told("project_id", claims.pid)};
}

std::optional<Refusal> judge_identity(const Identity& identity) {
    for (const Told* one : {&identity.session, &identity.user, &identity.role}) {
        if (one->absent()) return missing(one->name);
    }
    for (const Told* one : {&identity.session, &identity.user, &identity.project}) {
        if (!one->absent() && !is_identifier(one->value())) {
            return invalid(one->name, "1-64 characters of A-Z a-z 0-9 _ - .");
        }
    }
    if (identity.user.value() == kSystemUser) {
        return Refusal{400, "invalid_parameter", "user_id: the name is the server's own"};
    }
    if (!parse_role(identity.role.value())) return invalid("role", "instructor or student");
    return std::nullopt;
}

std::optional<Refusal> judge_contradictions(const Identity& identity, bool has_token) {
    for (const Told* one : {&identity.session, &identity.user, &identity.role, &identity.project}) {
        if (one->contradicts()) {
            return Refusal{403, "claim_mismatch", std::string(one->name) + " is not what the token says"};
        }
    }
    // A token without a role is anybody's, and nobody makes an instructor of himself.
    const bool raised =
        has_token && identity.role.claim.empty() && identity.role.value() == role_name(Role::kInstructor);
    if (raised) return Refusal{403, "claim_mismatch", "the token does not say that its user is an instructor"};
    return std::nullopt;
}

std::optional<Refusal> read_resuming(const Parameters& parameters, Entry* entry) {
    if (const std::string* const token = find_parameter(parameters, "resume")) entry->resume_token = *token;
    const std::string* const since = find_parameter(parameters, "since");
    if (!since) return std::nullopt;
    uint64_t seq = 0;
    if (!parse_number(*since, &seq)) return invalid("since", "a number");
    entry->since = seq;
    return std::nullopt;
}

}  // namespace

std::optional<Refusal> read_entry(const wsd_request* request, const EntryRules& rules, int64_t now_s, Entry* entry) {
    *entry = {};
    Parameters parameters;
    const bool well_formed = parse_query(view_of(wsd_request_query(request)), &parameters);
    if (!well_formed) parameters.clear();
    Claims claims;
    if (rules.tokens) {
        if (auto refusal = read_token(tokens_of(request, parameters), *rules.tokens, now_s, &claims)) return refusal;
        if (claims.exp_s) entry->expires_s = *claims.exp_s + rules.tokens->leeway_s;
    }
    if (!well_formed) return Refusal{400, "invalid_parameter", "the query is malformed, or names a parameter twice"};
    const Identity identity = identity_of(parameters, claims);
    if (auto refusal = judge_identity(identity)) return refusal;
    if (auto refusal = read_resuming(parameters, entry)) return refusal;
    if (auto refusal = judge_contradictions(identity, rules.tokens != nullptr)) return refusal;
    entry->session_id = identity.session.value();
    entry->user_id = identity.user.value();
    entry->role = *parse_role(identity.role.value());
    entry->project_id = identity.project.value();
    entry->offers_v1 = wsd_request_offers(request, kSubprotocol) != 0;
    return std::nullopt;
}

// --------------------------------------------------------------------------------------------------------- answering

std::string error_body(std::string_view code, std::string_view message) {
    JsonWriter writer;
    writer.begin_object().key("error").begin_object();
    writer.key("code").string(code).key("message").string(message);
    return writer.end_object().end_object().take();
}

namespace {

int respond(wsd_server* server, wsd_conn conn, const Refusal& refusal) {
    const std::string body = error_body(refusal.code, refusal.message);
    const std::string seconds = std::to_string(refusal.retry_after_s);
    wsd_header headers[4] = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
    size_t count = 2;
    if (refusal.retry_after_s) headers[count++] = {"Retry-After", seconds.c_str()};
    if (refusal.status == 401) headers[count++] = {"WWW-Authenticate", "Bearer"};  // RFC 9110 §15.5.2
    return wsd_respond(server, conn, refusal.status, headers, count, body.data(), body.size());
}

int take_and_close(wsd_server* server, wsd_conn conn, const Refusal& refusal) {
    const int accepted = wsd_accept(server, conn, nullptr, nullptr, 0);
    if (accepted != WSD_OK) return accepted;
    const std::string reason = (std::string(refusal.code) + ": " + refusal.message).substr(0, kReasonMaxBytes);
    return wsd_close(server, conn, uint16_t(kCloseRefused + refusal.status), reason.data(), reason.size());
}

}  // namespace

void refuse(wsd_server* server, wsd_conn conn, const Refusal& refusal, bool accept_then_close, bool upgrade) {
    const bool taken = accept_then_close && upgrade;
    const int result = taken ? take_and_close(server, conn, refusal) : respond(server, conn, refusal);
    if (result != WSD_OK) (void)wsd_abort(server, conn);  // there is no memory for an answer
}

}  // namespace app::hub
