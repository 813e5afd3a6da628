#include "app/hub/middleware.h"

#include <exception>
#include <utility>

#include "app/hub/registry.h"
#include "app/hub/room.h"

namespace app::hub {
namespace {

constexpr size_t kLoggedTypeMax = 64;  // bytes of what a client chose

// What is kept for good: limited in rate, and taken once.
bool is_stored(std::string_view type) {
    return type == "message" || type == "vote_submitted" || type == "comparison_update" || type == "system_notice";
}

bool is_malformed(const Result& result) {
    if (!result) return false;
    return result->code == ErrorCode::kInvalidJson || result->code == ErrorCode::kInvalidMessage ||
           result->code == ErrorCode::kTooLarge;
}

void write_log(const Request& request, LogLevel level, std::string_view event, const char* key, const char* value) {
    Log* const log = request.hub.log;
    if (!log || !log->wants(level)) return;
    log->write(level, event,
               {{"type", std::string(request.message.type.substr(0, kLoggedTypeMax))},
                {"user", request.connection.person->user_id},
                {"session", request.connection.session->id},
                {key, value}});
}

}  // namespace

Result log_message(Request& request, const Handler& next) {
    Result result = next(request);
    write_log(request, LogLevel::kDebug, "hub_message", "result", result ? error_name(result->code) : "ok");
    return result;
}

Result recover(Request& request, const Handler& next) {
    try {
        return next(request);
    } catch (const std::exception& e) {
        write_log(request, LogLevel::kError, "hub_handler_failed", "error", e.what());
    } catch (...) {
        write_log(request, LogLevel::kError, "hub_handler_failed", "error", "unknown exception");
    }
    return Failure{ErrorCode::kInternal, "the message could not be handled"};
}

Result validate(Request& request, const Handler& next) {
    Failure failure;
    Result result;
    if (request.binary)
        result = Failure{ErrorCode::kInvalidMessage, "the message is binary"};
    else if (!parse_incoming(request.text, &request.message, &failure))
        result = std::move(failure);
    else
        result = next(request);
    uint32_t& in_row = request.connection.malformed_in_row;
    in_row = is_malformed(result) ? in_row + 1 : 0;
    return result;
}

Result limit(Request& request, const Handler& next) {
    if (!is_stored(request.message.type)) return next(request);
    const double wait_s = take_token(request.hub, request.connection.person->user_id, wsd_now_ms(request.hub.server));
    if (wait_s > 0) return Failure{ErrorCode::kRateLimited, "too many messages", wait_s};
    return next(request);
}

Result take_once(Request& request, const Handler& next) {
    const Incoming& message = request.message;
    if (is_stored(message.type) && taken_before(request.hub, request.connection, message.id)) return {};
    return next(request);
}

}  // namespace app::hub
