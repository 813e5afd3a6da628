#include "app/hub/history.h"

#include <doctest/doctest.h>

using namespace app::hub;

TEST_CASE("who may see a message follows from its route") {
    const Route everyone{"ada", "", {}};
    const Route to_bob{"ada", "bob", {}};
    const Route to_students{"ada", "", Role::kStudent};
    const Route to_instructors{"bob", "", Role::kInstructor};
    for (const Route& route : {everyone, to_bob, to_students, to_instructors}) {
        CHECK(may_see(route, Role::kInstructor, "eve"));
        CHECK(may_see(route, Role::kStudent, route.from));
        CHECK(may_see(route, Role::kStudent, "bob"));
    }
    CHECK(may_see(everyone, Role::kStudent, "cid"));
    CHECK(may_see(to_students, Role::kStudent, "cid"));
    CHECK_FALSE(may_see(to_bob, Role::kStudent, "cid"));
    CHECK_FALSE(may_see(to_instructors, Role::kStudent, "cid"));
}
