#include "app/hub/router.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "app/hub/handlers.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"

namespace app::hub {

// ------------------------------------------------------------------------------------------------------------- Router

void Router::use(Middleware middleware) { middleware_.push_back(std::move(middleware)); }

void Router::handle(std::string_view type, Handler handler) {
    handlers_.insert_or_assign(std::string(type), std::move(handler));
}

Result Router::run(Request& request) const { return run_from(0, request); }

Result Router::run_from(size_t index, Request& request) const {
    if (index == middleware_.size()) return route(request);
    return middleware_[index](request, [this, index](Request& passed) { return run_from(index + 1, passed); });
}

Result Router::route(Request& request) const {
    const auto found = handlers_.find(request.message.type);
    if (found == handlers_.end()) return Failure{ErrorCode::kUnknownType, "no such type of message"};
    return found->second(request);
}

namespace {

constexpr uint32_t kMalformedMax = 20;  // in a row
constexpr uint16_t kPolicyViolation = 1008;
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

// --------------------------------------------------------------------------------------------------------- middleware

Result log_message(Request& request, const Handler& next) {
    Result result = next(request);
    write_log(request, LogLevel::kDebug, "hub_message", "result", result ? error_name(result->code) : "ok");
    return result;
}

// One message that brings a handler down is one error, and no end of the process.
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

// Malformed is also what a handler finds so, as a vote that is none.
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

// Before any rule: what was allowed then has been done, and its `ack` is due whatever has changed since.
Result take_once(Request& request, const Handler& next) {
    const Incoming& message = request.message;
    if (is_stored(message.type) && taken_before(request.hub, request.connection, message.id)) return {};
    return next(request);
}

Router make_router() {
    Router router;
    router.use(log_message);
    router.use(recover);
    router.use(validate);
    router.use(limit);
    router.use(take_once);
    add_handlers(&router);
    return router;
}

}  // namespace

const Router& hub_router() {
    static const Router router = make_router();
    return router;
}

void take_message(Hub& hub, Connection& connection, std::string_view text, bool binary) {
    if (connection.closing) return;
    Request request{hub, connection, text, binary};
    const Result result = hub_router().run(request);
    if (!result || connection.closing) return;
    answer(hub, connection, write_error(request.message.id, *result));
    if (connection.malformed_in_row >= kMalformedMax) {
        disconnect(hub, connection, kPolicyViolation, "too many malformed messages", LeaveReason::kError);
    }
}

}  // namespace app::hub
