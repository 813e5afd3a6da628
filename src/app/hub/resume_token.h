// What a client shows to take up again where it was. A text that only this server can make, and that tells nothing
// which its owner does not know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace app::hub {

// Names a stretch of one user's presence in one session.
struct ResumeClaim {
    std::string session_id;
    std::string user_id;
    std::string connection_id;
    int64_t expires_s = 0;  // since 1970; from then on it is not taken
};

std::string make_resume_token(const ResumeClaim& claim, std::string_view secret);

// None for a token that was not made with this secret, or has expired.
std::optional<ResumeClaim> read_resume_token(std::string_view token, std::string_view secret, int64_t now_s);

}  // namespace app::hub
