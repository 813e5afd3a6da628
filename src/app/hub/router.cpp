#include "app/hub/router.h"

#include <utility>

#include "app/hub/close_codes.h"
#include "app/hub/handlers.h"
#include "app/hub/middleware.h"
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
        disconnect(hub, connection, kClosePolicy, "too many malformed messages", LeaveReason::kError);
    }
}

}  // namespace app::hub
