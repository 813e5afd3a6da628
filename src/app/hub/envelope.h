// The one form that messages of the hub have, both ways: reading and judging what a client sent, and writing what the
// server sends. It knows the shape of a message, not what a type means or who may send it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/json.h"

namespace app::hub {

constexpr size_t kEnvelopeMaxBytes = 65536;
constexpr unsigned kEnvelopeMaxDepth = 32;
constexpr size_t kIdMaxChars = 64;  // of a message's id, in characters of Unicode

enum class Role : uint8_t { kInstructor, kStudent };

constexpr std::string_view kSystemUser = "system";  // as which the server itself speaks; no user's name

const char* role_name(Role role);
std::optional<Role> parse_role(std::string_view text);

// Is this a name as users, sessions and projects have: 1-64 characters of A-Z a-z 0-9 _ - . ?
bool is_identifier(std::string_view text);

// What goes back as an `error` message; the names are the contract's.
enum class ErrorCode : uint8_t {
    kInvalidJson,
    kInvalidMessage,
    kUnknownType,
    kForbidden,
    kNotFound,
    kRateLimited,
    kTooLarge,
    kInternal
};

const char* error_name(ErrorCode code);

struct Failure {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;
    double retry_after_s = 0;  // with kRateLimited
};

// A message of a client. Views borrow from the text that was parsed.
struct Incoming {
    Json body;              // the whole object
    std::string_view type;  // not empty
    std::string_view id;    // empty: none
    std::string_view to;    // a user; empty: none
    std::optional<Role> to_role;
    bool ack = false;            // receivers are asked to acknowledge
    uint64_t seq = 0;            // of an `ack`; else 0
    const Json* data = nullptr;  // an object, or null where there is none; points into `body`
};

// Reads and judges the fields of every type. False sets `*failure`, and leaves in `incoming->id` the id if there is a
// good one, so that the error can name its message.
[[nodiscard]] bool parse_incoming(std::string_view text, Incoming* incoming, Failure* failure);

// A message of the server; what is empty, 0 or false is left out, and `data` is `{}` where it is empty.
struct Outgoing {
    std::string_view type;
    uint64_t seq = 0;
    std::string_view id;
    std::string_view session_id;
    std::string_view from;
    std::optional<Role> role;
    std::string_view to;
    std::optional<Role> to_role;
    bool ack = false;
    int64_t time_ms = 0;    // since 1970, UTC
    std::string_view data;  // an object as JSON text
};

std::string write_envelope(const Outgoing& outgoing);

// The same message once more, marked as the `retry`th attempt; `envelope` is as write_envelope() wrote it.
std::string with_retry(std::string_view envelope, unsigned retry);

std::string write_error(std::string_view id, const Failure& failure);

}  // namespace app::hub
