// Who asks to enter the hub, and the refusal where the request itself does not hold: the part of entering that needs no
// session. What the sessions say to it is decided after this, by admit().
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/hub/envelope.h"
#include "app/hub/jwt.h"
#include "wsd.h"

namespace app::hub {

// An answer to somebody who is not let in: {"error":{"code","message"}} with this status.
struct Refusal {
    int status = 400;
    const char* code = "";  // static; the contract's
    std::string message;
    uint32_t retry_after_s = 0;  // 0: no Retry-After
};

struct Entry {
    std::string session_id;
    std::string user_id;
    Role role = Role::kStudent;
    std::string project_id;         // empty: none told
    int64_t expires_s = 0;          // of the token, leeway included, since 1970; 0: never
    std::string resume_token;       // empty: none
    std::optional<uint64_t> since;  // what the client has seen last
    bool offers_v1 = false;         // subprotocol wsd.v1
};

// What is asked of everyone: rules null where there is no secret and the query is believed.
struct EntryRules {
    const TokenRules* tokens = nullptr;
};

// Reads and judges an upgrade of /hub: parameters, token and what they claim. The token may come as Authorization:
// Bearer, as the parameter `token`, or as the subprotocol bearer.TOKEN; two that differ are refused.
[[nodiscard]] std::optional<Refusal> read_entry(const wsd_request* request, const EntryRules& rules, int64_t now_s,
                                                Entry* entry);

// Answers a request with a refusal. With `accept_then_close` an upgrade is taken and closed with 4000 + status, as
// browsers do not show pages why they were refused.
void refuse(wsd_server* server, wsd_conn conn, const Refusal& refusal, bool accept_then_close, bool upgrade);

// The names and values of a query, decoded (percent and plus); false where it is malformed, or a name stands twice.
[[nodiscard]] bool parse_query(std::string_view query, std::vector<std::pair<std::string, std::string>>* parameters);

// Names a stretch of one user's presence in one session, so that it can be taken up again: a text that only this server
// can make, good until it expires.
struct ResumeClaim {
    std::string session_id;
    std::string user_id;
    std::string connection_id;
    int64_t expires_s = 0;
};
std::string make_resume_token(const ResumeClaim& claim, std::string_view secret);
std::optional<ResumeClaim> read_resume_token(std::string_view token, std::string_view secret, int64_t now_s);

}  // namespace app::hub
