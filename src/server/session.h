// Sessions: what an application knows about a user for longer than a connection lasts. A session is named by an id that
// nobody can guess, holds a bounded amount of data, and ends at its time unless it is touched. Connections come and go.
#pragma once

#include "base/hash_map.h"
#include "server/extra.h"
#include "server/pool.h"

namespace wsd::server {

constexpr size_t kSessionIdLen = WSD_SESSION_ID_SIZE - 1;

// A value that a session remembers; its key and then its bytes lie behind it. It counts against the limit itself, too,
// so that many small ones are bounded.
struct SessionValue {
    SessionValue* next;
    uint32_t key_len;
    uint32_t value_len;

    uint8_t* key() { return reinterpret_cast<uint8_t*>(this + 1); }
    uint8_t* value() { return key() + key_len; }
};
static_assert(sizeof(SessionValue) == 16);  // wsd.h says so

struct Session {
    Handle handle;
    HashNode node;  // in Sessions::by_id while it has not ended
    Server* server = nullptr;
    net::Timer expiry;
    uint64_t expires_ms = 0;            // 0: never
    uint64_t created_ms = 0;            // loop time
    uint64_t connected_ms = 0;          // loop time of the last attaching; 0: none yet
    char* user = nullptr;               // owned, user_len bytes; null for none
    SessionValue* values = nullptr;     // owned; few, by data_bytes
    size_t data_bytes = 0;              // of all values, keys and what stands in front of them included
    List extras;                        // Extra::of_session of the connections attached to it
    uint32_t conn_count = 0;            // in that list
    ListNode ended_node;                // in Sessions::ended once it has ended
    wsd_session_reason reason = {};     // 0 while it lives
    uint8_t user_len = 0;               // <= WSD_SESSION_USER_MAX_BYTES
    char id[WSD_SESSION_ID_SIZE] = {};  // lower-case hexadecimal digits, NUL-terminated
};

struct Sessions {
    HashMap by_id;
    List ended;  // on_session_end is due
    uint32_t live_count = 0;
    bool closing = false;  // the server is being freed: no new ones
    Pool<Session> pool;

    explicit Sessions(Mem& mem) : pool(mem, Purpose::kSession) {}
};

void sessions_init(Sessions& sessions, Mem& mem, const HashKey& key);

// Calls on_session_end for those that have ended before this call, and frees them.
void sessions_tell_ended(Server& server);

// Ends all and gives everything back. No connection is left.
void sessions_close(Server& server);

// Makes a session that expires after `timeout_ms`; 0: never. WSD_OK, or why not.
[[nodiscard]] int session_create(Server& server, Bytes user, uint64_t timeout_ms, Session** session);

// The living session with that id, or null.
Session* session_find(Server& server, Bytes id);

// Everything below but session_get() is for sessions that live.
[[nodiscard]] int session_attach(Session& session, Conn& conn);
void session_detach(Conn& conn);
void session_touch(Session& session, uint64_t timeout_ms);
[[nodiscard]] int session_set(Session& session, Bytes key, Bytes value);
void session_unset(Session& session, Bytes key);

// Null if there is none.
SessionValue* session_get(const Session& session, Bytes key);

// It can be found no more; on_session_end is told at the end of the turn.
void session_end(Session& session, wsd_session_reason reason);

}  // namespace wsd::server
