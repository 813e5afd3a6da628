#include "app/hub/resume_token.h"

#include "app/hub/base64url.h"
#include "app/hub/sha256.h"
#include "app/number.h"

namespace app::hub {
namespace {

// Stands before what is signed, so that no text that was signed for another purpose is one of these.
constexpr std::string_view kPurpose = "wsd resume 1\n";

std::string sign(std::string_view text, std::string_view secret) {
    const Sha256Digest digest = hmac_sha256(secret, std::string(kPurpose).append(text));
    return std::string(digest_text(digest));
}

// The next line of `text`, which is taken off.
std::string take_line(std::string_view* text) {
    const size_t end = text->find('\n');
    std::string line(text->substr(0, end));
    text->remove_prefix(end == text->npos ? text->size() : end + 1);
    return line;
}

}  // namespace

std::string make_resume_token(const ResumeClaim& claim, std::string_view secret) {
    // Identifiers have no line ends in them.
    const std::string text =
        std::to_string(claim.expires_s) + "\n" + claim.session_id + "\n" + claim.user_id + "\n" + claim.connection_id;
    return base64url_encode(text) + "." + base64url_encode(sign(text, secret));
}

std::optional<ResumeClaim> read_resume_token(std::string_view token, std::string_view secret, int64_t now_s) {
    const size_t dot = token.find('.');
    if (dot == token.npos) return std::nullopt;
    const auto text = base64url_decode(token.substr(0, dot));
    const auto signature = base64url_decode(token.substr(dot + 1));
    if (!text || !signature || !equal_in_constant_time(sign(*text, secret), *signature)) return std::nullopt;
    ResumeClaim claim;
    std::string_view rest = *text;
    if (!parse_number(take_line(&rest), &claim.expires_s) || now_s >= claim.expires_s) return std::nullopt;
    claim.session_id = take_line(&rest);
    claim.user_id = take_line(&rest);
    claim.connection_id = rest;
    return claim;
}

}  // namespace app::hub
