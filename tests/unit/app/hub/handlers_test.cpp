#include "app/hub/handlers.h"

#include "app/hub/definition.h"
#include "support/hub_world.h"

using namespace app::hub;
using test::Client;
using test::HubWorld;

namespace {

// A world in which what clients say is routed: dr is an instructor, and ada, bob and eve students on the list.
struct TalkingWorld : HubWorld {
    TalkingWorld() {
        server.on_message = [this](wsd_conn conn, wsd_opcode opcode, std::string_view payload) {
            Connection* const connection = find_connection(hub, conn);
            REQUIRE(connection);
            take_message(hub, *connection, payload, opcode == WSD_BINARY);
        };
        start();
    }

    // Somebody who has heard all that comes at first.
    Client& come(const std::string& user_id, Role role = Role::kStudent) {
        Client& client = enter(user_id, role);
        (void)heard(client);
        return client;
    }

    // What a client hears of what it said.
    std::string told(Client& client, std::string_view message) {
        client.send(test::text(message));
        return heard(client);
    }

    // A field of `data` in the last envelope that was heard, as JSON text.
    std::string last_data(std::string_view name) const {
        app::Json json;
        app::JsonError error;
        REQUIRE(app::parse_json(last_text, {}, &json, &error));
        const app::Json* const field = json.find("data")->find(name);
        return field ? std::string(field->text()) : "absent";
    }

    bool last_has(std::string_view part) const { return last_text.find(part) != std::string::npos; }

    void add_comparison(const std::string& id) {
        (void)session().votes.put({id, {id + "-a", "A of " + id}, {id + "-b", "B of " + id}});
    }
};

std::string vote_text(std::string_view id, std::string_view comparison, std::string_view feature) {
    std::string text = R"({"type":"vote_submitted","id":")";
    text.append(id).append(R"(","data":{"vote":{"comparison_id":")").append(comparison);
    return text.append(R"(","preferred_feature_id":")").append(feature).append(R"(","is_tie_vote":false}}})");
}

struct ReceiverRow {
    Role sender;
    bool may_broadcast;
    const char* receivers;  // fields of the message
    const char* answer;
};

const ReceiverRow kReceivers[] = {
    {Role::kStudent, true, "", "ack:1"},
    {Role::kStudent, false, "", "error:forbidden"},
    {Role::kStudent, false, R"(,"to":"dr")", "ack:1"},
    {Role::kStudent, false, R"(,"to":"ada")", "ack:1"},  // itself
    {Role::kStudent, true, R"(,"to":"bob")", "error:forbidden"},
    {Role::kStudent, true, R"(,"to":"zoe")", "error:not_found"},
    {Role::kStudent, false, R"(,"to_role":"instructor")", "ack:1"},
    {Role::kStudent, true, R"(,"to_role":"student")", "error:forbidden"},
    {Role::kInstructor, false, "", "ack:1"},
    {Role::kInstructor, false, R"(,"to":"bob")", "ack:1"},
    {Role::kInstructor, false, R"(,"to":"zoe")", "error:not_found"},
    {Role::kInstructor, false, R"(,"to_role":"instructor")", "ack:1"},
    {Role::kInstructor, false, R"(,"to_role":"student")", "ack:1"},
};

}  // namespace

// ------------------------------------------------------------------------------------------------------------ message

TEST_CASE("who may address whom") {
    for (const ReceiverRow& row : kReceivers) {
        CAPTURE(role_name(row.sender));
        CAPTURE(row.may_broadcast);
        CAPTURE(row.receivers);
        TalkingWorld world;
        world.session().students_may_broadcast = row.may_broadcast;
        Client& dr = world.come("dr", Role::kInstructor);
        Client& ada = world.come("ada");
        (void)world.heard(dr);
        Client& sender = row.sender == Role::kStudent ? ada : dr;
        CHECK(world.told(sender, R"({"type":"message","data":{})" + std::string(row.receivers) + "}") == row.answer);
    }
}

TEST_CASE("a message is stamped by the server, and its data is passed on as it came") {
    TalkingWorld world;
    Client& dr = world.come("dr", Role::kInstructor);
    Client& ada = world.come("ada");
    (void)world.heard(dr);
    CHECK(world.told(ada, R"({"type":"message","id":"m1","from":"eve","role":"instructor","session_id":"x",)"
                          R"("to":"dr","ack":true,"data":{"text": "h\u00e9"}})") == "ack:1");
    CHECK(world.last_has(R"("id":"m1")"));
    CHECK(world.heard(dr) == "message:1");
    const std::string head = R"({"type":"message","seq":1,"id":"m1","session_id":"algebra-1","from":"ada",)"
                             R"("role":"student","to":"dr","ack":true,"ts":")";
    CHECK(world.last_text.substr(0, head.size()) == head);
    CHECK(world.last_has(R"("data":{"text": "h\u00e9"}})"));
}

TEST_CASE("an id is taken once, also while the first is under way") {
    TalkingWorld world;
    Client& dr = world.come("dr", Role::kInstructor);
    Client& ada = world.come("ada");
    (void)world.heard(dr);
    const char kOnce[] = R"({"type":"message","id":"once","data":{}})";
    CHECK(world.told(ada, kOnce) == "ack:1");
    CHECK(world.told(ada, kOnce) == "ack:1");
    CHECK(world.told(dr, kOnce) == "message:1 ack:2");  // an id is its user's own

    world.history().answers_late = true;
    ada.send(test::text(R"({"type":"message","id":"two","data":{}})"));
    ada.send(test::text(R"({"type":"message","id":"two","data":{}})"));
    CHECK(world.heard(ada) == "message:2");
    CHECK(world.told(ada, R"({"type":"message","id":"two","data":{}})").empty());
    world.history().answer();
    CHECK(world.heard(ada) == "ack:3 ack:3 ack:3");
    CHECK(world.heard(dr) == "message:3");
}

TEST_CASE("what was refused has not taken its id") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    CHECK(world.told(ada, R"({"type":"message","id":"m1","to":"zoe","data":{}})") == "error:not_found");
    CHECK(world.told(ada, R"({"type":"message","id":"m1","data":{}})") == "ack:1");
}

TEST_CASE("in a paused session nobody talks or votes, and what was taken before is still acknowledged") {
    TalkingWorld world;
    world.add_comparison("c");
    Client& ada = world.come("ada");
    CHECK(world.told(ada, R"({"type":"message","id":"m1","data":{}})") == "ack:1");
    world.session().status = SessionStatus::kPaused;
    CHECK(world.told(ada, R"({"type":"message","id":"m2","data":{}})") == "error:forbidden");
    CHECK(world.told(ada, vote_text("v1", "c", "c-a")) == "error:forbidden");
    CHECK(world.told(ada, R"({"type":"message","id":"m1","data":{}})") == "ack:1");
    CHECK(world.told(ada, R"({"type":"heartbeat"})") == "heartbeat");
}

TEST_CASE("receivers confirm, and the sender is told") {
    TalkingWorld world;
    Client& dr = world.come("dr", Role::kInstructor);
    Client& ada = world.come("ada");
    (void)world.heard(dr);
    CHECK(world.told(dr, R"({"type":"message","id":"m1","to":"ada","ack":true,"data":{}})") == "ack:1");
    CHECK(world.heard(ada) == "message:1");
    CHECK(world.told(ada, R"({"type":"ack","seq":1})").empty());
    CHECK(world.heard(dr) == "delivered:1");
    CHECK(world.told(ada, R"({"type":"ack","seq":1})").empty());   // acks cross retries
    CHECK(world.told(ada, R"({"type":"ack","seq":99})").empty());  // and what is not waited for is no error
}

TEST_CASE("a notice is an instructor's, and everyone's to see") {
    TalkingWorld world;
    Client& dr = world.come("dr", Role::kInstructor);
    Client& ada = world.come("ada");
    (void)world.heard(dr);
    CHECK(world.told(ada, R"({"type":"system_notice","data":{}})") == "error:forbidden");
    CHECK(world.told(dr, R"({"type":"system_notice","id":"n","data":{"text":"a break"}})") == "ack:1");
    CHECK(world.heard(ada) == "system_notice:1");
    CHECK(world.last_data("text") == "\"a break\"");
}

// --------------------------------------------------------------------------------------------------------- not stored

TEST_CASE("typing is seen by others and ends by itself") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    Client& bob = world.come("bob");
    (void)world.heard(ada);
    const char kTypes[] = R"({"type":"typing","data":{"active":true}})";
    CHECK(world.told(ada, kTypes).empty());
    CHECK(world.heard(bob) == "typing");
    CHECK(world.last_data("active") == "true");
    CHECK(world.last_has(R"("from":"ada","role":"student")"));
    world.server.pass(4000);
    CHECK(world.told(ada, kTypes).empty());  // goes on
    CHECK(world.heard(bob) == "typing");
    world.server.pass(4999);
    CHECK(world.heard(bob).empty());
    world.server.pass(1);
    CHECK(world.heard(bob) == "typing");
    CHECK(world.last_data("active") == "false");
    CHECK(world.heard(ada).empty());
    CHECK_FALSE(world.session().people.find("ada")->second->typing);
}

TEST_CASE("typing that is ended, or whose user leaves, does not end once more") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    Client& bob = world.come("bob");
    (void)world.heard(ada);
    (void)world.told(ada, R"({"type":"typing","data":{"active":true}})");
    (void)world.told(ada, R"({"type":"typing","data":{"active":false}})");
    CHECK(world.heard(bob) == "typing typing");
    world.server.pass(10000);
    CHECK(world.heard(bob).empty());

    (void)world.told(ada, R"({"type":"typing","data":{"active":true}})");
    (void)world.told(ada, R"({"type":"leave_session"})");
    CHECK(world.heard(bob) == "typing left:ada:left presence:ada-");
    world.server.pass(10000);
    CHECK(world.heard(bob).empty());
}

TEST_CASE("a status of up to 64 characters is seen by others") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    Client& bob = world.come("bob");
    (void)world.heard(ada);
    std::string state;
    for (int i = 0; i < 64; i++) state += "\xc3\xa9";
    CHECK(world.told(ada, R"({"type":"status","data":{"state":")" + state + "\"}}").empty());
    CHECK(world.heard(bob) == "status");
    CHECK(world.last_data("state") == "\"" + state + "\"");
    CHECK(world.told(ada, R"({"type":"status","data":{"state":")" + state + "x\"}}") == "error:invalid_message");
    CHECK(world.last_data("message") == "\"data.state is longer than 64 characters\"");
}

TEST_CASE("a heartbeat is answered with the time, and join_session with the welcome") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    CHECK(world.told(ada, R"({"type":"heartbeat","id":"h1"})") == "heartbeat");
    CHECK(world.last_has(R"("id":"h1")"));
    CHECK(world.last_has(R"("ts":")"));
    CHECK(world.told(ada, R"({"type":"join_session"})") == "welcome");
}

TEST_CASE("who leaves is closed with 1000, and what it says after that is not heard") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    Client& bob = world.come("bob");
    (void)world.heard(ada);
    ada.hold_output = true;
    ada.send(test::text(R"({"type":"leave_session"})"));
    ada.send(test::text(R"({"type":"message","data":{}})"));
    ada.hold_output = false;
    CHECK(world.heard(ada) == "close:1000 left the session");
    CHECK(world.heard(bob) == "left:ada:left presence:ada-");
}

// -------------------------------------------------------------------------------------------------------------- votes

TEST_CASE("votes come to consensus, and everyone hears of it in one order") {
    TalkingWorld world;
    world.session().members = {"ada", "bob"};
    world.add_comparison("c");
    Client& ada = world.come("ada");
    Client& bob = world.come("bob");
    (void)world.heard(ada);
    CHECK(world.told(ada, vote_text("v1", "c", "c-a")) == "ack:1");
    CHECK(world.heard(bob) == "vote_received:1");
    CHECK(world.last_data("preferred_feature_id") == "\"c-a\"");
    CHECK(world.last_has(R"("id":"v1")"));
    CHECK(world.told(bob, vote_text("v2", "c", "c-a")) == "ack:2 consensus_reached:3 session_progress:4");
    CHECK(world.heard(ada) == "vote_received:2 consensus_reached:3 session_progress:4");
    CHECK(world.last_data("completed") == "1");
    CHECK(world.last_has(R"("from":"system")"));
    CHECK(world.told(bob, vote_text("v3", "c", "c-b")) == "ack:5 consensus_lost:6 session_progress:7");
    CHECK(world.told(bob, vote_text("v3", "c", "c-b")) == "ack:5");  // taken once
}

TEST_CASE("votes that are none, or nobody's to cast, change nothing") {
    TalkingWorld world;
    world.add_comparison("c");
    Client& dr = world.come("dr", Role::kInstructor);
    Client& ada = world.come("ada");
    (void)world.heard(dr);
    CHECK(world.told(dr, vote_text("v", "c", "c-a")) == "error:forbidden");
    CHECK(world.told(ada, vote_text("v", "d", "c-a")) == "error:not_found");
    CHECK(world.told(ada, vote_text("v", "c", "d-a")) == "error:invalid_message");
    CHECK(world.told(ada, R"({"type":"vote_submitted"})") == "error:invalid_message");
    CHECK(world.last_data("message") == "\"data.vote is not an object\"");
    CHECK(world.told(ada, R"({"type":"vote_submitted","data":{"vote":{}}})") == "error:invalid_message");
    CHECK(world.last_data("message").find("\"data.vote.comparison_id") == 0);
    CHECK(world.history().append_count == 0);
}

TEST_CASE("a vote that is not kept has never been cast") {
    TalkingWorld world;
    world.session().members = {"ada"};
    world.add_comparison("c");
    Client& ada = world.come("ada");
    world.history().refuses = true;
    CHECK(world.told(ada, vote_text("v1", "c", "c-a")) == "error:internal");
    CHECK(world.session().votes.progress().completed == 0);
    world.history().refuses = false;
    CHECK(world.told(ada, vote_text("v1", "c", "c-a")) == "ack:1 consensus_reached:2 session_progress:3");
}

TEST_CASE("what a change of the list has come to is published once the history takes it") {
    TalkingWorld world;
    world.session().members = {"ada", "bob"};
    world.add_comparison("c");
    Client& ada = world.come("ada");
    CHECK(world.told(ada, vote_text("v1", "c", "c-a")) == "ack:1");
    world.history().refuses = true;
    DefinitionChange change;
    change.members = {{"ada", Role::kStudent, ""}};
    apply_change(world.hub, world.session(), change);
    CHECK(world.heard(ada) == "");
    CHECK(world.session().votes.progress().completed == 0);
    world.history().refuses = false;
    world.say("system");
    CHECK(world.heard(ada) == "message:2 consensus_reached:3 session_progress:4");
}

TEST_CASE("a comparison that was not kept does not stay in the definition that was stored meanwhile") {
    TalkingWorld world;
    Client& dr = world.come("dr", Role::kInstructor);
    world.history().answers_late = true;
    world.history().refuses = true;
    CHECK(world.told(dr, R"({"type":"comparison_update","data":{"comparison":{"id":"refused",)"
                         R"("feature_a":{"id":"a","title":"A"},"feature_b":{"id":"b","title":"B"}}}})") == "");
    keep_definition(world.hub, world.session());
    CHECK(world.disk.definitions["algebra-1"].find("refused") != std::string::npos);
    world.history().answer();
    CHECK(world.heard(dr) == "error:internal");
    world.history().refuses = false;
    world.history().answers_late = false;
    world.say("system");
    CHECK(world.heard(dr) == "message:1");
    CHECK(world.disk.definitions["algebra-1"].find("refused") == std::string::npos);
}

TEST_CASE("an instructor changes comparisons, and everyone sees it") {
    TalkingWorld world;
    world.session().members = {"ada"};
    Client& dr = world.come("dr", Role::kInstructor);
    Client& ada = world.come("ada");
    (void)world.heard(dr);
    const char kChange[] = R"({"type":"comparison_update","id":"u","data":{"comparison":{"id":"c",)"
                           R"("feature_a":{"id":"a","title":"A"},"feature_b":{"id":"b","title":"B"}}}})";
    CHECK(world.told(ada, kChange) == "error:forbidden");
    CHECK(world.told(dr, kChange) == "comparison_update:1 ack:1 session_progress:2");
    CHECK(world.heard(ada) == "comparison_update:1 session_progress:2");
    CHECK(world.last_data("total") == "1");
    CHECK(world.told(ada, vote_text("v1", "c", "a")) == "ack:3 consensus_reached:4 session_progress:5");

    std::string again = kChange;
    again.replace(again.find("\"u\""), 3, "\"w\"");
    (void)world.heard(dr);
    CHECK(world.told(dr, again) == "comparison_update:6 ack:6 consensus_lost:7 session_progress:8");
    CHECK(world.last_data("completed") == "0");
    CHECK(world.session().votes.progress().completed == 0);
}

TEST_CASE("a comparison that is none is refused, with the path to what is wrong") {
    TalkingWorld world;
    Client& dr = world.come("dr", Role::kInstructor);
    CHECK(world.told(dr, R"({"type":"comparison_update","data":{"comparison":[]}})") == "error:invalid_message");
    CHECK(world.told(dr, R"({"type":"comparison_update","data":{"comparison":{"id":"c"}}})") ==
          "error:invalid_message");
    CHECK(world.last_data("message").find("\"data.comparison.feature_a") == 0);
}

// ------------------------------------------------------------------------------------------------------------- limits

TEST_CASE("over the rate a message is refused with its id, and what is not stored goes on") {
    TalkingWorld world;
    world.hub.options.messages_per_user_min = 60;
    world.hub.options.message_burst = 2;
    Client& dr = world.come("dr", Role::kInstructor);
    Client& ada = world.come("ada");
    (void)world.heard(dr);
    CHECK(world.told(ada, R"({"type":"message","id":"m1","data":{}})") == "ack:1");
    CHECK(world.told(ada, R"({"type":"message","id":"m2","data":{}})") == "ack:2");
    for (const char* type : {"message", "vote_submitted", "comparison_update", "system_notice"}) {
        CAPTURE(type);
        CHECK(world.told(ada, R"({"id":"m3","type":")" + std::string(type) + "\"}") == "error:rate_limited");
        CHECK(world.last_has(R"("id":"m3")"));
        CHECK(world.last_data("retry_after") == "1");
    }
    CHECK(world.told(ada, R"({"type":"heartbeat"})") == "heartbeat");
    CHECK(world.heard(dr) == "message:1 message:2");
    world.server.pass(1000);
    CHECK(world.told(ada, R"({"type":"message","id":"m3","data":{}})") == "ack:3");
}

TEST_CASE("types that only the server sends are forbidden, and others unknown") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    for (const char* type : {"error", "system", "presence", "attendee_joined", "attendee_left", "vote_received",
                             "consensus_reached", "consensus_lost", "session_progress"}) {
        CAPTURE(type);
        CHECK(world.told(ada, R"({"type":")" + std::string(type) + "\"}") == "error:forbidden");
    }
    CHECK(world.told(ada, R"({"type":"shout"})") == "error:unknown_type");
    CHECK(world.told(ada, R"({"type":"Message"})") == "error:unknown_type");
}

TEST_CASE("twenty malformed messages in a row close with 1008, after their errors") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    for (int i = 0; i < 19; i++) CHECK(world.told(ada, "{") == "error:invalid_json");
    CHECK(world.told(ada, R"({"type":"heartbeat"})") == "heartbeat");
    ada.send(test::binary(R"({"type":"heartbeat"})"));
    CHECK(world.heard(ada) == "error:invalid_message");
    for (int i = 0; i < 18; i++) CHECK(world.told(ada, "[]") == "error:invalid_message");
    CHECK(world.told(ada, "{") == "error:invalid_json close:1008 too many malformed messages");
}

TEST_CASE("small messages with data that is wrong are refused by the field's name") {
    TalkingWorld world;
    Client& ada = world.come("ada");
    for (const char* message : {R"({"type":"typing"})", R"({"type":"typing","data":{"active":1}})"}) {
        CHECK(world.told(ada, message) == "error:invalid_message");
        CHECK(world.last_data("message") == "\"data.active is neither true nor false\"");
    }
    for (const char* message : {R"({"type":"status"})", R"({"type":"status","data":{"state":null}})"}) {
        CHECK(world.told(ada, message) == "error:invalid_message");
        CHECK(world.last_data("message") == "\"data.state is not a string\"");
    }
}
