// One connection, from accept to close, in the order its bytes take. The calls of the fast path:
//
//   in    reactor_turn -> conn_ready -> conn_read -> conn_feed -> conn_deliver -> on_message
//   out   wsd_send -> conn_send_message -> the cork            ... conn_flush -> one write
//         wsd_publish -> conn_send_prepared -> the queue       ... conn_flush -> one write
//
// What is not short, or not alone, goes by conn_send.
//
// Reading is in conn.cpp, sending in conn_send.cpp, ending in conn_close.cpp, deadlines in heartbeat.cpp, the HTTP
// phase in upgrade.cpp, pausing in conn_pause.cpp, and compression in conn_inflate.cpp and conn_deflate.cpp.
#pragma once

#include "net/out_queue.h"
#include "net/reactor.h"
#include "server/pool.h"
#include "ws/close.h"
#include "ws/message.h"
#include "wsd.h"

namespace wsd::server {

using Server = ::wsd_server;
using Upgrade = ::wsd_request;
struct Inflating;  // compression.h
struct Listener;   // server.h
struct Takeover;
struct Visitor;  // limits.h
struct Extra;    // extra.h

// Forward only.
enum class Phase : uint8_t {
    kHttp,       // requests are read, decided and answered (upgrade.cpp)
    kOpen,       // messages go both ways
    kClosing,    // our close frame is on its way; of what comes, only the peer's close frame counts
    kLingering,  // nothing more will be said: once the queue is out, the stream is ended and its end awaited
    kDead,       // the descriptor is closed; on_close and the memory wait for the end of the turn
};

// What the end of the turn owes a connection.
using Work = uint8_t;
constexpr Work kWorkRead = 1 << 0;    // input is waiting that brings no new edge
constexpr Work kWorkFlush = 1 << 1;   // output is waiting
constexpr Work kWorkDrain = 1 << 2;   // on_drain is due
constexpr Work kWorkDecide = 1 << 3;  // a request was decided outside on_request
constexpr Work kWorkEnd = 1 << 4;     // dead: on_close is due, then the slot goes

// A message that did not come in one piece. Exists from its first torn byte to its last.
struct Assembly {
    ws::Message message;
    net::SharedBlock* block;  // the payload so far; held; null when pieces are delivered or skipped as they come
    size_t len;               // of it

    // Of a compressed message.
    Inflating* inflating;     // owned; null when the message comes in one piece
    uint64_t inflated_bytes;  // that have been judged
    Bytes decoded;            // all of it at its end, where there is no block: in a window
};

// Input that cannot be used yet: a torn frame header fits the slot, anything longer has a block of its own.
constexpr uint32_t kCarryInSlot = 16;
static_assert(kCarryInSlot >= ws::kFrameHeaderMax);

struct Conn {
    Handle handle;
    net::Source source;
    Server* server = nullptr;
    net::Timer deadline;  // the earliest that applies in this phase, or earlier (heartbeat.cpp)
    ListNode work_node;   // in server->line while `work` is not 0
    union {
        uint8_t carry[kCarryInSlot] = {};  // carry_len <= kCarryInSlot
        uint8_t* carry_block;              // longer; owned
        uint8_t* reason;                   // after the close handshake began, no input is carried: the reason, owned
    };
    uint32_t carry_len = 0;
    uint32_t rtt_ms = UINT32_MAX;
    Upgrade* upgrade = nullptr;    // the request being read or decided; owned; null at rest
    Assembly* in = nullptr;        // owned; null at rest
    net::OutQueue* out = nullptr;  // owned; null at rest
    Takeover* takeover = nullptr;  // owned; null without context takeover
    Extra* extra = nullptr;        // what few connections have; owned; null: none of it
    void* user = nullptr;          // the application's; never read here
    uint64_t last_rx_ms = 0;       // loop time of the last byte received
    uint64_t since_ms = 0;         // start of the request (kHttp), last message (kOpen), end of sending (later)
    uint64_t ping_sent_ms = 0;     // of the latest ping of ours, or of the opening
    uint32_t ping_number = 0;      // in its payload, so that its pong is known
    uint16_t close_code = 0;       // for on_close: the peer's once it came, ours before
    int16_t error = 0;             // the wsd_result behind `cause`
    uint8_t reason_len = 0;        // of `reason`
    uint8_t deflate_bits = 0;      // the windows agreed on: server's * 16 + client's; 0 without permessage-deflate
    uint8_t listener : 6 = 0;      // < kListenerMax
    bool answered : 1 = false;     // a plain request was answered here: no handshake that could fail
    bool deflating : 1 = false;    // the message sent last is compressed, and its fragments to come
    Phase phase = Phase::kHttp;
    wsd_cause cause : 7 = {};     // why it ends; 0 while it lives
    bool tells_room : 1 = false;  // the loop tells when there is room to write again
    Work work = 0;

    bool readable : 1 = false;      // an edge came and the end of input has not been met since
    bool writable : 1 = true;       // the kernel took all that it was offered last
    bool end_told : 1 = false;      // the peer's end has been announced, so that end brings no edge of its own
    bool end_seen : 1 = false;      // and read
    bool large_before : 1 = false;  // the last message was larger than the receive buffer
    bool paused : 1 = false;        // by wsd_pause()
    bool held : 1 = false;          // by the memory budget or the message rate; kOpen only
    bool opened : 1 = false;        // on_open was called, so on_close will be
    bool high : 1 = false;          // the queue reached a high mark and has not drained since
    bool fragmenting : 1 = false;   // inside a message sent by wsd_send_fragment()
    bool close_sent : 1 = false;    // a close frame of ours has been queued
    bool close_received : 1 = false;
    bool shut : 1 = false;          // our direction of the stream has been ended
    bool ping_pending : 1 = false;  // the pong for ping_number has not come
    bool proxy_due : 1 = false;     // a PROXY header may, or must, still come before the first request
    bool admin : 1 = false;         // of an admin listener, with plain requests only so far: no drain waits for it
};
static_assert(sizeof(Conn) <= 192);

// ------------------------------------------------------------------------------------------- receiving (conn.cpp)

// Takes over a connected socket: it joins the loop, which tells of what has come with it. Closes `fd` if it cannot, and
// counts `visitor` out. Where `proxy_due`, a PROXY header may come first.
void conn_accept(Server& server, int fd, const Listener& listener, const Visitor& visitor, bool proxy_due);

// Source::ready of every connection.
void conn_ready(net::Source* source, uint32_t events);

// One read and all that follows from it.
void conn_read(Conn& conn);

// Uses the input in [p, end), which may be changed in place, and keeps what cannot be used yet.
void conn_feed(Conn& conn, uint8_t* p, uint8_t* end);

// Uses what an earlier feed kept, now that whatever held it back is gone.
void conn_feed_carry(Conn& conn);

// Forgets what was assembled and carried.
void conn_drop_input(Conn& conn);

// Null is allowed.
void assembly_free(Server& server, Assembly* in);

// Room for `need` more bytes, of the `left` that the current frame still adds. False when memory is refused.
[[nodiscard]] bool assembly_reserve(Server& server, Assembly& in, size_t need, uint64_t left);

// Do pieces go to the application, or nowhere, as they come?
bool takes_pieces(const Conn& conn);

void conn_deliver_piece(Conn& conn, ws::Opcode opcode, Bytes data, bool final);

// The whole message that was assembled, or left in a window.
void conn_deliver_assembled(Conn& conn, const Assembly& in);

void conn_out_of_memory(Conn& conn);

// Does the connection use input now?
bool conn_wants_input(const Conn& conn);

// What the end of the turn owes: callbacks and input first, for every connection in line, then output and ends.
void conn_turn_callbacks(Conn& conn);
void conn_turn_output(Conn& conn);

// ------------------------------------------------------------------------------------------ pausing (conn_pause.cpp)

// As wsd_pause() and wsd_resume().
void conn_set_paused(Conn& conn, bool paused);

// Stops reading for a limit of the server's, and goes on. Between the two the peer's silence is ours.
void conn_hold(Conn& conn);
void conn_release(Conn& conn);

// -------------------------------------------------------------------------------------------- sending (conn_send.cpp)

struct SendOptions {
    wsd_full full = WSD_FULL_REFUSE;
    uint64_t key = 0;
    bool plain = false;  // not to be compressed
};

// Takes the policy that an application asks for; false if it makes no sense. `full` is looked at as the number it is,
// since it may be none of the enumeration's. The highest key is taken by pongs.
inline bool read_policy(const wsd_full& full, uint64_t key, SendOptions* to) {
    static_assert(sizeof full == sizeof(int));
    int value;
    std::memcpy(&value, &full, sizeof value);
    if (value < WSD_FULL_REFUSE || value > WSD_FULL_CLOSE) return false;
    to->full = full;
    to->key = key;
    return full != WSD_FULL_REPLACE || (key != 0 && key != UINT64_MAX);
}

// What goes out as one frame.
struct Outgoing {
    ws::Opcode opcode;
    bool fin;
    Bytes payload;
    wsd_prepared* prepared = nullptr;   // instead of `payload`
    bool framed = false;                // `payload` is the whole frame, header included ...
    net::SharedBlock* block = nullptr;  // ... and lies in this
};

// A data frame of an application, as wsd_send() and its kin promise.
[[nodiscard]] int conn_send(Conn& conn, const Outgoing& frame, const SendOptions& options);

// A whole message without options, as most are: does what conn_send() does, sooner.
[[nodiscard]] int conn_send_message(Conn& conn, ws::Opcode opcode, Bytes payload);

// A message built before: does what conn_send() does, sooner where it is short and others wait in front of it.
[[nodiscard]] int conn_send_prepared(Conn& conn, wsd_prepared& prepared, const SendOptions& options);

// A control frame: no marks apply, since the protocol demands it. An unsent pong is replaced by the next.
[[nodiscard]] int conn_send_control(Conn& conn, ws::Opcode opcode, Bytes payload);

// Bytes of no frame: an HTTP answer.
[[nodiscard]] int conn_send_raw(Conn& conn, Bytes data);

// Hands the kernel what it takes. What follows from an empty queue or an error is marked for the end of the turn.
void conn_flush(Conn& conn);

size_t conn_buffered(const Conn& conn);

// Has the queue fallen so far that a sender may go on: to the low mark, and below every high one?
bool conn_drained(const Conn& conn);

// Drops everything queued.
void conn_drop_output(Conn& conn);

// -------------------------------------------------------------------------------------------- ending (conn_close.cpp)

// The 101 is queued: frames from here on.
void conn_open(Conn& conn);

// Puts the connection in the server's line for the end of the turn.
void conn_owe(Conn& conn, Work work);

// Why a connection ends; the first to say so is believed.
struct Ending {
    wsd_cause cause;
    int error = WSD_OK;
};

// Sends a close frame and waits for the peer's. kOpen only.
[[nodiscard]] int conn_close(Conn& conn, uint16_t code, Bytes reason, Ending ending);

// Sends a close frame and listens no more: the peer's bytes cannot be understood or are not wanted.
void conn_fail(Conn& conn, uint16_t code, Ending ending);
void conn_violation(Conn& conn, const ws::Violation& violation);

// The peer's close frame has come.
void conn_close_received(Conn& conn, const ws::ClosePayload& payload);

// The peer's stream has ended, or the socket failed.
void conn_end_of_stream(Conn& conn, bool reset);

// The wsd_result that tells an application of `fault`.
int result_of(ws::Fault fault);

// Sends what is queued, then ends the stream.
void conn_linger(Conn& conn, Ending ending);

// The queue is empty: whoever only waited for that goes on.
void conn_all_sent(Conn& conn);

// Ends it now: the descriptor is closed, nothing more is sent or delivered.
void conn_kill(Conn& conn, Ending ending);

// The last step, at the end of the turn: on_close, then everything it held and its slot.
void conn_free(Conn& conn);

// -------------------------------------------------------------------------------------------- deadlines
// (heartbeat.cpp)

void conn_deadline_fired(net::Timer* timer);

void conn_pong_received(Conn& conn, Bytes payload);

// Brings the timer forward if a deadline of the connection is now earlier than it. Later ones need nothing: the timer
// fires, finds that it is early, and goes to sleep again.
void conn_rearm(Conn& conn);

}  // namespace wsd::server
