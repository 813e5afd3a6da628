// Who asks to enter the hub, and the refusal where the request itself does not hold: the part of entering that needs no
// session. What the sessions say to it is decided after this, by admit().
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/hub/envelope.h"
#include "app/hub/jwt.h"
#include "app/hub/query.h"
#include "app/hub/resume_token.h"
#include "wsd.h"

namespace app::hub {

constexpr const char* kSubprotocol = "wsd.v1";

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

// Reads and judges an upgrade of /hub: first the token, then the parameters, for which its claims stand in, and then
// whether they agree. The token may come as Authorization: Bearer, as the parameter `token`, or as the subprotocol
// bearer.TOKEN; two that differ are refused.
[[nodiscard]] std::optional<Refusal> read_entry(const wsd_request* request, const EntryRules& rules, int64_t now_s,
                                                Entry* entry);

// {"error":{"code","message"}}. The codes are part of the interface, the messages are for people.
std::string error_body(std::string_view code, std::string_view message);

// Answers a request with a refusal. With `accept_then_close` an upgrade is taken and closed with 4000 + status, as
// browsers do not show pages why they were refused; its on_open never comes.
void refuse(wsd_server* server, wsd_conn conn, const Refusal& refusal, bool accept_then_close, bool upgrade);

}  // namespace app::hub
