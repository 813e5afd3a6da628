#include "app/hub/envelope.h"

#include <algorithm>
#include <cmath>

#include "app/json_writer.h"
#include "app/utf8.h"
#include "app/wall_clock.h"

namespace app::hub {
namespace {

constexpr size_t kIdentifierMaxChars = 64;

bool fail(Failure* failure, ErrorCode code, std::string message) {
    *failure = {code, std::move(message), 0};
    return false;
}

bool invalid(Failure* failure, std::string_view name, std::string_view what) {
    return fail(failure, ErrorCode::kInvalidMessage, std::string(name).append(" ").append(what));
}

// A member of the envelope that is a text, where it is there; else `*text` stays as it is.
bool read_text(const Json& body, std::string_view name, std::string_view* text, Failure* failure) {
    const Json* const member = body.find(name);
    if (!member) return true;
    if (!member->is(JsonType::kString)) return invalid(failure, name, "is not a string");
    *text = member->string();
    return true;
}

// Before all others, so that their errors can name the message.
bool read_id(Incoming* incoming, Failure* failure) {
    std::string_view id;
    if (!read_text(incoming->body, "id", &id, failure)) return false;
    if (utf8_count(id) > kIdMaxChars) return invalid(failure, "id", "is longer than 64 characters");
    incoming->id = id;
    return true;
}

bool read_type(Incoming* incoming, Failure* failure) {
    if (!incoming->body.find("type")) return invalid(failure, "type", "is missing");
    if (!read_text(incoming->body, "type", &incoming->type, failure)) return false;
    return !incoming->type.empty() || invalid(failure, "type", "is empty");
}

bool read_receivers(Incoming* incoming, Failure* failure) {
    const Json* const to = incoming->body.find("to");
    const Json* const to_role = incoming->body.find("to_role");
    if (to && to_role) return invalid(failure, "to and to_role", "exclude each other");
    if (!read_text(incoming->body, "to", &incoming->to, failure)) return false;
    if (to && !is_identifier(incoming->to)) return invalid(failure, "to", "is not a user's identifier");
    std::string_view role;
    if (!read_text(incoming->body, "to_role", &role, failure)) return false;
    incoming->to_role = parse_role(role);
    if (to_role && !incoming->to_role) return invalid(failure, "to_role", "is neither instructor nor student");
    return true;
}

// Which an `ack` confirms; in other messages it is the server's to say, and ignored.
bool read_seq(Incoming* incoming, Failure* failure) {
    if (incoming->type != "ack") return true;
    const Json* const seq = incoming->body.find("seq");
    if (!seq) return invalid(failure, "seq", "is missing");
    const int64_t n = seq->integer().value_or(0);
    if (n <= 0) return invalid(failure, "seq", "is not a whole number from 1 on");
    incoming->seq = uint64_t(n);
    return true;
}

bool read_rest(Incoming* incoming, Failure* failure) {
    const Json* const ack = incoming->body.find("ack");
    if (ack && !ack->is(JsonType::kBool)) return invalid(failure, "ack", "is neither true nor false");
    incoming->ack = ack && ack->boolean();
    incoming->data = incoming->body.find("data");
    if (incoming->data && !incoming->data->is(JsonType::kObject)) return invalid(failure, "data", "is not an object");
    return true;
}

}  // namespace

const char* role_name(Role role) { return role == Role::kInstructor ? "instructor" : "student"; }

std::optional<Role> parse_role(std::string_view text) {
    for (const Role role : {Role::kInstructor, Role::kStudent}) {
        if (text == role_name(role)) return role;
    }
    return {};
}

bool is_identifier(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    };
    return !text.empty() && text.size() <= kIdentifierMaxChars && std::all_of(text.begin(), text.end(), good);
}

const char* error_name(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidJson: return "invalid_json";
        case ErrorCode::kInvalidMessage: return "invalid_message";
        case ErrorCode::kUnknownType: return "unknown_type";
        case ErrorCode::kForbidden: return "forbidden";
        case ErrorCode::kNotFound: return "not_found";
        case ErrorCode::kRateLimited: return "rate_limited";
        case ErrorCode::kTooLarge: return "too_large";
        case ErrorCode::kInternal: return "internal";
    }
    return "internal";
}

bool parse_incoming(std::string_view text, Incoming* incoming, Failure* failure) {
    *incoming = Incoming();
    if (text.size() > kEnvelopeMaxBytes) {
        return fail(failure, ErrorCode::kTooLarge,
                    "the message is longer than " + std::to_string(kEnvelopeMaxBytes) + " bytes");
    }
    JsonError error;
    if (!parse_json(text, {kEnvelopeMaxBytes, kEnvelopeMaxDepth}, &incoming->body, &error)) {
        return fail(failure, ErrorCode::kInvalidJson,
                    std::string(error.why) + " at byte " + std::to_string(error.offset));
    }
    if (!incoming->body.is(JsonType::kObject)) return invalid(failure, "the message", "is not an object");
    return read_id(incoming, failure) && read_type(incoming, failure) && read_receivers(incoming, failure) &&
           read_seq(incoming, failure) && read_rest(incoming, failure);
}

std::string write_envelope(const Outgoing& outgoing) {
    JsonWriter writer;
    const auto text = [&writer](std::string_view name, std::string_view value) {
        if (!value.empty()) writer.key(name).string(value);
    };
    writer.begin_object().key("type").string(outgoing.type);
    if (outgoing.seq) writer.key("seq").number(outgoing.seq);
    text("id", outgoing.id);
    text("session_id", outgoing.session_id);
    text("from", outgoing.from);
    if (outgoing.role) text("role", role_name(*outgoing.role));
    text("to", outgoing.to);
    if (outgoing.to_role) text("to_role", role_name(*outgoing.to_role));
    if (outgoing.ack) writer.key("ack").boolean(true);
    if (outgoing.time_ms) text("ts", format_time(outgoing.time_ms));
    writer.key("data").raw(outgoing.data.empty() ? "{}" : outgoing.data);
    return writer.end_object().take();
}

std::string with_retry(std::string_view envelope, unsigned retry) {
    std::string text(envelope.substr(0, envelope.size() - 1));  // up to its brace
    return text.append(",\"retry\":").append(std::to_string(retry)) += '}';
}

std::string write_error(std::string_view id, const Failure& failure) {
    JsonWriter data;
    data.begin_object().key("code").string(error_name(failure.code)).key("message").string(failure.message);
    // In whole milliseconds, up: who waits that long is not a moment too early.
    if (failure.retry_after_s > 0) data.key("retry_after").decimal(std::ceil(failure.retry_after_s * 1000) / 1000);
    const std::string text = data.end_object().take();
    Outgoing outgoing;
    outgoing.type = "error";
    outgoing.id = id;
    outgoing.data = text;
    return write_envelope(outgoing);
}

}  // namespace app::hub
