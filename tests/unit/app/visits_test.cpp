#include "app/visits.h"

#include <doctest/doctest.h>

TEST_CASE("a subprotocol that carries a token is shown without it, whatever its case") {
    CHECK(app::shown_subprotocol("bearer.eyJhbGciOi") == "bearer.*");
    CHECK(app::shown_subprotocol("Bearer.x") == "bearer.*");
    CHECK(app::shown_subprotocol("bearer.") == "bearer.*");
    CHECK(app::shown_subprotocol("bearer") == "bearer");
    CHECK(app::shown_subprotocol("chat.v1") == "chat.v1");
}

TEST_CASE("a path is shown up to a length") {
    CHECK(app::shown_path("/a") == "/a");
    CHECK(app::shown_path(std::string(1024, 'x')) == std::string(1024, 'x'));
    CHECK(app::shown_path(std::string(1025, 'x')) == std::string(1024, 'x') + "...");
}
