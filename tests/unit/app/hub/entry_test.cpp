// Who is let in as far as the request itself goes, asked over a real one.
#include "app/hub/entry.h"

#include <optional>
#include <string>

#include "support/test_server.h"

using namespace app::hub;

namespace {

constexpr int64_t kNow = 1'800'000'000;
const std::string kSecret = "a secret of thirty-two bytes, ok";
const std::string kGood = "session_id=algebra-1&user_id=ada&role=student";

std::string token_of(const Claims& claims) { return sign_token(claims, kSecret); }

Claims claims(const char* sub = "ada", const char* role = "student", const char* sid = "algebra-1") {
    Claims claims;
    claims.sub = sub;
    claims.role = role;
    claims.sid = sid;
    return claims;
}

// A server that judges one request at a time.
struct Door {
    test::TestServer server;
    TokenRules tokens;
    EntryRules rules;
    bool accept_then_close = false;
    Entry entry;
    std::optional<app::hub::Refusal> refusal;

    explicit Door(bool asks_for_tokens) {
        tokens.secrets = {kSecret};
        if (asks_for_tokens) rules.tokens = &tokens;
        server.config.subprotocols = kSubprotocol;
        server.on_request = [this](wsd_conn conn, const wsd_request* request) {
            refusal = read_entry(request, rules, kNow, &entry);
            const bool upgrade = wsd_request_is_upgrade(request) != 0;
            if (refusal) return refuse(server, conn, *refusal, accept_then_close, upgrade);
            CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK);
        };
        server.start();
    }

    test::Client& ask(const std::string& query, const std::string& headers = "") {
        test::Client& client = server.connect();
        test::Request request;
        request.line = "GET /hub" + (query.empty() ? "" : "?" + query) + " HTTP/1.1";
        request.more = headers;
        client.send(request.str());
        return client;
    }

    // "400 missing_parameter", or "101".
    std::string answer(const std::string& query, const std::string& headers = "") {
        const test::Response response = server.response(ask(query, headers));
        if (!refusal) return std::to_string(response.status);
        CHECK(response.status == refusal->status);
        CHECK(response.header("Content-Type") == "application/json");
        CHECK(response.body ==
              std::string(R"({"error":{"code":")") + refusal->code + R"(","message":")" + refusal->message + R"("}})");
        CHECK((response.header("WWW-Authenticate") == "Bearer") == (response.status == 401));
        return std::to_string(response.status) + " " + refusal->code;
    }
};

}  // namespace

TEST_CASE("without a secret the query is believed") {
    Door door(false);
    CHECK(door.answer("session_id=algebra-1&user_id=ada.b_c-D9&role=instructor&project_id=p&resume=r&since=42&token=x",
                      "Sec-WebSocket-Protocol: chat, wsd.v1\r\n") == "101");
    CHECK(door.entry.session_id == "algebra-1");
    CHECK(door.entry.user_id == "ada.b_c-D9");
    CHECK(door.entry.role == Role::kInstructor);
    CHECK(door.entry.project_id == "p");
    CHECK(door.entry.resume_token == "r");
    CHECK(door.entry.since == 42);
    CHECK(door.entry.expires_s == 0);
    CHECK(door.entry.offers_v1);
    CHECK(door.answer(kGood) == "101");
    CHECK(door.entry.role == Role::kStudent);
    CHECK(door.entry.project_id.empty());
    CHECK_FALSE(door.entry.since);
    CHECK_FALSE(door.entry.offers_v1);
}

TEST_CASE("parameters that are missing or malformed are named") {
    const std::string long_name(65, 'x');
    const struct {
        std::string query;
        const char* code;
        const char* message;
    } rows[] = {
        {"", "missing_parameter", "session_id is missing"},
        {"session_id=s&role=student", "missing_parameter", "user_id is missing"},
        {"session_id=s&user_id=&role=student", "missing_parameter", "user_id is missing"},
        {"session_id=s&user_id=u", "missing_parameter", "role is missing"},
        {"session_id=a/b&user_id=u&role=student", "invalid_parameter",
         "session_id: expected 1-64 characters of A-Z a-z 0-9 _ - ."},
        {"session_id=s&user_id=" + long_name + "&role=student", "invalid_parameter",
         "user_id: expected 1-64 characters of A-Z a-z 0-9 _ - ."},
        {"session_id=s&user_id=system&role=instructor", "invalid_parameter", "user_id: the name is the server's own"},
        {kGood + "&project_id=%c3%a4", "invalid_parameter",
         "project_id: expected 1-64 characters of A-Z a-z 0-9 _ - ."},
        {"session_id=s&user_id=u&role=Student", "invalid_parameter", "role: expected instructor or student"},
        {kGood + "&since=-1", "invalid_parameter", "since: expected a number"},
        {kGood + "&since=99999999999999999999", "invalid_parameter", "since: expected a number"},
        {kGood + "&user_id=bob", "invalid_parameter", "the query is malformed, or names a parameter twice"},
        {kGood + "&x=%zz", "invalid_parameter", "the query is malformed, or names a parameter twice"},
    };
    Door door(false);
    for (const auto& row : rows) {
        CAPTURE(row.query);
        CHECK(door.answer(row.query) == std::string("400 ") + row.code);
        CHECK(door.refusal->message == row.message);
    }
}

TEST_CASE("a token may stand in three places, and fills in what the query leaves out") {
    Door door(true);
    Claims told = claims();
    told.pid = "p1";
    told.exp_s = kNow + 60;
    const std::string token = token_of(told);
    for (const auto& [query, headers] :
         {std::pair<std::string, std::string>{"", "Authorization: Bearer " + token + "\r\n"},
          {"", "authorization: bearer   " + token + "\r\n"},
          {"token=" + token, ""},
          {"", "Sec-WebSocket-Protocol: wsd.v1, bearer." + token + "\r\n"},
          {"", "Sec-WebSocket-Protocol: wsd.v1\r\nSec-WebSocket-Protocol: bearer." + token + "\r\n"},
          {"token=" + token, "Authorization: Bearer " + token + "\r\nSec-WebSocket-Protocol: bearer." + token + "\r\n"},
          {"token=" + token, "Authorization: Basic YTpi\r\n"}}) {
        CAPTURE(query);
        CAPTURE(headers);
        CHECK(door.answer(query, headers) == "101");
        CHECK(door.entry.session_id == "algebra-1");
        CHECK(door.entry.user_id == "ada");
        CHECK(door.entry.role == Role::kStudent);
        CHECK(door.entry.project_id == "p1");
        CHECK(door.entry.expires_s == kNow + 60 + kLeewayDefaultS);
    }
}

TEST_CASE("a token is asked for before anything else is judged") {
    Door door(true);
    const std::string bearer = "Authorization: Bearer ";
    for (const char* const query : {"", "session_id=/", "a=%", "token="}) {
        CAPTURE(query);
        CHECK(door.answer(query) == "401 token_missing");
    }
    CHECK(door.answer(kGood, "Authorization: Basic YTpi\r\n") == "401 token_missing");
    CHECK(door.answer("session_id=/", bearer + "x.y.z\r\n") == "401 token_invalid");
    CHECK(door.answer(kGood + "&token=" + token_of(claims()), bearer + token_of(claims("eve")) + "\r\n") ==
          "401 token_invalid");
    CHECK(door.answer(kGood, bearer + token_of(claims()) + "\r\n" + bearer + token_of(claims("eve")) + "\r\n") ==
          "401 token_invalid");
    Claims expired = claims();
    expired.exp_s = kNow - kLeewayDefaultS;
    CHECK(door.answer("user_id=/", bearer + token_of(expired) + "\r\n") == "401 token_expired");
    CHECK(door.answer("a=%", bearer + token_of(claims()) + "\r\n") == "400 invalid_parameter");
}

TEST_CASE("claims are judged as parameters are, and a token is somebody's") {
    Door door(true);
    const auto with = [&](const Claims& told) {
        return door.answer(kGood, "Authorization: Bearer " + token_of(told) + "\r\n");
    };
    Claims project = claims();
    project.pid = "a b";
    CHECK(with(claims("")) == "401 token_invalid");
    CHECK(with(claims("a b")) == "401 token_invalid");
    CHECK(with(claims("ada", "teacher")) == "401 token_invalid");
    CHECK(with(claims("ada", "student", "a/b")) == "401 token_invalid");
    CHECK(with(project) == "401 token_invalid");
    CHECK(with(claims("ada", "student", "")) == "101");
}

TEST_CASE("the query may not contradict the token, nor make more of it") {
    Door door(true);
    const auto ask = [&](const Claims& told, const std::string& query) {
        return door.answer(query, "Authorization: Bearer " + token_of(told) + "\r\n");
    };
    Claims project = claims();
    project.pid = "p1";
    CHECK(ask(claims(), "user_id=bob") == "403 claim_mismatch");
    CHECK(ask(claims(), "role=instructor") == "403 claim_mismatch");
    CHECK(ask(claims("ada", "instructor"), "role=student") == "403 claim_mismatch");
    CHECK(ask(claims(), "session_id=algebra-2") == "403 claim_mismatch");
    CHECK(ask(project, "project_id=p2") == "403 claim_mismatch");
    CHECK(ask(project, "project_id=p1&user_id=ada") == "101");
    CHECK(ask(claims(), "user_id=bob&since=x") == "400 invalid_parameter");
    CHECK(ask(claims("ada", "", ""), "session_id=s&role=instructor") == "403 claim_mismatch");
    CHECK(ask(claims("ada", "", ""), "session_id=s&role=student") == "101");
    CHECK(ask(claims("ada", "", ""), "session_id=s") == "400 missing_parameter");
    CHECK(ask(claims("ada", "student", ""), "") == "400 missing_parameter");
}

TEST_CASE("a refused upgrade may be taken and closed with a code that pages can see") {
    Door door(false);
    door.accept_then_close = true;
    test::Client& client = door.ask("", "Sec-WebSocket-Protocol: wsd.v1\r\n");
    const test::Response response = door.server.response(client);
    CHECK(response.status == 101);
    CHECK(response.header("Sec-WebSocket-Protocol") == "wsd.v1");
    const test::Frame frame = door.server.next_frame(client);
    CHECK(test::show(frame) == "close:4400 missing_parameter: session_id is missing");
    CHECK(door.server.opened.empty());
    CHECK(door.server.closed.empty());
    client.send(test::bye(4400));
    client.end();
    CHECK(door.server.until([&] { return door.server.stats().connections_active == 0; }));
}

TEST_CASE("a refusal may say when to come again") {
    test::TestServer server;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        refuse(server, conn, {503, "server_full", "\"full\"", 7}, true, false);
    };
    server.start();
    test::Client& client = server.connect();
    client.send("GET /hub HTTP/1.1\r\nHost: a\r\n\r\n");
    const test::Response response = server.response(client);
    CHECK(response.status == 503);
    CHECK(response.header("Retry-After") == "7");
    CHECK(response.body == R"({"error":{"code":"server_full","message":"\"full\""}})");
}
