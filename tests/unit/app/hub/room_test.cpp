#include "app/hub/room.h"

#include "app/hub/outbox.h"
#include "support/hub_world.h"

using app::hub::Draft;
using app::hub::Role;
using test::Client;
using test::HubWorld;

namespace {

const char kHello[] = "welcome history_complete:0 presence:bob+";

}  // namespace

// ------------------------------------------------------------------------------------------------ order of entering

TEST_CASE("a newcomer gets welcome, history, its end, presence and then what is live") {
    HubWorld world;
    world.start();
    world.say("system");
    world.say("system");
    world.server.settle();
    Client& bob = world.enter("bob");
    world.say("system");
    CHECK(world.heard(bob) == "welcome message:1 message:2 history_complete:2 presence:bob+ message:3");
}

TEST_CASE("what is committed while somebody's history is read comes after it, and once") {
    HubWorld world;
    world.start();
    for (int i = 0; i < 4; i++) world.say("system");
    world.server.settle();
    world.history().recent_count = 0;
    world.history().answers_late = true;
    Client& bob = world.enter("bob");
    CHECK(world.heard(bob) == "welcome");
    world.history().answer();  // 1 and 2
    world.history().answers_late = false;
    world.say("system");
    CHECK(world.heard(bob) == "message:1 message:2");
    world.history().answer();  // 3 and 4; the rest is read at once
    CHECK(world.heard(bob) == "message:3 message:4 message:5 history_complete:5 presence:bob+");
}

TEST_CASE("history is replayed by role") {
    HubWorld world;
    world.start();
    Draft to_bob;
    to_bob.to = "bob";
    world.say("system");
    world.say("system", 0, to_bob);
    Draft to_instructors;
    to_instructors.to_role = Role::kInstructor;
    world.say("bob", 0, to_instructors);
    world.server.settle();
    CHECK(world.heard(world.enter("eve")) == "welcome message:1 history_complete:1 presence:eve+");
    CHECK(world.heard(world.enter("bob")) ==
          "welcome message:1 message:2 message:3 history_complete:3 presence:bob+,eve+");
    CHECK(world.heard(world.enter("dr", Role::kInstructor)) ==
          "welcome message:1 message:2 message:3 history_complete:3 presence:bob+,dr+,eve+");
}

TEST_CASE("damage in the history is told with its numbers, and the rest is replayed") {
    HubWorld world;
    world.start();
    for (int i = 0; i < 5; i++) world.say("system");
    world.server.settle();
    world.history().recent_count = 1;
    world.history().missing = {{2, 3}};
    CHECK(world.heard(world.enter("bob")) ==
          R"(welcome message:1 message:4 message:5 history_unavailable:3:[{"first":2,"last":3}] presence:bob+)");
}

TEST_CASE("a history that cannot be read gives what is in memory") {
    HubWorld world;
    world.start();
    for (int i = 0; i < 5; i++) world.say("system");
    world.server.settle();
    world.history().recent_count = 2;
    world.history().unreadable = true;
    CHECK(world.heard(world.enter("bob")) ==
          R"(welcome message:4 message:5 history_unavailable:2:[{"first":1,"last":3}] presence:bob+)");
    world.history().recent_count = 0;
    CHECK(world.heard(world.enter("eve")) ==
          R"(welcome history_unavailable:0:[{"first":1,"last":5}] presence:bob+,eve+)");
}

TEST_CASE("a history of which retention has left nothing is complete") {
    HubWorld world;
    world.start();
    world.say("system");
    world.server.settle();
    world.history().drop_before(2);
    Client& bob = world.enter("bob");
    CHECK(world.heard(bob) == kHello);
    world.say("system");
    CHECK(world.heard(bob) == "message:2");
}

// -------------------------------------------------------------------------------------------------------- publishing

TEST_CASE("a sender's connection gets the ack and no message, its user's other connections do") {
    HubWorld world;
    world.start();
    world.session().several_per_user = true;
    wsd_conn first = 0;
    Client& phone = world.enter("bob", Role::kStudent, &first);
    Client& laptop = world.enter("bob");
    CHECK(world.heard(phone) == kHello);
    CHECK(world.heard(laptop) == kHello);
    world.say("bob", first);
    CHECK(world.heard(phone) == "ack:1");
    CHECK(world.heard(laptop) == "message:1");
    CHECK(world.heard(world.enter("bob")) == "welcome message:1 history_complete:1 presence:bob+");
}

TEST_CASE("who is to get the message as well as the ack gets both") {
    HubWorld world;
    world.start();
    wsd_conn conn = 0;
    Client& bob = world.enter("bob", Role::kStudent, &conn);
    CHECK(world.heard(bob) == kHello);
    Draft draft;
    draft.echoed = true;
    world.say("bob", conn, draft);
    CHECK(world.heard(bob) == "message:1 ack:1");
}

TEST_CASE("an ack stands where its message would, so that the numbers that a connection hears rise") {
    HubWorld world;
    world.start();
    wsd_conn conn = 0;
    Client& ada = world.enter("ada", Role::kStudent, &conn);
    (void)world.heard(ada);
    world.say("ada", conn);
    world.say("system");
    CHECK(world.heard(ada) == "ack:1 message:2");
}

TEST_CASE("acks do not overtake a history that is still being read") {
    HubWorld world;
    world.start();
    Draft named;
    named.id = "c-1";
    for (int i = 0; i < 3; i++) world.say("system");
    world.say("ada", 0, named);
    app::hub::remember_id(world.hub, world.session(), "ada", "c-1", 4);
    world.server.settle();
    world.history().recent_count = 1;
    world.history().answers_late = true;
    wsd_conn conn = 0;
    Client& ada = world.enter("ada", Role::kStudent, &conn);
    CHECK(world.heard(ada) == "welcome");
    world.say("ada", conn);
    CHECK(app::hub::taken_before(world.hub, *app::hub::find_connection(world.hub, conn), "c-1"));
    world.server.settle();
    world.history().answer();  // 1 and 2
    world.history().answer();  // 5 is kept
    CHECK(world.heard(ada) == "message:1 message:2");
    world.history().answers_late = false;
    world.history().answer();  // 3 and 4
    CHECK(world.heard(ada) == "message:3 message:4 ack:4 ack:5 history_complete:4 presence:ada+");
}

TEST_CASE("an ack whose place in the history is lost comes all the same") {
    HubWorld world;
    world.start();
    Draft named;
    named.id = "c-1";
    named.answered = true;
    for (int i = 0; i < 3; i++) world.say("system");
    app::hub::remember_id(world.hub, world.session(), "ada", "c-1", 2);
    world.server.settle();
    world.history().recent_count = 1;
    world.history().answers_late = true;
    world.history().missing = {{2, 2}};
    wsd_conn conn = 0;
    Client& ada = world.enter("ada", Role::kStudent, &conn);
    CHECK(world.heard(ada) == "welcome");
    CHECK(app::hub::taken_before(world.hub, *app::hub::find_connection(world.hub, conn), "c-1"));
    world.history().answer();
    CHECK(world.heard(ada) ==
          R"(message:1 ack:2 message:3 history_unavailable:2:[{"first":2,"last":2}] presence:ada+)");
}

TEST_CASE("who has too much to be answered is not read from until it is kept, or not") {
    HubWorld world;
    world.start();
    wsd_conn conn = 0;
    Client& ada = world.enter("ada", Role::kStudent, &conn);
    (void)world.heard(ada);
    size_t messages = 0;
    world.server.on_message = [&](wsd_conn, wsd_opcode, std::string_view) { messages++; };
    world.history().answers_late = true;
    for (const bool refuses : {false, true}) {
        CAPTURE(refuses);
        messages = 0;
        world.history().refuses = refuses;
        for (size_t i = 0; i < app::hub::kUnansweredMax; i++) world.say("ada", conn);
        ada.send(test::text("{}"));
        world.server.settle();
        CHECK(messages == 0);
        world.history().answer();
        world.server.settle();
        CHECK(messages == 1);
    }
}

TEST_CASE("nothing is sent before it is kept, and what comes meanwhile goes to the history together") {
    HubWorld world;
    world.start();
    wsd_conn conn = 0;
    Client& ada = world.enter("ada", Role::kStudent, &conn);
    Client& bob = world.enter("bob");
    (void)world.heard(ada);
    (void)world.heard(bob);
    world.history().answers_late = true;
    world.say("ada", conn);
    CHECK(world.heard(bob) == "");
    world.say("ada", conn);
    world.say("ada", conn);
    CHECK(world.heard(ada) == "");
    CHECK(world.history().append_count == 1);
    world.history().answer();
    CHECK(world.heard(bob) == "message:1");
    CHECK(world.heard(ada) == "ack:1");
    CHECK(world.history().append_count == 2);
    world.history().answer();
    CHECK(world.heard(bob) == "message:2 message:3");
    CHECK(world.heard(ada) == "ack:2 ack:3");
}

TEST_CASE("what the history refuses has never been: errors, the same numbers and ids again, votes as before") {
    HubWorld world;
    world.start();
    wsd_conn conn = 0;
    Client& ada = world.enter("ada", Role::kStudent, &conn);
    Client& bob = world.enter("bob");
    (void)world.heard(ada);
    (void)world.heard(bob);
    world.history().answers_late = true;
    world.history().refuses = true;
    std::string told;
    Draft draft;
    draft.id = "c-1";
    draft.done = [&](uint64_t seq, bool ok) { told += std::to_string(seq) + (ok ? "+" : "-"); };
    const auto put = [&](const char* id) {
        app::hub::votes_will_change(world.session());
        (void)world.session().votes.put({id, {"a", "A"}, {"b", "B"}});
    };
    put("first");
    world.say("ada", conn, draft);
    world.server.settle();
    put("second");  // while the first is under way
    draft.id = "c-2";
    world.say("ada", conn, draft);
    world.server.settle();
    CHECK(world.session().votes.comparisons().size() == 2);
    world.history().answer();
    CHECK(world.heard(ada) == "error:internal error:internal");
    CHECK(told == "1-2-");
    CHECK(world.session().votes.comparisons().empty());
    app::hub::Connection& connection = *app::hub::find_connection(world.hub, conn);
    CHECK_FALSE(app::hub::taken_before(world.hub, connection, "c-1"));

    world.history().refuses = false;
    world.history().answers_late = false;
    world.say("ada", conn, draft);
    CHECK(world.heard(ada) == "ack:1");
    CHECK(world.heard(bob) == "message:1");
    CHECK(told == "1-2-1+");
}

TEST_CASE("of votes the last refused change alone is taken back where the one before was kept") {
    HubWorld world;
    world.start();
    world.history().answers_late = true;
    for (const char* const id : {"first", "second"}) {
        app::hub::votes_will_change(world.session());
        (void)world.session().votes.put({id, {"a", "A"}, {"b", "B"}});
        world.say("system");
        world.server.settle();
    }
    world.history().answer();
    world.server.settle();
    world.history().refuses = true;
    world.history().answer();
    REQUIRE(world.session().votes.comparisons().size() == 1);
    CHECK(world.session().votes.comparisons()[0].id == "first");
}

TEST_CASE("an id is taken once: its ack is repeated, at once or when it is kept") {
    HubWorld world;
    world.start();
    world.session().several_per_user = true;
    wsd_conn conn = 0;
    wsd_conn other = 0;
    Client& ada = world.enter("ada", Role::kStudent, &conn);
    Client& again = world.enter("ada", Role::kStudent, &other);
    (void)world.heard(ada);
    (void)world.heard(again);
    app::hub::Connection& here = *app::hub::find_connection(world.hub, conn);
    app::hub::Connection& there = *app::hub::find_connection(world.hub, other);
    CHECK_FALSE(app::hub::taken_before(world.hub, here, "c-1"));
    CHECK_FALSE(app::hub::taken_before(world.hub, here, ""));
    Draft draft;
    draft.id = "c-1";
    world.history().answers_late = true;
    world.say("ada", conn, draft);
    CHECK(app::hub::taken_before(world.hub, here, "c-1"));  // staged
    world.server.settle();
    CHECK(app::hub::taken_before(world.hub, there, "c-1"));  // under way
    world.history().answer();
    CHECK(world.heard(ada) == "ack:1 ack:1");
    CHECK(world.heard(again) == "message:1 ack:1");
    CHECK(app::hub::taken_before(world.hub, there, "c-1"));
    CHECK(world.heard(again) == "ack:1");
}

TEST_CASE("the oldest ids are forgotten first") {
    HubWorld world;
    world.start();
    world.hub.options.seen_id_max_count = 2;
    wsd_conn conn = 0;
    (void)world.enter("ada", Role::kStudent, &conn);
    for (const char* const id : {"1", "2", "3"}) {
        Draft draft;
        draft.id = id;
        world.say("ada", conn, draft);
    }
    world.server.settle();
    app::hub::Connection& ada = *app::hub::find_connection(world.hub, conn);
    CHECK_FALSE(app::hub::taken_before(world.hub, ada, "1"));
    CHECK(app::hub::taken_before(world.hub, ada, "2"));
    CHECK(app::hub::taken_before(world.hub, ada, "3"));
}

// ------------------------------------------------------------------------------------------------------ slow receivers

TEST_CASE("a slow receiver misses nothing stored, and learns anew who is there when it has room again") {
    HubWorld world;
    world.server.config.send_high_bytes = 20000;
    world.server.config.send_low_bytes = 4000;
    world.start_narrow();
    wsd_conn conn = 0;
    Client& bob = world.enter("bob", Role::kStudent, &conn);
    CHECK(world.heard(bob) == kHello);
    bob.reading = false;
    const std::string data = R"({"text":")" + std::string(2000, 'x') + R"("})";
    Draft draft;
    draft.data = data;
    const auto is_live = [&] { return app::hub::find_connection(world.hub, conn)->live; };
    uint64_t last = 0;
    while (is_live()) {
        REQUIRE(last < 10000);
        last = world.say("system", 0, draft);
        world.server.settle();
    }
    last = world.say("system", 0, draft);
    CHECK(world.heard(world.enter("eve")).find("presence:bob+,eve+") != std::string::npos);
    bob.reading = true;
    std::string expected;
    for (uint64_t seq = 1; seq <= last; seq++) expected += "message:" + std::to_string(seq) + ' ';
    CHECK(world.heard(bob) == expected + "presence:bob+,eve+");
    CHECK(is_live());
}

TEST_CASE("who had no room to be told that somebody left is told once there is room") {
    HubWorld world;
    world.start();
    wsd_conn conn = 0;
    Client& bob = world.enter("bob", Role::kStudent, &conn);
    (void)world.enter("eve");
    CHECK(world.heard(bob) == std::string(kHello) + " joined:eve presence:eve+");
    app::hub::Connection& connection = *app::hub::find_connection(world.hub, conn);
    connection.full = true;  // until on_drain
    connection.live = false;
    CHECK(app::hub::disconnect_user(world.hub, world.session(), "eve") == 1);
    CHECK(world.heard(bob) == "");
    app::hub::drained(world.hub, connection);
    CHECK(world.heard(bob) == "presence:bob+,eve-");
}

TEST_CASE("who is so slow that the next message is gone is closed with 4008") {
    HubWorld world;
    world.server.config.send_high_count = 1;
    world.start_narrow();
    wsd_conn conn = 0;
    Client& bob = world.enter("bob", Role::kStudent, &conn);
    Client& eve = world.enter("eve");
    (void)world.heard(bob);
    (void)world.heard(eve);
    app::hub::find_connection(world.hub, conn)->full = true;  // until on_drain
    world.say("system");
    world.say("system");
    CHECK(world.heard(bob) == "");
    CHECK(world.heard(eve) == "message:1 message:2");
    world.history().drop_before(2);
    app::hub::drained(world.hub, *app::hub::find_connection(world.hub, conn));
    CHECK(world.heard(bob) == "close:4008 slow");
    CHECK(world.heard(eve) == "left:bob:slow presence:bob-");
}

TEST_CASE("answers that find the queue full wait in order, and reading waits for them") {
    HubWorld world;
    world.server.config.send_high_bytes = 20000;
    world.server.config.send_low_bytes = 4000;
    world.start_narrow();
    wsd_conn conn = 0;
    Client& bob = world.enter("bob", Role::kStudent, &conn);
    (void)world.heard(bob);
    size_t messages = 0;
    world.server.on_message = [&](wsd_conn, wsd_opcode, std::string_view) { messages++; };
    app::hub::Connection& connection = *app::hub::find_connection(world.hub, conn);
    bob.reading = false;
    std::string expected;
    for (int i = 0; connection.held.size() < 3; i++) {
        REQUIRE(i < 10000);
        const std::string name = "n" + std::to_string(i);
        app::hub::answer(world.hub, connection,
                         R"({"type":")" + name + R"(","data":{"x":")" + std::string(2000, 'x') + R"("}})");
        expected += name + ' ';
        world.server.settle();
    }
    CHECK_FALSE(connection.live);
    world.say("system");
    bob.send(test::text("{}"));
    world.server.settle();
    CHECK(messages == 0);
    bob.reading = true;
    CHECK(world.heard(bob) == expected + "message:1 presence:bob+");
    CHECK(messages == 1);
    CHECK(connection.live);
}
