#include "app/hub/router.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "app/hub/middleware.h"

using namespace app::hub;

namespace {

// A router that notes the way of a request, which nobody has sent.
struct RoutedWorld {
    Hub hub;
    Session session;
    Person person;
    Connection connection;
    Router router;
    std::string way;

    RoutedWorld() {
        connection.session = &session;
        connection.person = &person;
    }

    Middleware passes(const std::string& name) {
        return [this, name](Request& request, const Handler& next) {
            way += name + "(";
            Result result = next(request);
            way += ")";
            return result;
        };
    }

    Handler ends(const std::string& name) {
        return [this, name](Request&) {
            way += name;
            return Result();
        };
    }

    Result run(std::string_view text, bool binary = false) {
        Request request{hub, connection, text, binary};
        return router.run(request);
    }
};

}  // namespace

TEST_CASE("middleware runs outermost first, around the handler of the type") {
    RoutedWorld world;
    world.router.use(world.passes("a"));
    world.router.use(validate);
    world.router.use(world.passes("b"));
    world.router.handle("x", world.ends("x"));
    world.router.handle("y", world.ends("y"));
    CHECK_FALSE(world.run(R"({"type":"y"})"));
    CHECK(world.way == "a(b(y))");
}

TEST_CASE("a type that nobody handles comes to the end of the middleware") {
    RoutedWorld world;
    world.router.use(validate);
    world.router.use(world.passes("a"));
    const Result result = world.run(R"({"type":"x"})");
    REQUIRE(result);
    CHECK(result->code == ErrorCode::kUnknownType);
    CHECK(world.way == "a()");
}

TEST_CASE("middleware may stop a request") {
    RoutedWorld world;
    world.router.use(world.passes("a"));
    world.router.use([](Request&, const Handler&) { return Failure{ErrorCode::kForbidden, "no", 0}; });
    world.router.use(world.passes("b"));
    const Result result = world.run("{}");
    REQUIRE(result);
    CHECK(result->code == ErrorCode::kForbidden);
    CHECK(world.way == "a()");
}

TEST_CASE("an exception becomes an internal error, whatever it is") {
    RoutedWorld world;
    world.router.use(recover);
    world.router.use(validate);
    world.router.handle("what", [](Request&) -> Result { throw std::runtime_error("broken"); });
    world.router.handle("odd", [](Request&) -> Result { throw 7; });
    for (const char* text : {R"({"type":"what"})", R"({"type":"odd"})"}) {
        CAPTURE(text);
        const Result result = world.run(text);
        REQUIRE(result);
        CHECK(result->code == ErrorCode::kInternal);
        CHECK(result->message.find("broken") == std::string::npos);
    }
}

TEST_CASE("malformed messages are counted until a good one comes") {
    RoutedWorld world;
    world.router.use(validate);
    world.router.handle("x", world.ends("x"));
    world.router.handle("no", [](Request&) { return Failure{ErrorCode::kForbidden, "no", 0}; });
    world.router.handle("odd", [](Request&) { return Failure{ErrorCode::kInvalidMessage, "odd", 0}; });
    (void)world.run("{");
    (void)world.run("{}");
    (void)world.run(R"({"type":"odd"})");
    (void)world.run(R"({"type":"x"})", true);
    (void)world.run(std::string(kEnvelopeMaxBytes + 1, ' '));
    CHECK(world.connection.malformed_in_row == 5);
    (void)world.run(R"({"type":"no"})");  // refused, but in good order
    CHECK(world.connection.malformed_in_row == 0);
    (void)world.run("{");
    (void)world.run(R"({"type":"x"})");
    CHECK(world.connection.malformed_in_row == 0);
}
