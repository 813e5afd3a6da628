// The hub's sessions and the people in them: what is where, and who points to whom. The hub owns sessions and
// connections, and sessions own people. A connection is freed at its on_close, and a session in a turn of its own once
// its last connection is; people last as long as any connection of theirs. So within a callback all that was found
// stays where it is. What comes back in a later turn (a post, a timer, the disk) looks up again what it was about.
//
//     Hub -> Session -> Person -> Connection       User: a person's rate, whatever sessions it is in
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/hub/entry.h"
#include "app/hub/envelope.h"
#include "app/hub/history.h"
#include "app/hub/store.h"
#include "app/hub/votes.h"
#include "app/log.h"
#include "wsd.h"

namespace app::hub {

struct Hub;
struct Session;
struct Person;
struct PendingChanges;

// Found by their text without making a std::string of it.
struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using ByName = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

// A token bucket of messages: `rate_per_min` on average and `burst` at once.
struct RateBucket {
    double tokens = 0;
    uint64_t filled_ms = 0;  // loop time
};

struct User {
    RateBucket bucket;
    size_t person_count = 0;   // sessions in which this user is online
    bool idle_listed = false;  // in Hub::idle_users
};

// What a connection is to hear of a message that it sent, in that one's place, so that the numbers it hears rise.
struct Owed {
    std::string id;        // the sender's
    uint32_t ack_count;    // as often as it has sent it
    bool message = false;  // it is to get the message, too
};

// One WebSocket of a person. What it is owed of the stored messages is told by a cursor: those from `next_seq` on. Live
// traffic is a cursor at the end; a newcomer, someone who resumes and someone whose queue was full for a while are the
// same thing, a cursor further back (see pump.h). What hardly any of them has is in lists, as those take no memory
// while they are empty.
struct Connection {
    wsd_conn conn = 0;
    Session* session = nullptr;
    Person* person = nullptr;
    Role role = Role::kStudent;
    std::string id;                                  // as the welcome tells it
    uint64_t next_seq = 1;                           // the next stored message to be looked at for it
    uint64_t replayed_count = 0;                     // sent to it before it was first live
    bool complete = false;                           // has been told that its history is: is or was live
    bool told_who = false;                           // has been told who is there
    bool live = false;                               // is up to date and has room, so that it sees what is not stored
    bool reading = false;                            // a History::read() for it is under way
    bool full = false;                               // its queue refused something: on_drain follows
    bool pumping = false;                            // pump() is at it
    bool closing = false;                            // is in no list of its session and person any more
    std::list<std::shared_ptr<const Record>> ahead;  // read from disk and not yet sent; the first is next_seq
    uint64_t ahead_end = 0;                          // next_seq behind them
    std::vector<Missing> missing;                    // of its history
    std::map<uint64_t, Owed> owed;                   // acks, by number: each goes out when the cursor passes it
    std::list<std::string> held;                     // answers that found its queue full
    bool paused = false;                             // is not read from, as too much of its own is unanswered
    uint32_t malformed_in_row = 0;
    wsd_timer expiry = 0;      // of its token
    size_t index = 0;          // in Session::connections
    size_t presence_seen = 0;  // of Session::presence_changes, those that its snapshot has
    Hub* hub = nullptr;
};

// Somebody is shown to the others as typing: until this fires or is freed.
struct Typing {
    Typing() = default;
    ~Typing();  // handlers.cpp
    Typing(const Typing&) = delete;
    Typing& operator=(const Typing&) = delete;

    Hub* hub = nullptr;
    Session* session = nullptr;
    Person* person = nullptr;
    wsd_conn conn = 0;  // where it types
    wsd_timer timer = 0;
};

// Somebody who is on the session's list or has been in it.
struct Person {
    std::string user_id;
    std::string name;  // empty: none told
    Role role = Role::kStudent;
    bool member = false;
    std::vector<Connection*> connections;  // in the order in which they came
    size_t connection_count = 0;           // that point here: also those that are closing
    bool guest_listed = false;             // in Session::guests
    int64_t last_seen_ms = 0;              // since 1970; 0: never
    std::unique_ptr<Typing> typing;        // null while it does not; never while it is offline
    bool online() const { return !connections.empty(); }
};

enum class SessionStatus : uint8_t { kActive, kPaused };

// A stored message whose receivers were asked to acknowledge.
struct Delivery {
    Hub* hub = nullptr;
    Session* session = nullptr;
    std::shared_ptr<const Record> record;     // `from` is who is told what becomes of it
    std::string id;                           // the sender's
    std::unordered_set<std::string> waiting;  // users who have not
    unsigned retries = 0;
    wsd_timer timer = 0;
};

// A message that has been judged and numbered, on its way to the history.
struct Staged {
    std::shared_ptr<const Record> record;
    std::string id;                                   // the sender's
    bool wants_acks = false;                          // of its receivers
    std::function<void(uint64_t seq, bool ok)> done;  // may be empty
};

// One that has been committed, built for the wire while it goes out to many. See pump.cpp.
struct Fresh {
    std::shared_ptr<const Record> record;
    wsd_prepared* prepared = nullptr;  // null where memory was short
};

struct Session {
    std::string id, name, project_id;
    SessionStatus status = SessionStatus::kActive;
    bool several_per_user = false;
    bool students_may_broadcast = true;
    std::shared_ptr<PendingChanges> changes;  // of its definition; null: none so far
    ByName<std::unique_ptr<Person>> people;
    std::vector<std::string> members;      // user ids, in the order of the list
    std::deque<std::string> guests;        // who is not on it and has left, oldest first; some may be back
    std::vector<Connection*> connections;  // all that are in; of any role
    Votes votes;
    std::unique_ptr<History> history;  // null once the session has ended
    uint64_t staged_seq = 0;           // the newest number given out; history->last_seq() is the newest committed

    std::vector<Staged> staged;                 // to go to the history at the end of this turn
    std::vector<Staged> under_way;              // gone there, its answer awaited
    std::optional<Votes> staged_votes;          // as they were before what is staged, where that changed them
    std::optional<Votes> under_way_votes;       // the same of what is under way
    bool votes_taken_back = false;              // since the last commit; the list may have changed meanwhile
    std::vector<Fresh> fresh;                   // rising; while a commit is sent out
    ByName<uint64_t> seen_ids;                  // "user\nid" -> number: the same message is taken once
    std::deque<const std::string*> seen_order;  // its keys, oldest first
    std::unordered_map<uint64_t, std::unique_ptr<Delivery>> deliveries;  // by number
    std::vector<std::string> presence_changes;                           // user ids, told of at the end of this turn
    bool turn_end_due = false;                                           // is in Hub::due
    bool ended = false;
    size_t connection_count = 0;  // that point here: also those that are closing

    // Whoever will be called back later about this session holds it weakly, and knows by that whether it still is.
    // Freed before anything else.
    std::shared_ptr<const bool> alive = std::make_shared<const bool>(true);
};

struct HubOptions {
    uint32_t session_max_count = 10000;   // 0: no limit
    uint32_t messages_per_user_min = 60;  // 0: no limit
    uint32_t message_burst = 0;           // 0: as the rate
    uint32_t retry_interval_ms = 30000;   // between resends of what is not acknowledged
    uint32_t typing_timeout_ms = 5000;
    uint32_t resume_timeout_s = 86400;    // how long a resume token is good
    uint64_t seen_id_max_count = 100000;  // of each session; the oldest are forgotten first
    size_t guest_max_count = 1000;        // of each session, who has left; the oldest are forgotten first
    bool accept_then_close = false;
};

// Somebody whose upgrade was accepted, and whose on_open follows at once.
struct Entering {
    wsd_conn conn = 0;
    Entry entry;
};

struct Hub {
    wsd_server* server = nullptr;
    Log* log = nullptr;
    HubOptions options;
    TokenRules tokens;                               // no secrets: the query is believed
    std::string admin_key;                           // empty: the control API is off
    std::unordered_set<std::string> sessions_to_be;  // ids of those whose definition is being stored
    std::string resume_secret;
    std::unique_ptr<Store> store;
    ByName<std::unique_ptr<Session>> sessions;
    std::vector<std::unique_ptr<Session>> ended_sessions;  // with connections that have not closed yet
    std::unordered_map<wsd_conn, std::unique_ptr<Connection>> connections;
    ByName<User> users;
    std::vector<std::string> idle_users;       // online nowhere, to be forgotten once their bucket is full
    wsd_timer idle_timer = 0;                  // looks at those
    std::vector<Session*> due;                 // have something to do at the end of this turn
    std::vector<std::function<void()>> later;  // to be called then
    bool turn_end_posted = false;
    std::optional<Entering> entering;
    std::function<void(wsd_conn conn, int status)> on_answer;  // of the control API, also a late one; may be empty
    uint32_t heartbeat_s = 30;
    uint64_t connections_total = 0;  // that entered since the start
};

}  // namespace app::hub
