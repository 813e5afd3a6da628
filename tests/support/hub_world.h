// A session of the hub with its clients on real sockets, and a history that does what the test says: it may answer
// late, refuse, hold only the newest in memory, and lose what it had. Time is TestServer's.
//
//     HubWorld world;
//     Client& bob = world.enter("bob");
//     CHECK(world.heard(bob) == "welcome history_complete:0 presence:bob+");
//     world.say("system");
//     CHECK(world.heard(bob) == "message:1");
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/hub/delivery.h"
#include "app/hub/hub.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/wall_clock.h"
#include "support/fake_store.h"
#include "support/test_server.h"

namespace test {

// What the test sees of a history, also once the hub has freed it.
struct HistoryState {
    std::deque<std::shared_ptr<const app::hub::Record>> records;  // committed, without a gap from `first` on
    uint64_t last_seq = 0;
    uint64_t recent_count = 1000000;  // of the newest ones, which are in memory
    uint64_t read_count = 2;          // records in a chunk
    bool answers_late = false;        // appends and reads wait for answer()
    bool refuses = false;             // appends
    bool unreadable = false;          // what is not in memory
    std::vector<app::hub::Missing> missing;
    std::deque<std::function<void()>> waiting;
    size_t append_count = 0;

    uint64_t first_seq() const { return records.empty() ? 0 : records.front()->seq; }
    void answer() {
        REQUIRE(!waiting.empty());
        const auto next = std::move(waiting.front());
        waiting.pop_front();
        next();
    }
    void drop_before(uint64_t seq) {
        while (!records.empty() && records.front()->seq < seq) records.pop_front();
    }
};

class TestHistory : public app::hub::History {
  public:
    explicit TestHistory(std::shared_ptr<HistoryState> state) : state_(std::move(state)) {}

    uint64_t first_seq() const override { return state_->first_seq(); }
    uint64_t last_seq() const override { return state_->last_seq; }

    void append(std::vector<std::shared_ptr<const app::hub::Record>> records,
                std::function<void(bool ok)> done) override {
        state_->append_count++;
        CHECK(!appending_);  // one at a time
        appending_ = true;
        answer_when_due([this, state = state_, records = std::move(records), done = std::move(done)] {
            appending_ = false;
            for (size_t i = 0; !state->refuses && i < records.size(); i++) {
                CHECK(records[i]->seq == state->last_seq + 1);
                state->records.push_back(records[i]);
                state->last_seq++;
            }
            done(!state->refuses);
        });
    }

    std::shared_ptr<const app::hub::Record> recent(uint64_t seq) const override {
        return seq + state_->recent_count > state_->last_seq ? find(seq) : nullptr;
    }

    void read(uint64_t seq, size_t, std::function<void(app::hub::Chunk)> done) override {
        answer_when_due([state = state_, seq, done = std::move(done)] {
            app::hub::Chunk chunk;
            chunk.failed = state->unreadable;
            chunk.next_seq = seq;
            for (const auto& record : state->records) {
                if (record->seq < seq || chunk.records.size() == state->read_count || chunk.failed) continue;
                if (!is_missing(*state, record->seq)) chunk.records.push_back(record);
                chunk.next_seq = record->seq + 1;
            }
            for (const app::hub::Missing& range : state->missing) {
                if (range.first >= seq && range.last < chunk.next_seq) chunk.missing.push_back(range);
            }
            done(std::move(chunk));
        });
    }

  private:
    static bool is_missing(const HistoryState& state, uint64_t seq) {
        return std::any_of(state.missing.begin(), state.missing.end(),
                           [seq](const app::hub::Missing& range) { return range.first <= seq && seq <= range.last; });
    }

    std::shared_ptr<const app::hub::Record> find(uint64_t seq) const {
        const uint64_t first = state_->first_seq();
        return first && seq >= first && seq <= state_->last_seq ? state_->records[seq - first] : nullptr;
    }

    void answer_when_due(std::function<void()> answer) {
        if (!state_->answers_late) return answer();
        // Nobody is called once this is freed.
        state_->waiting.push_back([alive = std::weak_ptr<int>(alive_), answer = std::move(answer)] {
            if (!alive.expired()) answer();
        });
    }

    std::shared_ptr<HistoryState> state_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
    bool appending_ = false;
};

// A message of the hub in a word: "message:3", "message:3 retry 1", "welcome", "history_complete:2",
// "presence:ada+,bob-", "joined:bob", "left:bob:timeout", "ack:3", "error:internal", "delivered:3",
// "delivery_failed:3:bob,eve".
std::string hub_word(const std::string& envelope);

class HubWorld {
  public:
    HubWorld() {
        hub.options.messages_per_user_min = 0;
        hub.resume_secret = "0123456789abcdef0123456789abcdef";
        hub.store = std::make_unique<FakeStore>(&disk);
        // Clients that say nothing for minutes are the hub's business here.
        server.config.ping_interval_ms = server.config.stale_timeout_ms = server.config.idle_timeout_ms = 0;
        server.on_request = [this](wsd_conn conn, const wsd_request*) { admit(conn); };
        server.on_open = [this](wsd_conn conn) {
            app::hub::Session* const found = app::hub::find_session(hub, entry.session_id);
            REQUIRE(found);
            (void)app::hub::enter(hub, *found, conn, entry);
        };
        server.on_message = [](wsd_conn, wsd_opcode, std::string_view) {};
        server.on_drain = [this](wsd_conn conn) {
            app::hub::Connection* const connection = app::hub::find_connection(hub, conn);
            if (connection) app::hub::drained(hub, *connection);
        };
        server.on_close = [this](const Closed& closed) {
            app::hub::Connection* const connection = app::hub::find_connection(hub, closed.conn);
            wsd_close_info info = {};
            info.cause = closed.cause;
            if (connection) app::hub::leave(hub, connection, app::hub::leave_reason(info));
        };
        add_session("algebra-1", {"ada", "bob", "eve"});
    }
    ~HubWorld() {
        server.free();
        CHECK(hub.connections.empty());
    }

    TestServer server;
    FakeDisk disk;  // of definitions
    app::hub::Hub hub;
    app::hub::Entry entry;  // of the next who enters
    std::map<std::string, std::shared_ptr<HistoryState>> histories;
    std::optional<app::hub::Refusal> refusal;  // of the last who was not let in

    app::hub::Session& session(const std::string& id = "algebra-1") { return *app::hub::find_session(hub, id); }
    HistoryState& history(const std::string& id = "algebra-1") { return *histories[id]; }

    void start() { listen(false); }
    void start_narrow() { listen(true); }

    app::hub::Session& add_session(const std::string& id, const std::vector<std::string>& students) {
        auto made = std::make_unique<app::hub::Session>();
        made->id = id;
        for (const std::string& student : students) {
            auto person = std::make_unique<app::hub::Person>();
            person->user_id = student;
            person->member = true;
            made->people.emplace(student, std::move(person));
            made->members.push_back(student);
        }
        histories[id] = std::make_shared<HistoryState>();
        made->history = std::make_unique<TestHistory>(histories[id]);
        return *(hub.sessions[id] = std::move(made));
    }

    // Somebody who enters as `entry` says, but for the name and the role.
    Client& enter(const std::string& user_id, app::hub::Role role = app::hub::Role::kStudent,
                  wsd_conn* conn = nullptr) {
        if (entry.session_id.empty()) entry.session_id = "algebra-1";
        entry.user_id = user_id;
        entry.role = role;
        Client& client = server.open(conn);
        return client;
    }

    // Has a user say something to everyone, with `origin` as the connection that it came from.
    uint64_t say(const std::string& from, wsd_conn origin = 0, app::hub::Draft draft = {}) {
        const app::hub::Session& there = session();
        const auto person = there.people.find(from);
        draft.type = "message";
        draft.from = from;
        if (person != there.people.end()) draft.role = person->second->role;
        draft.origin = origin;
        draft.answered = origin != 0;
        return app::hub::publish(hub, session(), draft);
    }

    // All that a client has heard until nothing moves any more, in words.
    std::string heard(Client& client) {
        server.settle();
        std::string words;
        while (const auto frame = take_frame(client.input)) {
            if (!words.empty()) words += ' ';
            const bool is_text = (frame->first & 15) == 1;
            if (is_text) last_text = frame->payload;
            words += is_text ? hub_word(frame->payload) : show(*frame);
        }
        return words;
    }
    std::string last_text;  // of the last that was heard

  private:
    void listen(bool narrow) {
        if (narrow)
            server.start_narrow();
        else
            server.start();
        hub.server = server;
    }

    void admit(wsd_conn conn) {
        app::hub::Session* found = nullptr;
        refusal = app::hub::admit(hub, entry, &found);
        if (refusal)
            CHECK(wsd_respond(server, conn, refusal->status, nullptr, 0, nullptr, 0) == WSD_OK);
        else
            CHECK(wsd_accept(server, conn, nullptr, nullptr, 0) == WSD_OK);
    }
};

// ------------------------------------------------------------------------------------------------------------- in
// words

inline std::string hub_users(const app::Json& users) {
    std::vector<std::string> words;
    for (const app::Json& user : users.items()) {
        words.push_back(std::string(user.find("user_id")->string()) + (user.find("online")->boolean() ? '+' : '-'));
    }
    std::sort(words.begin(), words.end());
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : ",") + word;
    return all;
}

inline std::string hub_event(const app::Json& data) {
    std::string word(data.find("event")->string());
    if (const app::Json* const count = data.find("count")) word += ':' + std::string(count->text());
    if (const app::Json* const missing = data.find("missing")) word += ':' + std::string(missing->text());
    if (const app::Json* const seq = data.find("seq")) word += ':' + std::string(seq->text());
    if (const app::Json* const to = data.find("to")) word += ':' + std::string(to->text());
    const app::Json* const resumed = data.find("resumed");
    return resumed && resumed->boolean() ? word + ":resumed" : word;
}

inline std::string hub_word(const std::string& envelope) {
    app::Json json;
    app::JsonError error;
    if (!app::parse_json(envelope, {1u << 20, 32}, &json, &error)) return "no JSON";
    const std::string type(json.find("type")->string());
    const app::Json& data = *json.find("data");
    const app::Json* const seq = json.find("seq");
    const app::Json* const retry = json.find("retry");
    if (type == "presence") return "presence:" + hub_users(*data.find("users"));
    if (type == "attendee_joined") return "joined:" + std::string(data.find("user_id")->string());
    if (type == "attendee_left") {
        return "left:" + std::string(data.find("user_id")->string()) + ':' + std::string(data.find("reason")->string());
    }
    if (type == "error") return "error:" + std::string(data.find("code")->string());
    if (type == "system" || (type == "status" && data.find("event"))) return hub_event(data);
    std::string word = type;
    if (seq) word += ':' + std::string(seq->text());
    return retry ? word + " retry " + std::string(retry->text()) : word;
}

}  // namespace test
