#include "app/hub/delivery.h"

#include "support/hub_world.h"

using app::hub::Draft;
using app::hub::Role;
using test::Client;
using test::HubWorld;

namespace {

// Ada says something that asks to be acknowledged.
struct Asked {
    HubWorld world;
    wsd_conn ada_conn = 0;
    Client* ada = nullptr;
    Client* bob = nullptr;

    Asked() {
        world.start();
        ada = &world.enter("ada", Role::kStudent, &ada_conn);
        bob = &world.enter("bob");
        (void)world.heard(*ada);
        (void)world.heard(*bob);
    }
    void ask(const std::string& to = "", std::optional<Role> to_role = {}) {
        Draft draft;
        draft.id = "c-1";
        draft.ack = true;
        draft.to = to;
        draft.to_role = to_role;
        world.say("ada", ada_conn, draft);
    }
    void take(const char* user_id, uint64_t seq = 1) { app::hub::take_ack(world.hub, world.session(), user_id, seq); }
};

}  // namespace

TEST_CASE("once its receiver has acknowledged, the sender is told, and nothing is sent again") {
    Asked asked;
    asked.ask("bob");
    CHECK(asked.world.heard(*asked.bob) == "message:1");
    CHECK(asked.world.heard(*asked.ada) == "ack:1");
    asked.take("eve");     // is not waited for
    asked.take("bob", 2);  // nothing like that
    CHECK(asked.world.heard(*asked.ada) == "");
    asked.take("bob");
    asked.take("bob");
    CHECK(asked.world.heard(*asked.ada) == "delivered:1");
    CHECK(asked.world.last_text.find(R"("id":"c-1")") != std::string::npos);
    asked.world.server.pass(150000);
    CHECK(asked.world.heard(*asked.bob) == "");
    CHECK(asked.world.heard(*asked.ada) == "");
}

TEST_CASE("it is sent again after 30, 60 and 90 s, and has failed after another 30") {
    Asked asked;
    asked.ask("bob");
    CHECK(asked.world.heard(*asked.bob) == "message:1");
    CHECK(asked.world.heard(*asked.ada) == "ack:1");
    for (const char* const expected : {"message:1 retry 1", "message:1 retry 2", "message:1 retry 3"}) {
        asked.world.server.pass(29999);
        CHECK(asked.world.heard(*asked.bob) == "");
        asked.world.server.pass(1);
        CHECK(asked.world.heard(*asked.bob) == expected);
        CHECK(asked.world.heard(*asked.ada) == "");
    }
    asked.world.server.pass(30000);
    CHECK(asked.world.heard(*asked.bob) == "");
    CHECK(asked.world.heard(*asked.ada) == R"(delivery_failed:1:["bob"])");
    CHECK(asked.world.session().deliveries.empty());
    asked.take("bob");
    CHECK(asked.world.heard(*asked.ada) == "");
}

TEST_CASE("of everyone or a role, those who were online and addressed are waited for") {
    Asked asked;
    asked.world.hub.options.retry_interval_ms = 1000;
    Client& dr = asked.world.enter("dr", Role::kInstructor);
    (void)asked.world.heard(dr);
    SUBCASE("everyone") {
        asked.ask();
        asked.world.server.settle();
        asked.take("bob");
        (void)asked.world.heard(*asked.ada);
        asked.world.server.pass(4000);
        CHECK(asked.world.heard(*asked.ada) == R"(delivery_failed:1:["dr"])");
        CHECK(asked.world.heard(dr) == "message:1 message:1 retry 1 message:1 retry 2 message:1 retry 3");
    }
    SUBCASE("a role") {
        asked.ask("", Role::kStudent);
        (void)asked.world.heard(*asked.ada);
        CHECK(asked.world.heard(dr) == "message:1");  // sees everything, and is not asked
        asked.take("bob");
        CHECK(asked.world.heard(*asked.ada) == "delivered:1");
    }
}

TEST_CASE("where nobody is to acknowledge, it is delivered at once") {
    Asked asked;
    (void)asked.world.heard(*asked.ada);
    asked.ask("", Role::kInstructor);
    CHECK(asked.world.heard(*asked.ada) == "ack:1 delivered:1");
    asked.ask("ada");  // itself
    CHECK(asked.world.heard(*asked.ada) == "ack:2 delivered:2");
}

TEST_CASE("a receiver who is offline at a retry comes back, gets it by replay, and may still acknowledge") {
    Asked asked;
    asked.ask("eve");
    CHECK(asked.world.heard(*asked.ada) == "ack:1");
    asked.world.server.pass(60000);
    Client& eve = asked.world.enter("eve");
    CHECK(asked.world.heard(eve) == "welcome message:1 history_complete:1 presence:ada+,bob+,eve+");
    (void)asked.world.heard(*asked.ada);
    asked.world.server.pass(30000);
    CHECK(asked.world.heard(eve) == "message:1 retry 3");
    asked.take("eve");
    CHECK(asked.world.heard(*asked.ada) == "delivered:1");
}

TEST_CASE("a sender who has left hears nothing, and one who is back does") {
    Asked asked;
    asked.ask("bob");
    asked.world.server.settle();
    asked.ada->close();
    asked.world.server.settle();
    SUBCASE("left") { asked.take("bob"); }
    SUBCASE("back") {
        Client& back = asked.world.enter("ada");
        (void)asked.world.heard(back);
        asked.take("bob");
        CHECK(asked.world.heard(back) == "delivered:1");
    }
    CHECK(asked.world.session().deliveries.empty());
}

TEST_CASE("no timer is left of a session that has ended") {
    Asked asked;
    asked.ask("bob");
    asked.world.server.settle();
    app::hub::end_session(asked.world.hub, asked.world.session());
    CHECK(asked.world.heard(*asked.ada) == "ack:1 session_ended close:4002 session ended");
    asked.ada->close();
    asked.bob->close();
    CHECK(asked.world.server.until([&] { return asked.world.hub.ended_sessions.empty(); }));
    asked.world.server.pass(150000);
}
