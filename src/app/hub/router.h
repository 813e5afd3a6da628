// From a message's bytes to its handler: parsed and judged, then dispatched by its type through middleware, each of
// which may stop it. Whatever goes wrong goes back to the sender as an `error`, and the connection stays open.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/hub/hub.h"

namespace app::hub {

// One message on its way.
struct Request {
    Hub& hub;
    Connection& connection;
    std::string_view text;  // as it came
    bool binary = false;    // the frame's type
    Incoming message = {};  // once it is parsed
};

// What came of it: nothing, or why it was refused.
using Result = std::optional<Failure>;
using Handler = std::function<Result(Request&)>;
using Middleware = std::function<Result(Request&, const Handler& next)>;

class Router {
  public:
    void use(Middleware middleware);  // outermost first
    void handle(std::string_view type, Handler handler);

    // Runs a request through all of it. An unknown type comes to the end of the middleware, too.
    Result run(Request& request) const;

  private:
    Result run_from(size_t index, Request& request) const;
    Result route(Request& request) const;

    std::vector<Middleware> middleware_;
    std::map<std::string, Handler, std::less<>> handlers_;  // by type
};

// The hub's own: log, recover, validate, limit, take once, then a handler for each type of the contract.
const Router& hub_router();

// A message of a connection: routed, and answered where it fails. Twenty malformed ones in a row close it (1008). One
// that comes after its connection was closed is dropped.
void take_message(Hub& hub, Connection& connection, std::string_view text, bool binary = false);

}  // namespace app::hub
