#include "app/hub/registry.h"

#include "support/hub_world.h"

using app::hub::Connection;
using app::hub::LeaveReason;
using app::hub::Refusal;
using app::hub::Role;
using test::Client;
using test::HubWorld;

namespace {

// Who is not let in, as "404 session_not_found"; empty for who is.
std::string refused(HubWorld& world, const std::string& session_id, const std::string& user_id, Role role,
                    const std::string& project_id = "") {
    app::hub::Entry entry;
    entry.session_id = session_id;
    entry.user_id = user_id;
    entry.role = role;
    entry.project_id = project_id;
    app::hub::Session* session = nullptr;
    const std::optional<Refusal> refusal = app::hub::admit(world.hub, entry, &session);
    CHECK(refusal.has_value() == (session == nullptr));
    return refusal ? std::to_string(refusal->status) + ' ' + refusal->code : "";
}

std::string resume_token(const std::string& envelope) {
    app::Json json;
    app::JsonError error;
    REQUIRE(app::parse_json(envelope, {}, &json, &error));
    return std::string(json.find("data")->find("resume_token")->string());
}

// Enters, and returns the token of the welcome; what else came is dropped.
std::string token_of(HubWorld& world, Client& client) {
    std::string welcome;
    world.server.settle();
    while (const auto frame = test::take_frame(client.input)) {
        if (test::hub_word(frame->payload).rfind("welcome", 0) == 0) welcome = frame->payload;
    }
    return resume_token(welcome);
}

Connection& connection_of(HubWorld& world, wsd_conn conn) { return *app::hub::find_connection(world.hub, conn); }

}  // namespace

// ----------------------------------------------------------------------------------------------------------- admission

TEST_CASE("who is let in is for the session, its project, its status and its list to say, in this order") {
    HubWorld world;
    world.start();
    world.session().project_id = "maths";
    CHECK(refused(world, "none", "bob", Role::kStudent) == "404 session_not_found");
    CHECK(refused(world, "algebra-1", "bob", Role::kStudent, "maths").empty());
    CHECK(refused(world, "algebra-1", "bob", Role::kStudent).empty());
    CHECK(refused(world, "algebra-1", "mallory", Role::kStudent, "art") == "401 wrong_project");
    CHECK(refused(world, "algebra-1", "mallory", Role::kStudent) == "403 not_a_member");
    CHECK(refused(world, "algebra-1", "dr", Role::kInstructor).empty());
    world.session().status = app::hub::SessionStatus::kPaused;
    CHECK(refused(world, "algebra-1", "dr", Role::kInstructor) == "401 session_inactive");
    CHECK(refused(world, "algebra-1", "mallory", Role::kStudent) == "401 session_inactive");
    CHECK(refused(world, "algebra-1", "bob", Role::kStudent, "art") == "401 wrong_project");
}

TEST_CASE("who was a member is none after leaving the list") {
    HubWorld world;
    world.start();
    (void)world.enter("bob");
    world.session().people.find("bob")->second->member = false;
    CHECK(refused(world, "algebra-1", "bob", Role::kStudent) == "403 not_a_member");
}

// ------------------------------------------------------------------------------------------------- coming and leaving

TEST_CASE("others are told once of a user who comes and leaves, with however many connections") {
    HubWorld world;
    world.start();
    world.session().several_per_user = true;
    Client& bob = world.enter("bob");
    CHECK(world.heard(bob) == "welcome history_complete:0 presence:bob+");
    Client& phone = world.enter("ada");
    CHECK(world.heard(bob) == "joined:ada presence:ada+");
    Client& laptop = world.enter("ada");
    CHECK(world.heard(phone) == "welcome history_complete:0 presence:ada+,bob+");
    CHECK(world.heard(laptop) == "welcome history_complete:0 presence:ada+,bob+");
    phone.close();
    CHECK(world.heard(bob) == "");
    laptop.send(test::bye(1000));
    world.server.settle();
    laptop.close();
    CHECK(world.heard(bob) == "left:ada:left presence:ada-");
    CHECK(world.last_text.find("last_seen") != std::string::npos);
}

TEST_CASE("presence changes of one turn come in one message") {
    HubWorld world;
    world.start();
    world.session().several_per_user = true;
    Client& bob = world.enter("bob");
    wsd_conn ada = 0;
    wsd_conn eve = 0;
    (void)world.enter("ada", Role::kStudent, &ada);
    (void)world.enter("eve", Role::kStudent, &eve);
    (void)world.heard(bob);
    app::hub::disconnect(world.hub, connection_of(world, ada), 1000, "", LeaveReason::kError);
    app::hub::disconnect(world.hub, connection_of(world, eve), 1000, "", LeaveReason::kTimeout);
    CHECK(world.heard(bob) == "left:ada:error left:eve:timeout presence:ada-,eve-");
}

TEST_CASE("who comes and leaves in the same turn is told as gone, also to whose snapshot had it") {
    HubWorld world;
    world.start();
    wsd_conn ada = 0;
    bool once = true;
    world.server.on_message = [&](wsd_conn, wsd_opcode, std::string_view) {};
    (void)world.enter("ada", Role::kStudent, &ada);
    const auto enter = world.server.on_open;
    world.server.on_open = [&](wsd_conn conn) {
        enter(conn);  // its snapshot has ada
        if (once) app::hub::disconnect(world.hub, connection_of(world, ada), 1000, "", LeaveReason::kLeft);
        once = false;
    };
    CHECK(world.heard(world.enter("bob")) ==
          "welcome history_complete:0 presence:ada+,bob+ left:ada:left presence:ada-");
}

TEST_CASE("a newer connection replaces its user's older one, and nobody else hears of it") {
    HubWorld world;
    world.start();
    Client& eve = world.enter("eve");
    Client& older = world.enter("bob");
    (void)world.heard(eve);
    (void)world.heard(older);
    Client& newer = world.enter("bob");
    CHECK(world.heard(older) == "close:4001 replaced by a newer connection");
    CHECK(world.heard(newer) == "welcome history_complete:0 presence:bob+,eve+");
    older.close();
    CHECK(world.heard(eve) == "");
    CHECK(world.session().connections.size() == 2);
    world.say("system");
    CHECK(world.heard(newer) == "message:1");
}

TEST_CASE("who comes back in another role is shown in it") {
    HubWorld world;
    world.start();
    Client& eve = world.enter("eve");
    (void)world.enter("bob");
    (void)world.heard(eve);
    (void)world.enter("bob", Role::kInstructor);
    CHECK(world.heard(eve) == "presence:bob+");
    CHECK(world.last_text.find(R"("role":"instructor")") != std::string::npos);
    (void)world.enter("bob", Role::kInstructor);
    CHECK(world.heard(eve) == "");
}

TEST_CASE("disconnecting is idempotent, and so is what follows it") {
    HubWorld world;
    world.start();
    Client& eve = world.enter("eve");
    wsd_conn conn = 0;
    Client& bob = world.enter("bob", Role::kStudent, &conn);
    (void)world.heard(eve);
    (void)world.heard(bob);
    CHECK(app::hub::disconnect_user(world.hub, world.session(), "bob") == 1);
    CHECK(app::hub::disconnect_user(world.hub, world.session(), "bob") == 0);
    CHECK(app::hub::disconnect_user(world.hub, world.session(), "nobody") == 0);
    app::hub::disconnect(world.hub, connection_of(world, conn), 1000, "", LeaveReason::kLeft);
    app::hub::answer(world.hub, connection_of(world, conn), "{}");
    app::hub::pump(world.hub, connection_of(world, conn));
    app::hub::drained(world.hub, connection_of(world, conn));
    CHECK(world.heard(bob) == "close:4003 disconnected by an administrator");
    CHECK(world.heard(eve) == "left:bob:kicked presence:bob-");
    bob.close();
    world.server.settle();
    CHECK(app::hub::find_connection(world.hub, conn) == nullptr);
    CHECK(world.heard(eve) == "");
}

TEST_CASE("a close is told by what caused it") {
    const struct {
        wsd_cause cause;
        const char* name;
    } kRows[] = {{WSD_CAUSE_PEER, "left"},      {WSD_CAUSE_DRAIN, "left"},         {WSD_CAUSE_LOCAL, "left"},
                 {WSD_CAUSE_VANISHED, "error"}, {WSD_CAUSE_ABORTED, "error"},      {WSD_CAUSE_PROTOCOL, "error"},
                 {WSD_CAUSE_POLICY, "error"},   {WSD_CAUSE_NOMEM, "error"},        {WSD_CAUSE_PING_TIMEOUT, "timeout"},
                 {WSD_CAUSE_IDLE, "timeout"},   {WSD_CAUSE_WRITE_TIMEOUT, "slow"}, {WSD_CAUSE_SLOW, "slow"}};
    for (const auto& row : kRows) {
        CAPTURE(wsd_cause_text(row.cause));
        wsd_close_info info = {};
        info.cause = row.cause;
        CHECK(std::string(app::hub::leave_reason_name(app::hub::leave_reason(info))) == row.name);
    }
}

TEST_CASE("a connection ends with its token") {
    HubWorld world;
    world.start();
    world.entry.expires_s = app::wall_ms() / 1000 + 3600;
    Client& bob = world.enter("bob");
    (void)world.heard(bob);
    world.server.pass(3000000);
    CHECK(bob.ended == false);
    world.server.pass(700000);
    CHECK(world.heard(bob) == "close:4004 token expired");
}

// -------------------------------------------------------------------------------------------------------------- resume

TEST_CASE("who resumes gets what it missed, once, and the connection that it had is replaced") {
    HubWorld world;
    world.start();
    world.session().several_per_user = true;
    Client& other = world.enter("bob");
    (void)world.heard(other);
    Client& older = world.enter("bob");
    world.entry.resume_token = token_of(world, older);
    for (int i = 0; i < 3; i++) world.say("system");
    CHECK(world.heard(older) == "message:1 message:2 message:3");
    world.entry.since = 2;
    Client& newer = world.enter("bob");
    CHECK(world.heard(newer) == "welcome:resumed message:3 history_complete:1 presence:bob+");
    CHECK(world.heard(older) == "close:4001 replaced by a newer connection");
    CHECK(world.heard(other) == "message:1 message:2 message:3");  // and is still there
}

TEST_CASE("who resumes gets what it sent itself, too") {
    HubWorld world;
    world.start();
    wsd_conn conn = 0;
    Client& bob = world.enter("bob", Role::kStudent, &conn);
    world.entry.resume_token = token_of(world, bob);
    world.say("bob", conn);
    bob.close();
    world.server.settle();
    world.entry.since = 0;
    CHECK(world.heard(world.enter("bob")) == "welcome:resumed message:1 history_complete:1 presence:bob+");
}

TEST_CASE("a token of somebody else, of another session, or none: a full entry, and `since` is not looked at") {
    HubWorld world;
    world.start();
    const std::string good = token_of(world, world.enter("bob"));
    world.say("system");
    world.server.settle();
    world.entry.since = 1;
    world.entry.resume_token = good;
    CHECK(world.heard(world.enter("eve")) == "welcome message:1 history_complete:1 presence:bob+,eve+");
    world.entry.resume_token = "";
    CHECK(world.heard(world.enter("bob")) == "welcome message:1 history_complete:1 presence:bob+,eve+");
    world.entry.resume_token = "x" + good;
    CHECK(world.heard(world.enter("bob")) == "welcome message:1 history_complete:1 presence:bob+,eve+");
    world.add_session("other", {"bob"});
    world.entry.session_id = "other";
    world.entry.resume_token = good;
    CHECK(world.heard(world.enter("bob")) == "welcome history_complete:0 presence:bob+");
}

TEST_CASE("who has seen more than there is goes on with what comes") {
    HubWorld world;
    world.start();
    Client& bob = world.enter("bob");
    world.entry.resume_token = token_of(world, bob);
    world.say("system");
    world.server.settle();
    for (const uint64_t since : {uint64_t(1), uint64_t(7), UINT64_MAX}) {
        CAPTURE(since);
        world.entry.since = since;
        Client& again = world.enter("bob");
        CHECK(world.heard(again) == "welcome:resumed history_complete:0 presence:bob+");
        const uint64_t seq = world.say("system");
        CHECK(world.heard(again) == "message:" + std::to_string(seq));
        world.history().records.pop_back();  // a crash takes it
        world.history().last_seq--;
    }
}

TEST_CASE("what retention has taken since is told to who resumes") {
    HubWorld world;
    world.start();
    Client& bob = world.enter("bob");
    world.entry.resume_token = token_of(world, bob);
    for (int i = 0; i < 4; i++) world.say("system");
    world.server.settle();
    world.history().drop_before(3);
    world.entry.since = 1;
    CHECK(world.heard(world.enter("bob")) ==
          "welcome:resumed message:3 message:4 "
          R"(history_unavailable:2:[{"first":2,"last":2}] presence:bob+)");
    world.entry.resume_token = "";
    CHECK(world.heard(world.enter("bob")) == "welcome message:3 message:4 history_complete:2 presence:bob+");
}

// ---------------------------------------------------------------------------------------------------- sessions that
// end

TEST_CASE("of people who are not on the list the latest who left are remembered") {
    HubWorld world;
    world.start();
    world.hub.options.guest_max_count = 1;
    const auto come = [&](const char* user_id) -> Client& {
        Client& client = world.enter(user_id, Role::kInstructor);
        (void)world.heard(client);
        return client;
    };
    const auto go = [&](Client& client) {
        client.close();
        world.server.settle();
    };
    const auto knows = [&](const char* user_id) { return app::hub::find_person(world.session(), user_id) != nullptr; };
    Client& first = come("dr.1");
    Client& second = come("dr.2");
    go(first);
    CHECK(knows("dr.1"));
    go(second);
    CHECK_FALSE(knows("dr.1"));
    Client& back = come("dr.2");
    go(come("dr.3"));
    CHECK(knows("dr.2"));
    CHECK(knows("dr.3"));
    go(back);
    CHECK(knows("dr.2"));
    CHECK_FALSE(knows("dr.3"));
    go(come("bob"));
    CHECK(knows("bob"));
    CHECK(world.session().people.size() == 4);  // with the members
}

TEST_CASE("a session that ends tells everyone, closes with 4002, and is gone with its last connection") {
    HubWorld world;
    world.start();
    Client& ada = world.enter("ada");
    Client& bob = world.enter("bob");
    (void)world.heard(ada);
    (void)world.heard(bob);
    app::hub::Session& session = world.session();
    app::hub::end_session(world.hub, session);
    app::hub::end_session(world.hub, session);
    CHECK(app::hub::find_session(world.hub, "algebra-1") == nullptr);
    CHECK(world.heard(ada) == "session_ended close:4002 session ended");
    CHECK(world.heard(bob) == "session_ended close:4002 session ended");
    CHECK(world.hub.ended_sessions.size() == 1);
    ada.close();
    bob.close();
    CHECK(world.server.until([&] { return world.hub.ended_sessions.empty(); }));
    CHECK(world.hub.connections.empty());
}

TEST_CASE("a session that ends with an append and a read under way calls back about what came of it, and no more") {
    HubWorld world;
    world.start();
    for (int i = 0; i < 3; i++) world.say("system");
    world.server.settle();
    const auto history = world.histories["algebra-1"];
    history->answers_late = true;
    history->recent_count = 0;
    Client& bob = world.enter("bob");
    std::string told;
    app::hub::Draft draft;
    draft.ack = true;
    draft.done = [&](uint64_t seq, bool ok) { told += std::to_string(seq) + (ok ? "+" : "-"); };
    world.say("system", 0, draft);
    world.server.settle();
    world.say("system", 0, draft);
    app::hub::Session& session = world.session();
    app::hub::end_session(world.hub, session);
    CHECK(app::hub::publish(world.hub, session, draft) == 0);
    CHECK(told == "");  // not from within
    CHECK(world.heard(bob) == "welcome session_ended close:4002 session ended");
    CHECK(told == "4-5-0-");
    bob.close();
    CHECK(world.server.until([&] { return world.hub.ended_sessions.empty(); }));
    while (!history->waiting.empty()) history->answer();
    CHECK(told == "4-5-0-");
}

TEST_CASE("a session that ends while somebody is on the way in turns them away") {
    HubWorld world;
    world.start();
    app::hub::Session& session = world.session();
    wsd_conn conn = 0;
    world.server.on_open = [&](wsd_conn opened) {
        conn = opened;
        app::hub::end_session(world.hub, session);
        CHECK(app::hub::enter(world.hub, session, opened, world.entry) == nullptr);
    };
    CHECK(world.heard(world.enter("bob")) == "close:4002 session ended");
    CHECK(world.hub.connections.empty());
}

TEST_CASE("a new session takes the name of one that has ended, whose last connections are still closing") {
    HubWorld world;
    world.start();
    Client& before = world.enter("bob");
    (void)world.heard(before);
    app::hub::end_session(world.hub, world.session());
    world.add_session("algebra-1", {"bob"});
    Client& after = world.enter("bob");
    CHECK(world.heard(after) == "welcome history_complete:0 presence:bob+");
    before.close();
    CHECK(world.server.until([&] { return world.hub.ended_sessions.empty(); }));
    world.say("system");
    CHECK(world.heard(after) == "message:1");
}

// --------------------------------------------------------------------------------------------------------------- rates

TEST_CASE("a bucket gives its burst at once and then its rate, over all sessions of a user") {
    HubWorld world;
    world.start();
    world.hub.options.messages_per_user_min = 60;
    world.hub.options.message_burst = 3;
    const uint64_t now_ms = wsd_now_ms(world.server);
    for (int i = 0; i < 3; i++) CHECK(app::hub::take_token(world.hub, "bob", now_ms) == 0);
    CHECK(app::hub::take_token(world.hub, "bob", now_ms) == doctest::Approx(1));
    CHECK(app::hub::take_token(world.hub, "bob", now_ms + 400) == doctest::Approx(0.6));
    CHECK(app::hub::take_token(world.hub, "eve", now_ms) == 0);
    CHECK(app::hub::take_token(world.hub, "bob", now_ms + 1000) == 0);
    CHECK(app::hub::take_token(world.hub, "bob", now_ms + 1000) > 0);
    world.hub.options.messages_per_user_min = 0;
    for (int i = 0; i < 100; i++) CHECK(app::hub::take_token(world.hub, "bob", now_ms) == 0);
}

TEST_CASE("a user is forgotten once offline with a full bucket, and not before") {
    HubWorld world;
    world.start();
    world.hub.options.messages_per_user_min = 1;
    world.hub.options.message_burst = 3;
    Client& bob = world.enter("bob");
    for (int i = 0; i < 3; i++) CHECK(app::hub::take_token(world.hub, "bob", wsd_now_ms(world.server)) == 0);
    bob.close();
    world.server.settle();
    world.server.pass(65000);
    CHECK(world.hub.users.contains("bob"));  // leaving and coming back fills no bucket
    Client& again = world.enter("bob");
    world.server.pass(240000);
    CHECK(world.hub.users.contains("bob"));
    again.close();
    world.server.settle();
    world.server.pass(65000);
    CHECK(world.hub.users.empty());
    CHECK(world.hub.idle_users.empty());
}
