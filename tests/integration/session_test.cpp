// Sessions: how they are named, found, attached and ended, what they remember, and what bounds them.
#include <algorithm>
#include <set>

#include "support/test_server.h"

using namespace test;

namespace {

constexpr uint64_t kHour = 3600 * 1000;

// A server that notes which sessions end, and why.
struct SessionServer : TestServer {
    std::vector<std::pair<wsd_session, wsd_session_reason>> ended;

    SessionServer() {
        on_session_end = [this](wsd_session session, wsd_session_reason reason) {
            CHECK(told_.insert(session).second);
            ended.emplace_back(session, reason);
        };
    }
    ~SessionServer() { free(); }

    wsd_session create(const char* user = "ada", uint64_t timeout_ms = 0) {
        wsd_session session = 0;
        REQUIRE(wsd_session_create(*this, wsd_str_of(user), timeout_ms, &session) == WSD_OK);
        return session;
    }

    wsd_session_info session_info(wsd_session session) {
        wsd_session_info info = {};
        info.size = sizeof info;
        CHECK(wsd_session_info_get(*this, session, &info) == WSD_OK);
        return info;
    }

    int set(wsd_session session, const std::string& key, const std::string& value) {
        return wsd_session_set(*this, session, {key.data(), key.size()}, value.data(), value.size());
    }

    std::string get(wsd_session session, const std::string& key) {
        wsd_str value;
        CHECK(wsd_session_get(*this, session, {key.data(), key.size()}, &value) == WSD_OK);
        return value.p ? str(value) : "none";
    }

  private:
    std::set<wsd_session> told_;  // each ends once
};

}  // namespace

TEST_CASE("a session is found by its id, which is 32 random hexadecimal digits") {
    SessionServer server;
    server.start();
    std::set<std::string> ids;
    std::string digits;
    for (int i = 0; i < 200; i++) {
        const wsd_session session = server.create();
        const std::string id = server.session_info(session).id;
        CHECK(id.size() == 32);
        CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
        CHECK(ids.insert(id).second);
        CHECK(wsd_session_find(server, wsd_str_of(id.c_str())) == session);
        digits += id;
    }
    // 400 of each are to be expected.
    for (const char digit : std::string("0123456789abcdef")) {
        const auto count = std::count(digits.begin(), digits.end(), digit);
        CHECK(count > 250);
        CHECK(count < 550);
    }
    CHECK(server.stats().sessions_active == 200);
    CHECK(server.stats().sessions_created == 200);
    for (const char* const wrong : {"", "0", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0"}) {
        CHECK(wsd_session_find(server, wsd_str_of(wrong)) == 0);
    }
    CHECK(wsd_session_find(server, {nullptr, 0}) == 0);
}

TEST_CASE("what a session is told of itself") {
    SessionServer server;
    server.start();
    const wsd_session session = server.create("grace", 5000);
    server.pass(1000);
    wsd_conn conn;
    server.open(&conn);
    REQUIRE(wsd_session_attach(server, session, conn) == WSD_OK);
    const wsd_session_info info = server.session_info(session);
    CHECK(str(info.user) == "grace");
    CHECK(info.expires_ms == info.created_ms + 5000);
    CHECK(info.connected_ms == wsd_now_ms(server));
    CHECK(info.connected_ms >= info.created_ms + 1000);
    CHECK(info.connection_count == 1);
    CHECK(info.data_bytes == 0);
    const wsd_session nobody = server.create("");
    CHECK(server.session_info(nobody).user.len == 0);
    CHECK(server.session_info(nobody).connected_ms == 0);
}

TEST_CASE("a session expires at its time, and each touch sets that anew") {
    SessionServer server;
    server.config.session_timeout_ms = kHour;
    server.start();
    const wsd_session own = server.create("a", 5000), touched = server.create("b", 5000), usual = server.create("c");
    const std::string id = server.session_info(own).id;
    server.pass(4999);
    CHECK(server.ended.empty());
    CHECK(wsd_session_touch(server, touched, 10000) == WSD_OK);
    server.pass(1);
    REQUIRE(server.ended.size() == 1);
    CHECK(server.ended[0] == std::pair(own, WSD_SESSION_EXPIRED));
    CHECK(wsd_session_find(server, wsd_str_of(id.c_str())) == 0);
    CHECK(wsd_session_touch(server, own, 1) == WSD_E_CLOSED);
    server.pass(9998);
    CHECK(server.ended.size() == 1);
    server.pass(1);
    REQUIRE(server.ended.size() == 2);
    CHECK(server.ended[1].first == touched);
    server.pass(kHour);
    REQUIRE(server.ended.size() == 3);
    CHECK(server.ended[2].first == usual);
    CHECK(server.stats().sessions_expired == 3);
    CHECK(server.stats().sessions_active == 0);
}

TEST_CASE("with session_timeout_ms 0 a session stays until it is ended") {
    SessionServer server;
    server.config.session_timeout_ms = 0;
    server.start();
    const wsd_session session = server.create(), touched = server.create("b", 1000);
    CHECK(server.session_info(session).expires_ms == 0);
    CHECK(wsd_session_touch(server, touched, 0) == WSD_OK);
    server.pass(1000 * kHour);
    CHECK(server.ended.empty());
    CHECK(wsd_session_touch(server, session, UINT64_MAX) == WSD_OK);
    server.pass(1000 * kHour);
    CHECK(server.ended.empty());
}

TEST_CASE("a session outlives its connections, and several may be attached") {
    SessionServer server;
    server.start();
    const wsd_session session = server.create();
    wsd_conn a, b, c;
    Client& client_a = server.open(&a);
    server.open(&b, "Sec-WebSocket-Protocol: x\r\n");
    server.open(&c);
    for (const wsd_conn conn : {a, b, c, a}) CHECK(wsd_session_attach(server, session, conn) == WSD_OK);
    wsd_conn conns[2] = {};
    CHECK(wsd_session_conns(server, session, nullptr, 0) == 3);
    CHECK(wsd_session_conns(server, session, conns, 2) == 3);
    CHECK((conns[0] == a && conns[1] == b));
    CHECK(wsd_session_detach(server, b) == WSD_OK);
    CHECK(wsd_session_detach(server, b) == WSD_OK);
    CHECK(wsd_session_of(server, b) == 0);
    CHECK(wsd_session_of(server, a) == session);
    wsd_session in_on_close = 0;
    server.on_close = [&](const Closed& closed) { in_on_close = wsd_session_of(server, closed.conn); };
    client_a.reset();
    REQUIRE(server.until([&] { return server.closed.size() == 1; }));
    CHECK(in_on_close == session);
    CHECK(wsd_session_conns(server, session, conns, 2) == 1);
    CHECK(conns[0] == c);
    CHECK(wsd_abort(server, c) == WSD_OK);
    server.settle();
    CHECK(wsd_session_conns(server, session, conns, 2) == 0);
    CHECK(server.ended.empty());

    server.open(&a);
    CHECK(wsd_session_attach(server, session, a) == WSD_OK);
    CHECK(wsd_session_of(server, a) == session);
}

TEST_CASE("a connection that is attached to another session leaves the first") {
    SessionServer server;
    server.start();
    const wsd_session first = server.create("first"), second = server.create("second");
    wsd_conn conn;
    server.open(&conn);
    CHECK(wsd_session_attach(server, first, conn) == WSD_OK);
    CHECK(wsd_session_attach(server, second, conn) == WSD_OK);
    CHECK(wsd_session_conns(server, first, nullptr, 0) == 0);
    CHECK(wsd_session_conns(server, second, nullptr, 0) == 1);
    CHECK(wsd_session_end(server, first) == WSD_OK);
    server.settle();
    CHECK(wsd_session_of(server, conn) == second);
}

TEST_CASE("a connection may be attached from its request on, and not once it is closing") {
    SessionServer server;
    wsd_session session = 0;
    server.on_request = [&](wsd_conn conn, const wsd_request*) {
        CHECK(wsd_session_attach(server, session, conn) == WSD_OK);
        CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK);
    };
    server.start();
    session = server.create();
    wsd_conn conn;
    server.open(&conn);
    CHECK(wsd_session_of(server, conn) == session);
    CHECK(wsd_close(server, conn, 1000, nullptr, 0) == WSD_OK);
    CHECK(wsd_session_attach(server, session, conn) == WSD_E_CLOSED);
    CHECK(wsd_session_attach(server, session, 0) == WSD_E_CLOSED);
    CHECK(wsd_session_attach(server, 0, conn) == WSD_E_CLOSED);
    CHECK(wsd_session_detach(server, 0) == WSD_E_CLOSED);
}

TEST_CASE("a session remembers values by key, the latest of each") {
    SessionServer server;
    server.start();
    const wsd_session session = server.create();
    CHECK(server.get(session, "role") == "none");
    CHECK(server.set(session, "role", "student") == WSD_OK);
    CHECK(server.set(session, "name", "Ada") == WSD_OK);
    CHECK(server.set(session, "empty", "") == WSD_OK);
    CHECK(server.set(session, "role", "instructor") == WSD_OK);
    CHECK(server.get(session, "role") == "instructor");
    CHECK(server.get(session, "name") == "Ada");
    CHECK(server.get(session, "empty").empty());
    CHECK(server.session_info(session).data_bytes == 3 * 16 + 14 + 7 + 5);

    // A value may be set to a part of what it was.
    wsd_str value;
    REQUIRE(wsd_session_get(server, session, wsd_str_of("role"), &value) == WSD_OK);
    CHECK(wsd_session_set(server, session, wsd_str_of("role"), value.p, 2) == WSD_OK);
    CHECK(server.get(session, "role") == "in");

    for (const char* const key : {"role", "role", "name", "empty"}) {
        CHECK(wsd_session_set(server, session, wsd_str_of(key), nullptr, 0) == WSD_OK);
        CHECK(server.get(session, key) == "none");
    }
    CHECK(server.session_info(session).data_bytes == 0);
}

TEST_CASE("what a session remembers is bounded, and what does not fit changes nothing") {
    SessionServer server;
    server.config.session_data_max_bytes = 100;
    server.start();
    const wsd_session session = server.create();
    CHECK(server.set(session, "k", std::string(100 - 16 - 1, 'v')) == WSD_OK);
    CHECK(server.set(session, "j", "") == WSD_E_LIMIT);
    CHECK(server.set(session, "k", std::string(100 - 16, 'w')) == WSD_E_LIMIT);
    CHECK(server.get(session, "k") == std::string(83, 'v'));
    CHECK(server.set(session, "k", "short") == WSD_OK);
    CHECK(server.set(session, "j", "fits now") == WSD_OK);
    const std::string longest(WSD_SESSION_KEY_MAX_BYTES, 'k');
    CHECK(server.set(session, longest, "") == WSD_E_LIMIT);
    CHECK(server.set(session, longest + "k", "") == WSD_E_INVALID);
    CHECK(server.set(session, "", "") == WSD_E_INVALID);
    CHECK(wsd_session_set(server, session, wsd_str_of("k"), nullptr, 1) == WSD_E_INVALID);
}

TEST_CASE("over their limits sessions and connections are refused") {
    SessionServer server;
    server.config.session_max_count = 2;
    server.config.session_connection_max_count = 1;
    server.start();
    const wsd_session one = server.create(), two = server.create();
    wsd_session three = 77;
    CHECK(wsd_session_create(server, wsd_str_of("x"), 0, &three) == WSD_E_LIMIT);
    CHECK(three == 77);
    wsd_conn a, b;
    server.open(&a);
    server.open(&b);
    CHECK(wsd_session_attach(server, one, a) == WSD_OK);
    CHECK(wsd_session_attach(server, one, b) == WSD_E_LIMIT);
    CHECK(wsd_session_attach(server, one, a) == WSD_OK);
    CHECK(wsd_session_end(server, two) == WSD_OK);
    CHECK(wsd_session_create(server, wsd_str_of("x"), 0, &three) == WSD_OK);
    const std::string user(WSD_SESSION_USER_MAX_BYTES + 1, 'u');
    CHECK(wsd_session_create(server, {user.data(), user.size()}, 0, &three) == WSD_E_INVALID);
    CHECK(wsd_session_create(server, {nullptr, 1}, 0, &three) == WSD_E_INVALID);
    CHECK(wsd_session_create(server, {nullptr, 0}, 0, nullptr) == WSD_E_INVALID);
}

TEST_CASE("an ended session can be looked at until on_session_end returns, and its connections stay open") {
    SessionServer server;
    wsd_conn conn = 0;
    int told = 0;
    server.on_session_end = [&](wsd_session session, wsd_session_reason reason) {
        told++;
        CHECK(reason == WSD_SESSION_ENDED);
        CHECK(str(server.session_info(session).user) == "ada");
        CHECK(server.get(session, "k") == "v");
        wsd_conn attached = 0;
        CHECK(wsd_session_conns(server, session, &attached, 1) == 1);
        CHECK(attached == conn);
        CHECK(wsd_send(server, attached, WSD_TEXT, "over", 4) == WSD_OK);
        CHECK(server.set(session, "k", "w") == WSD_E_CLOSED);
        CHECK(wsd_session_attach(server, session, conn) == WSD_E_CLOSED);
        CHECK(wsd_session_end(server, session) == WSD_E_CLOSED);
    };
    server.start();
    Client& client = server.open(&conn);
    const wsd_session session = server.create();
    const std::string id = server.session_info(session).id;
    CHECK(server.set(session, "k", "v") == WSD_OK);
    CHECK(wsd_session_attach(server, session, conn) == WSD_OK);
    CHECK(wsd_session_end(server, session) == WSD_OK);
    CHECK(wsd_session_end(server, session) == WSD_E_CLOSED);
    CHECK(wsd_session_find(server, wsd_str_of(id.c_str())) == 0);
    CHECK(told == 0);  // never before a call returns
    CHECK(wsd_server_timeout(server) == 0);
    CHECK(server.next(client) == "text:over");
    CHECK(told == 1);
    CHECK(wsd_session_of(server, conn) == 0);
    wsd_str value;
    CHECK(wsd_session_get(server, session, wsd_str_of("k"), &value) == WSD_E_CLOSED);
    CHECK(wsd_session_conns(server, session, nullptr, 0) == 0);
    client.send(text("still here"));
    CHECK(server.next(client) == "text:still here");
}

TEST_CASE("on_session_end may end and create sessions, and the loop goes on with those") {
    SessionServer server;
    std::vector<wsd_session> others;
    server.on_session_end = [&](wsd_session session, wsd_session_reason) {
        server.ended.emplace_back(session, WSD_SESSION_ENDED);
        if (server.ended.size() > 3) return;
        (void)wsd_session_end(server, others[server.ended.size() - 1]);
        others.push_back(server.create());
    };
    server.start();
    for (int i = 0; i < 4; i++) others.push_back(server.create());
    const wsd_session first = server.create();
    CHECK(wsd_session_end(server, first) == WSD_OK);
    server.settle();
    CHECK(server.ended.size() == 4);
    CHECK(server.stats().sessions_active == 4);
}

TEST_CASE("with the server every session ends, after the connections") {
    SessionServer server;
    bool closed_first = false;
    int refused = 0;
    server.start();
    const wsd_session session = server.create(), other = server.create();
    wsd_conn conn;
    server.open(&conn);
    CHECK(wsd_session_attach(server, session, conn) == WSD_OK);
    CHECK(wsd_session_end(server, other) == WSD_OK);
    server.on_session_end = [&](wsd_session ended, wsd_session_reason reason) {
        closed_first = server.closed.size() == 1;
        server.ended.emplace_back(ended, reason);
        wsd_session late;
        refused += wsd_session_create(server, {nullptr, 0}, 0, &late) == WSD_E_CLOSED;
    };
    server.free();
    CHECK(closed_first);
    CHECK(refused == 2);
    REQUIRE(server.ended.size() == 2);
    CHECK(server.ended[0] == std::pair(other, WSD_SESSION_ENDED));
    CHECK(server.ended[1] == std::pair(session, WSD_SESSION_SERVER));
}

TEST_CASE("thousands of sessions come and go and leave nothing behind") {
    SessionServer server;
    server.start();
    std::vector<wsd_session> sessions;
    for (int i = 0; i < 5000; i++) {
        sessions.push_back(server.create("user", uint64_t(1000 + i)));
        REQUIRE(server.set(sessions.back(), "number", std::to_string(i)) == WSD_OK);
    }
    for (size_t i = 0; i < sessions.size(); i += 2) REQUIRE(wsd_session_end(server, sessions[i]) == WSD_OK);
    server.turn();
    CHECK(server.ended.size() == 2500);
    for (size_t i = 1; i < sessions.size(); i += 2) REQUIRE(server.get(sessions[i], "number") == std::to_string(i));
    server.now_ms += 10000;
    server.settle();
    CHECK(server.ended.size() == 5000);
    CHECK(server.stats().sessions_active == 0);
    CHECK(server.stats().sessions_expired == 2500);
}
