/* wsd: a WebSocket server (RFC 6455) as a library. This header is the whole API: what is not here is not promised.
 *
 * One wsd_server is one event loop on one thread. Everything is called on that thread, inside or outside callbacks,
 * except the functions marked "any thread". Nothing here blocks but wsd_server_run() and wsd_server_poll(), and no
 * function calls the application back before it returns, except those two.
 *
 * Every callback may call every function on every connection, but for the three that would pull the loop from under
 * itself: wsd_server_run(), wsd_server_poll() and wsd_server_free() answer WSD_E_INVALID inside a callback.
 *
 * Pointers borrow: what you pass is not kept after the return unless the comment says so, and what a callback is given
 * is valid until it returns unless the comment says so. Sizes are in bytes, times in milliseconds.
 *
 * The library has no global state, installs no signal handler, starts no thread, writes to no stream and never exits.
 *
 *     wsd_callbacks callbacks = {.size = sizeof callbacks, .on_message = echo};
 *     wsd_server *server;
 *     if (wsd_server_new(NULL, &callbacks, &server) == WSD_OK &&
 *         wsd_server_listen(server, "127.0.0.1:9001") >= 0)
 *         wsd_server_run(server);
 */
#ifndef WSD_H
#define WSD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WSD_API __attribute__((visibility("default")))
#else
#define WSD_API
#endif

#define WSD_VERSION "0.1.0"

/* The version of the library that is linked, as "major.minor.patch"; static. Any thread. */
WSD_API const char *wsd_version(void);

/* ------------------------------------------------------------------------------------------------------- types -- */

typedef struct wsd_server wsd_server;     /* one loop; owned by who made it, until wsd_server_free() */
typedef struct wsd_request wsd_request;   /* an HTTP request waiting for its answer; see wsd_on_request_fn */
typedef struct wsd_prepared wsd_prepared; /* a message built once to be sent to many; see wsd_prepare() */

/* Names a connection. It never dangles: once the connection is gone, every call on it answers WSD_E_CLOSED (or what
 * the function says), also when its memory serves another connection. 0 names none. */
typedef uint64_t wsd_conn;

/* Names a running timer, with the same promise as wsd_conn. 0 names none. */
typedef uint64_t wsd_timer;

/* Names a session, with the same promise as wsd_conn, inside this process; the outside knows it by its id, see
 * wsd_session_create(). 0 names none. */
typedef uint64_t wsd_session;

/* Borrowed bytes, not NUL-terminated. `p` may be NULL when `len` is 0. */
typedef struct wsd_str {
    const char *p;
    size_t len;
} wsd_str;

/* The bytes of a C string, without its NUL; none for NULL. Any thread. */
WSD_API wsd_str wsd_str_of(const char *text);

/* Results. 0 is success and errors are negative; functions list those that they answer. The second group is what ended
 * a connection: wsd_close_info.error holds it, and wsd_error_close_code() tells the close code that went with it. */
typedef enum wsd_result {
    WSD_OK = 0,
    WSD_E_INVALID = -1,       /* an argument is out of range, or the call is not allowed now */
    WSD_E_CLOSED = -2,        /* no such connection, or its closing has begun */
    WSD_E_AGAIN = -3,         /* send queue full: nothing was queued */
    WSD_E_NOMEM = -4,         /* out of memory: nothing was done */
    WSD_E_SYSTEM = -5,        /* the operating system refused; errno says why */
    WSD_E_CONN_LIMIT = -6,    /* as many connections as the configuration allows */
    WSD_E_LIMIT = -7,         /* as many of its kind as the configuration allows: nothing was done */
    WSD_E_ADDRESS_LIMIT = -8, /* the same of one address, or too many new ones; told to on_log only */

    WSD_E_FRAME = -20,              /* invalid frame: mask, reserved bits, length or order (RFC 6455 5.1, 5.2, 5.4) */
    WSD_E_OPCODE = -21,             /* invalid opcode (5.2) */
    WSD_E_FRAME_TOO_LARGE = -22,    /* frame over frame_max_bytes (10.4) */
    WSD_E_MESSAGE_TOO_LARGE = -23,  /* message over message_max_bytes (10.4) */
    WSD_E_FRAGMENT_LIMIT = -24,     /* message of more than fragment_max_count frames (10.4) */
    WSD_E_CONTROL_TOO_LONG = -25,   /* control frame over 125 bytes (5.5) */
    WSD_E_CONTROL_FRAGMENTED = -26, /* control frame in fragments (5.5) */
    WSD_E_UTF8 = -27,               /* text or close reason that is not UTF-8 (8.1) */
    WSD_E_CLOSE_PAYLOAD = -28,      /* close frame with a half code or one that nobody may send (7.4) */
    WSD_E_PING_TIMEOUT = -29,       /* silent for stale_timeout_ms */
    WSD_E_IDLE_TIMEOUT = -30,       /* no message for idle_timeout_ms, or no byte for read_timeout_ms */
    WSD_E_WRITE_TIMEOUT = -31,      /* took nothing of what is queued for write_timeout_ms */
    WSD_E_VANISHED = -32,           /* end of stream or reset without a close frame */
    WSD_E_DEFLATE = -33,            /* compressed message that is no DEFLATE stream (RFC 7692 7.2.2) */
    WSD_E_MESSAGE_RATE = -34,       /* more messages than message_per_s, with WSD_OVER_RATE_CLOSE */
    WSD_E_MEMORY_BUDGET = -35       /* its send queue was dropped to stay below memory_hard_bytes */
} wsd_result;

/* A short English text for any wsd_result; static, never NULL. Any thread. */
WSD_API const char *wsd_error_text(int result);

/* The close code (RFC 6455 7.4.1) that goes with `result`, or 0 if none does. Any thread. */
WSD_API uint16_t wsd_error_close_code(int result);

/* The opcodes of messages (RFC 6455 5.2). */
typedef enum wsd_opcode { WSD_TEXT = 1, WSD_BINARY = 2 } wsd_opcode;

/* Why a connection ended, told once by on_close. */
typedef enum wsd_cause {
    WSD_CAUSE_PEER = 1,      /* the peer sent a close frame first */
    WSD_CAUSE_LOCAL,         /* the application called wsd_close() */
    WSD_CAUSE_ABORTED,       /* the application called wsd_abort(), or the server was freed */
    WSD_CAUSE_VANISHED,      /* end of stream or reset, without a close frame */
    WSD_CAUSE_PROTOCOL,      /* the peer broke a rule; `error` says which */
    WSD_CAUSE_PING_TIMEOUT,  /* silent for stale_timeout_ms */
    WSD_CAUSE_IDLE,          /* no message for idle_timeout_ms, or no byte for read_timeout_ms */
    WSD_CAUSE_WRITE_TIMEOUT, /* took nothing of what is queued for write_timeout_ms */
    WSD_CAUSE_SLOW,          /* queue full, and the send asked to close then (WSD_FULL_CLOSE); or one of the longest
                                queues when memory_hard_bytes was reached */
    WSD_CAUSE_POLICY,        /* a limit of the configuration; `error` says which */
    WSD_CAUSE_DRAIN,         /* the server is shutting down */
    WSD_CAUSE_NOMEM          /* out of memory while receiving or answering */
} wsd_cause;

/* A short English word for a cause, for logs and metrics; static, never NULL. Any thread. */
WSD_API const char *wsd_cause_text(wsd_cause cause);

/* What on_close is told. */
typedef struct wsd_close_info {
    size_t size;    /* of this struct as the library knows it */
    uint16_t code;  /* the peer's close code if it sent one, else ours; 1005: a close frame without a code; 1006: no
                       close frame either way (RFC 6455 7.1.5) */
    wsd_str reason; /* the text that came with `code`, valid UTF-8, at most 123 bytes */
    wsd_cause cause;
    int error; /* the wsd_result behind the cause, or WSD_OK */
    int clean; /* close frames went both ways (RFC 6455 7.1.4) */
} wsd_close_info;

typedef enum wsd_log_level { WSD_LOG_ERROR = 1, WSD_LOG_WARN, WSD_LOG_INFO, WSD_LOG_DEBUG } wsd_log_level;

/* --------------------------------------------------------------------------------------------------- callbacks -- */

/* A complete HTTP request has come: an upgrade that is in order, or a plain request with its body. Decide with
 * wsd_accept() or wsd_respond(), here or later; until then the connection reads nothing more, and the handshake
 * timeout runs. `request` and what its accessors return stay valid until the decision or the connection's end.
 * Without this callback every good upgrade is accepted, and a plain request gets 426. */
typedef void (*wsd_on_request_fn)(wsd_server *server, wsd_conn conn, const wsd_request *request);

/* The 101 is queued and the connection is open: messages may be sent and will come. */
typedef void (*wsd_on_open_fn)(wsd_server *server, wsd_conn conn);

/* A whole message. Text is valid UTF-8. `data` may be passed to a send as it is. Nothing is delivered after the peer's
 * close frame, nor after the application's own wsd_close() or wsd_abort(). */
typedef void (*wsd_on_message_fn)(wsd_server *server, wsd_conn conn, wsd_opcode opcode, const void *data, size_t len);

/* A message piece by piece as it arrives, for servers that do not want it held. Pieces end where the network cut them,
 * or of a compressed message where a window was full; of one read there may be many, also after wsd_pause(). So a
 * character may be split over two; text has been checked up to the end of the piece. `final` is 1 with the last piece,
 * which may be empty. A message that is never finished ends with on_close. message_max_bytes still holds. */
typedef void (*wsd_on_chunk_fn)(wsd_server *server, wsd_conn conn, wsd_opcode opcode, const void *data, size_t len,
                                int final);

/* The pong for the server's own latest ping came, `rtt_ms` after it was sent. */
typedef void (*wsd_on_pong_fn)(wsd_server *server, wsd_conn conn, uint32_t rtt_ms);

/* The send queue had reached a high mark and has now fallen to send_low_bytes or less: once per crossing. */
typedef void (*wsd_on_drain_fn)(wsd_server *server, wsd_conn conn);

/* The connection is over: exactly once for every on_open. wsd_user() and wsd_conn_info_get() still work here; after the
 * return the name is dead. */
typedef void (*wsd_on_close_fn)(wsd_server *server, wsd_conn conn, const wsd_close_info *info);

/* A line for the log. `conn` may be 0. `text` is static English with no payload, header or address in it; `error` is a
 * wsd_result or, with WSD_E_SYSTEM, leaves its reason in errno. */
typedef void (*wsd_on_log_fn)(wsd_server *server, wsd_log_level level, wsd_conn conn, const char *text, int error);

/* Why a session ended. */
typedef enum wsd_session_reason {
    WSD_SESSION_EXPIRED = 1, /* its time was up */
    WSD_SESSION_ENDED,       /* the application called wsd_session_end() */
    WSD_SESSION_SERVER       /* the server is being freed */
} wsd_session_reason;

/* A session has ended: exactly once for each that was created, at the end of the turn in which it did. It can be looked
 * at until this returns: wsd_session_info_get(), wsd_session_get() and wsd_session_conns() still work. Its connections
 * stay open and are then attached to none. */
typedef void (*wsd_on_session_end_fn)(wsd_server *server, wsd_session session, wsd_session_reason reason);

/* The server has refused a request by itself, e.g. as it is malformed, its Origin is not allowed, or a drain has begun;
 * the connection ends with that answer. What wsd_respond() answers is not told, nor who is turned away before a request
 * is read.
 *   request  as in on_request, to be looked at until this returns; NULL where no good head has come
 *   status   of the answer, e.g. 403
 *   why      static English text, with nothing of the peer's in it
 * Like on_log it may come before wsd_server_drain() returns, within it. */
typedef void (*wsd_on_refused_fn)(wsd_server *server, wsd_conn conn, const wsd_request *request, int status,
                                  const char *why);

/* Any callback may be NULL. With on_chunk set, on_message is not called. */
typedef struct wsd_callbacks {
    size_t size; /* sizeof(wsd_callbacks), so that the struct can grow */
    wsd_on_request_fn on_request;
    wsd_on_open_fn on_open;
    wsd_on_message_fn on_message;
    wsd_on_chunk_fn on_chunk;
    wsd_on_pong_fn on_pong;
    wsd_on_drain_fn on_drain;
    wsd_on_close_fn on_close;
    wsd_on_log_fn on_log;
    wsd_on_session_end_fn on_session_end;
    wsd_on_refused_fn on_refused;
} wsd_callbacks;

/* ----------------------------------------------------------------------------------------------- configuration -- */

/* As realloc(), with sizes: `p` NULL and old_size 0 allocates, new_size 0 frees and returns NULL. Returns NULL to
 * refuse, leaving `p` as it was; aligned as by malloc(). Loop thread. */
typedef void *(*wsd_allocate_fn)(void *context, void *p, size_t old_size, size_t new_size);

/* Milliseconds that never go back, as CLOCK_MONOTONIC. Read once a turn of the loop. */
typedef uint64_t (*wsd_clock_fn)(void *context);

/* What happens to messages over message_per_s. */
typedef enum wsd_over_rate {
    WSD_OVER_RATE_PAUSE = 0, /* they wait, in order, until their turn comes; the peer is slowed down */
    WSD_OVER_RATE_CLOSE      /* the first of them is not delivered, and closes with 1008, cause WSD_CAUSE_POLICY */
} wsd_over_rate;

/* The header in which trusted proxies tell whom a request came from, each appending to it. The client is the last entry
 * that is no trusted proxy's address; what stands before that anybody can have written. */
typedef enum wsd_forwarded {
    WSD_X_FORWARDED_FOR = 0, /* addresses, with or without port */
    WSD_FORWARDED            /* RFC 7239; a request in which it is malformed gets 400 */
} wsd_forwarded;

/* Fill with wsd_config_init(), then change what should differ. A time of 0 turns that timeout off. */
typedef struct wsd_config {
    size_t size;   /* set by wsd_config_init() */
    void *context; /* the application's own; wsd_context() returns it */

    wsd_allocate_fn allocate; /* NULL: malloc() and its kin, mmap() from 16 KiB on */
    void *allocate_context;
    wsd_clock_fn clock; /* NULL: CLOCK_MONOTONIC */
    void *clock_context;

    /* Limits. */
    uint32_t connection_max_count; /* 100000; handshakes included; over it 503. 0: no limit but descriptors */
    uint64_t message_max_bytes;    /* 16 MiB; over it 1009; of a compressed message when it is inflated */
    uint64_t frame_max_bytes;      /* 16 MiB as they come; over it 1009 */
    uint32_t fragment_max_count;   /* 131072 frames in one message; over it 1008 */
    uint32_t head_max_bytes;       /* 8192, 256-65535; over it 431 or 414 */
    uint16_t head_max_count;       /* 100 headers; over it 431 */
    uint32_t body_max_bytes;       /* 65536, of a plain request; over it 413 */
    size_t receive_buffer_bytes;   /* 256 KiB, 4 KiB-16 MiB; one buffer a server: what one read may take */
    size_t send_high_bytes;        /* 1 MiB; a send finds the queue full at this many bytes or more ... */
    uint32_t send_high_count;      /* 100; ... or at this many messages. 0: no limit by messages */
    size_t send_low_bytes;         /* 256 KiB, <= send_high_bytes; falling to it raises on_drain */
    uint32_t post_max_count;       /* 1024, rounded up to a power of two; posts waiting at one time */

    /* Times. */
    uint32_t handshake_timeout_ms; /* 10 s from accept to 101, and between plain requests; 408 */
    uint32_t ping_interval_ms;     /* 30 s between pings to an open connection; a ping may be late by 1/256 of it, as
                                      those of many connections go out together */
    uint32_t stale_timeout_ms;     /* 120 s without a byte from an open connection: dropped */
    uint32_t idle_timeout_ms;      /* 5 min without a message either way: closed with 1001 */
    uint32_t read_timeout_ms;      /* 10 min without a byte in the middle of a message: closed with 1001 */
    uint32_t write_timeout_ms;     /* 10 s in which the peer took nothing of what is queued: dropped */
    uint32_t close_timeout_ms;     /* 1 s for the peer to answer a close and to end the stream */

    /* Sockets. */
    uint32_t tcp_user_timeout_ms; /* 30 s; data not acknowledged for so long resets the connection; 0: system's */
    uint32_t defer_accept_s;      /* 0; TCP_DEFER_ACCEPT: a connection is seen when its first bytes have come */
    int backlog;                  /* 4096 */

    /* Handshake. */
    const char *subprotocols; /* NULL; comma-separated tokens, those that the server speaks; kept: copied */
    int allow_http10;         /* 0; take an upgrade over HTTP/1.0, which RFC 6455 does not allow */

    /* Web pages that may connect (RFC 6455 10.2), comma-separated: "https://example.com", "http://localhost:3000";
     * "example.com" for http and https; "*.example.com", with or without a scheme and a port, for every name below that
     * one; "null". Case is ignored, and a scheme's default port is the same as none. Another Origin gets 403. */
    const char *origins;  /* NULL: any; kept: copied */
    int origins_required; /* 0; 1: one without Origin, which no browser sends, gets 403 too. Only with `origins` */

    /* Proxies that are believed about their clients, comma-separated: addresses, ranges as "10.0.0.0/8" and
     * "2001:db8::/32", and "unix:" for all peers of unix sockets. ::/0 is every address, IPv4 too. */
    const char *trusted_proxies; /* NULL: none; kept: copied */
    int forwarded_header;        /* WSD_X_FORWARDED_FOR, of wsd_forwarded; the one header in which they tell. The
                                    other is not read, as proxies pass on what a client put there */

    /* permessage-deflate (RFC 7692). A connection without context takeover holds memory for it only while a compressed
     * message is arriving in several reads: 8 KiB, and up to 64 KiB by what has come. With takeover it holds a window
     * each way, and what finds strings in it: with 15 bits about 64 KiB to receive, and to send 80 KiB at level 1 or
     * 152 KiB at level 2, taken when they are first used. What the marks of a queue count is what goes out. */
    int deflate;                        /* 0; 1: agree to it when a client offers it */
    int deflate_level;                  /* 1: fast; 2: smaller, for about three times the work */
    uint32_t deflate_threshold_bytes;   /* 64; shorter messages are sent as they are */
    int deflate_server_takeover;        /* 0; 1: messages to a client may refer to earlier ones */
    int deflate_client_takeover;        /* 0; 1: messages from a client may */
    uint8_t deflate_server_window_bits; /* 15, 8-15; 1 << bits bytes that a reference may span */
    uint8_t deflate_client_window_bits; /* 15, 8-15; asked of clients that say they can be asked. zlib, which most use,
                                           cannot do 8; a client that refers further back gets 1007 */
    size_t deflate_memory_max_bytes;    /* 64 MiB for context takeover in all, reserved at the handshake; past it new
                                           connections get none, neither way */

    /* Topics and sessions. A count of 0 is no limit. */
    uint32_t subscription_max_count;       /* 100 topics of one connection; over it WSD_E_LIMIT */
    uint32_t session_max_count;            /* 100000; over it WSD_E_LIMIT */
    uint32_t session_connection_max_count; /* 100 connections attached to one session; over it WSD_E_LIMIT */
    size_t session_data_max_bytes;         /* 4096, <= 1 GiB; keys and values of one session; over it WSD_E_LIMIT */
    uint64_t session_timeout_ms;           /* 24 h from the creation or the latest touch, unless that says otherwise */

    const char *kernels; /* NULL: the fastest for this CPU, or what the environment's WSD_KERNELS names; else
                            "scalar", "avx2", ... for that one */

    /* What one client may take. An address is an IPv4 address or the /64 of an IPv6 one; unix sockets have none and
     * are not counted by address. Rates are token buckets, filled evenly by the loop's clock: so many a minute or a
     * second on average, and a burst at once. A trusted proxy has no limit of its own: what comes through it counts for
     * the client, once that is known. Addresses are remembered while they have connections or their bucket is
     * not full, 196608 of them at most (6 MiB); one that cannot be remembered gets 503. */
    uint32_t ip_connection_max_count; /* 0: no limit; connections of one address; over it 429 */
    uint32_t ip_connect_per_min;      /* 0: no limit, <= 1000000; new connections of one address; over it 429 */
    uint32_t ip_connect_burst_count;  /* 0: as many as in a minute, <= 1000000; of these at once */
    uint32_t message_per_s;           /* 0: no limit, <= 1000000; messages of one connection, however many frames */
    uint32_t message_burst_count;     /* 0: as many as in a second, <= 1000000; of these at once */
    int message_over_rate;            /* WSD_OVER_RATE_PAUSE, a wsd_over_rate */
    uint32_t handshake_bytes_per_s;   /* 0: no limit; on average of a request that is arriving; below it 408 */
    uint32_t handshake_grace_ms;      /* 3 s from its first byte, in which that is not asked */
    int limits_dry_run;               /* 0; 1: count what these would refuse in wsd_stats, and refuse nothing */

    /* Memory budget, on wsd_stats.memory_held_bytes. From the soft mark on new connections and handshakes get 503, and
     * open connections are not read from but to finish the messages that have begun, or to meet the end of a peer that
     * has left, on half of the way to the hard mark at most (without one, a quarter beyond the soft mark; past that who
     * has left is ended unread, WSD_CAUSE_NOMEM); below seven eighths of it reading goes on, and below all of it after
     * a second. Meanwhile these connections are as after wsd_pause(), but read_timeout_ms runs for what has begun:
     * messages for which half of the way is too short hold what they have until then, so it is to be several times
     * message_max_bytes. At the hard mark the longest send queues are dropped and their connections ended
     * (WSD_CAUSE_SLOW, WSD_E_MEMORY_BUDGET) until what is to be sent fits; whatever else would go over it is refused as
     * if memory had run out. `allocate` is never asked for more. */
    size_t memory_soft_bytes; /* 0: none; <= memory_hard_bytes */
    size_t memory_hard_bytes; /* 0: none; neither may be below what the server itself takes: WSD_E_NOMEM */

    /* What the server refuses by itself it answers with a line of text, or as {"error":{"code":...,"message":...}} with
     * Content-Type application/json. The message is English for people; the codes, by status, are
     *   400 bad_request         411 length_required   429 too_many_connections
     *   403 origin_not_allowed  413 body_too_large    431 head_too_large
     *   405 method_not_allowed  414 target_too_long   501 not_implemented
     *   408 request_timeout     426 upgrade_required  505 version_not_supported
     *   503 server_full, draining, or no_decision where the application has not decided in time
     * With 429 and 503 there is a Retry-After either way. */
    int refusals_json; /* 0; 1: as JSON */

    /* Before it sleeps the loop looks for events again and again, for as long as this: whoever answers soon after is
     * served without a wake-up, which is most of what a message costs when few are on their way. It pays with its core:
     * up to so much time for each event that is the last for a while, and all of it where events come closer together.
     * For a loop that has a core of its own; on a shared one it takes time from those it waits for. A signal does not
     * end that time: its handler has to call wsd_server_stop() or wsd_post(). */
    uint32_t busy_poll_us; /* 0: sleep at once; <= 1000000 */
} wsd_config;

/* Sets every field of `config` to its default. `size` is sizeof(wsd_config) as the caller compiled it. Any thread. */
WSD_API void wsd_config_init(wsd_config *config, size_t size);

/* ------------------------------------------------------------------------------------------------------ server -- */

/* Makes a server that listens to nothing yet.
 *   config     NULL for the defaults; copied
 *   callbacks  copied
 *   server     set on success; the caller's to free
 *   returns    WSD_OK; WSD_E_INVALID a value is out of range; WSD_E_NOMEM; WSD_E_SYSTEM */
WSD_API int wsd_server_new(const wsd_config *config, const wsd_callbacks *callbacks, wsd_server **server);

/* The first field of `config` whose value wsd_server_new() would refuse, by name, or NULL. Any thread. */
WSD_API const char *wsd_config_invalid(const wsd_config *config);

/* What is wrong with that field: a static English text, or NULL if nothing is. Any thread. */
WSD_API const char *wsd_config_invalid_why(const wsd_config *config);

/* Gives a running server another configuration, whole: fields that should stay as they are hold what they held before.
 *   config   judged as by wsd_server_new(); copied
 *   returns  WSD_OK; WSD_E_INVALID a value is out of range, or a listener with WSD_PROXY_OPTIONAL would have no
 *            trusted_proxies; WSD_E_NOMEM out of memory, or the server itself would be over a mark of the memory
 *            budget. After an error the old configuration is in force, whole
 *
 * What takes effect, and from when:
 *   at once         timeouts, for open connections too, counted from when their time began; the marks of send queues;
 *                   the memory budget, with queues over it dropped at the end of the turn; rates, with what was taken
 *                   before still owed; counts and session_timeout_ms for what comes next, as nobody who is in is put
 *                   out; limits_dry_run, message_over_rate; deflate_threshold_bytes; busy_poll_us
 *   next frame      message_max_bytes, frame_max_bytes, fragment_max_count
 *   next request    head_max_bytes, head_max_count, body_max_bytes, subprotocols, allow_http10, origins,
 *                   origins_required, trusted_proxies (PROXY headers too), forwarded_header, refusals_json; deflate's
 *                   takeovers, window bits and memory
 *   new connections message_per_s where it was 0, and limits by address where there were none: connections that came
 *                   while it was so are not counted
 *   never           context, allocate, clock and their contexts, receive_buffer_bytes, post_max_count,
 *                   tcp_user_timeout_ms, defer_accept_s, backlog, deflate, deflate_level, kernels: they stay as they
 *                   were when the server was made
 *
 * Loop thread; legal inside every callback. */
WSD_API int wsd_server_reconfigure(wsd_server *server, const wsd_config *config);

/* Ends every connection at once (each opened one gets its on_close, cause "aborted"), closes all descriptors and frees
 * everything. NULL is allowed. Returns WSD_OK, or WSD_E_INVALID inside a callback: nothing was done. */
WSD_API int wsd_server_free(wsd_server *server);

/* Listens on one more address, any number of times.
 *   address  "127.0.0.1:9001", "[::1]:9001", "localhost:9001"; "*:9001" or ":9001" for every address (IPv6 and IPv4 in
 *            one socket, or IPv4 where there is no IPv6); port 0 for a free one. "unix:/path" makes a unix socket,
 *            replacing a socket file that nobody serves; "fd:N" takes over a listening descriptor.
 *   returns  a number >= 0 for wsd_server_address(); WSD_E_INVALID not an address, or the server drains; WSD_E_NOMEM;
 *            WSD_E_SYSTEM with errno set, EADDRINUSE for an address that is taken */
WSD_API int wsd_server_listen(wsd_server *server, const char *address);

/* 1 if this is an address as wsd_server_listen() takes them, whether or not it could be listened on; else 0. So that a
 * configuration can be judged before there is a server. Any thread. */
WSD_API int wsd_address_valid(const char *address);

/* Whether a connection begins with a PROXY protocol header, version 1 or 2, before its first request. */
typedef enum wsd_proxy_protocol {
    WSD_PROXY_OFF = 0,  /* no: one that comes is a malformed request */
    WSD_PROXY_OPTIONAL, /* a peer in wsd_config.trusted_proxies may send one; from others it is as with "off" */
    WSD_PROXY_REQUIRED  /* it must, within the handshake timeout, and from a peer in trusted_proxies where that is set;
                           a connection without a good one of up to 1024 bytes is dropped. With trusted_proxies NULL
                           every peer is believed, so that only proxies may be able to reach the listener */
} wsd_proxy_protocol;

typedef struct wsd_listen_options {
    size_t size; /* sizeof(wsd_listen_options) */
    wsd_proxy_protocol proxy_protocol;
    int admin; /* 0; 1: for health checks, metrics and whoever else watches the server, so that it answers when it turns
                  all others away: connections to it are not refused by connection_max_count, memory_soft_bytes or the
                  limits by address, and its plain requests are answered until a drain has ended, which does not wait
                  for them. It is not for the public */
} wsd_listen_options;

/* wsd_server_listen() with options; NULL: as wsd_server_listen(). Returns as that, and WSD_E_INVALID also for options
 * out of range and for WSD_PROXY_OPTIONAL without trusted_proxies. */
WSD_API int wsd_server_listen_with(wsd_server *server, const char *address, const wsd_listen_options *options);

/* Writes where a listener listens, in the form wsd_server_listen() takes, NUL-terminated and cut to `size`.
 * Returns WSD_OK, or WSD_E_INVALID if there is no such listener. */
WSD_API int wsd_server_address(wsd_server *server, int listener, char *text, size_t size);

/* Runs the loop until wsd_server_stop(), or until a drain is done. May be called again afterwards.
 * Returns WSD_OK; WSD_E_INVALID inside a callback; WSD_E_SYSTEM if the loop cannot wait for events. */
WSD_API int wsd_server_run(wsd_server *server);

/* One turn of the loop: waits up to `timeout_ms` (0: not at all, -1: until something happens), then handles all that is
 * there. To embed the server in another loop, watch wsd_server_fd() for reading there, and call this with 0 when it is
 * readable and when wsd_server_timeout() has passed.
 * Returns 1 while there is more to come, 0 once a stop or a finished drain says to leave; WSD_E_INVALID inside a
 * callback; WSD_E_SYSTEM. */
WSD_API int wsd_server_poll(wsd_server *server, int timeout_ms);

/* The descriptor that is readable while the server has something to do: its epoll instance. Not to be closed. */
WSD_API int wsd_server_fd(const wsd_server *server);

/* How long a foreign loop may sleep before it calls wsd_server_poll(): 0 for at once, -1 for until the fd is readable.
 */
WSD_API int wsd_server_timeout(const wsd_server *server);

/* Shuts down in order: listens no more, answers handshakes with 503, closes every connection with 1001, and waits for
 * them; what was queued before is sent first. What remains after `grace_ms` is cut (0: now). wsd_server_run() then
 * returns. A second call sets the grace time anew. Listeners with wsd_listen_options.admin go on with plain requests
 * meanwhile. Returns WSD_OK. */
WSD_API int wsd_server_drain(wsd_server *server, uint32_t grace_ms);

/* The same with the closes spread evenly over `window_ms`, so that clients do not come back all at once, wherever they
 * go then. A connection is served as ever until it is told. A second call sets both times anew, for those that are
 * left; the grace time runs from the call, as the window does, and is not to be shorter. Where it is no longer than the
 * window and close_timeout_ms, the closes are spread over less, so that the last of them still has close_timeout_ms, or
 * half of the grace time where that is shorter.
 * Returns WSD_OK or WSD_E_INVALID. */
WSD_API int wsd_server_drain_over(wsd_server *server, uint32_t window_ms, uint32_t grace_ms);

/* Makes wsd_server_run() return after the turn it is in; connections stay as they are, and it may be run again.
 * Any thread; safe in a signal handler. */
WSD_API void wsd_server_stop(wsd_server *server);

/* Has `fn(server, arg)` called on the loop's thread, in the order of the posts of one thread.
 * Returns WSD_OK; WSD_E_AGAIN while post_max_count posts are waiting: not posted; WSD_E_INVALID `fn` is NULL.
 * Any thread; safe in a signal handler. Posts that are waiting when the server is freed are dropped. */
WSD_API int wsd_post(wsd_server *server, void (*fn)(wsd_server *server, void *arg), void *arg);

/* wsd_config.context. */
WSD_API void *wsd_context(const wsd_server *server);

/* The loop's time in milliseconds: the clock as it was read at the start of this turn or, between two, as it is. */
WSD_API uint64_t wsd_now_ms(const wsd_server *server);

/* ---------------------------------------------------------------------------------------------------- requests -- */

WSD_API wsd_str wsd_request_method(const wsd_request *request);
WSD_API wsd_str wsd_request_target(const wsd_request *request); /* as sent */
WSD_API wsd_str wsd_request_path(const wsd_request *request);   /* without the query, undecoded */
WSD_API wsd_str wsd_request_query(const wsd_request *request);  /* after '?', undecoded; empty without one */
WSD_API wsd_str wsd_request_body(const wsd_request *request);   /* of a plain request; empty without one */

/* 1 for a WebSocket upgrade in order, which wsd_accept() may take; 0 for a plain request. */
WSD_API int wsd_request_is_upgrade(const wsd_request *request);

/* The value of the first header called `name`, case ignored; `p` is NULL if there is none. */
WSD_API wsd_str wsd_request_header(const wsd_request *request, const char *name);

/* Header number `index`, from 0 in the order sent. Returns WSD_OK, or WSD_E_INVALID beyond the last. */
WSD_API int wsd_request_header_at(const wsd_request *request, size_t index, wsd_str *name, wsd_str *value);

/* 1 if the client offers exactly this subprotocol. */
WSD_API int wsd_request_offers(const wsd_request *request, const char *subprotocol);

/* One header of an answer. */
typedef struct wsd_header {
    const char *name;
    const char *value;
} wsd_header;

/* Takes the upgrade that waits on `conn`: sends the 101 and opens the connection. on_open follows in this turn.
 *   subprotocol  one that the client offered; "" for none; NULL to let wsd_config.subprotocols choose
 *   headers      besides those of the handshake, `header_count` of them, e.g. Set-Cookie; NULL with 0
 *   returns      WSD_OK; WSD_E_CLOSED; WSD_E_NOMEM; WSD_E_INVALID nothing waits there, it is no upgrade, the
 *                subprotocol was not offered, or a header is malformed or one that the handshake writes: nothing was
 *                done
 * RFC 6455 4.2.2. */
WSD_API int wsd_accept(wsd_server *server, wsd_conn conn, const char *subprotocol, const wsd_header *headers,
                       size_t header_count);

/* Answers the request that waits on `conn`. A plain request's connection then takes the next one if the client keeps it
 * alive; a refused upgrade ends it. Content-Length and Connection are written by the server.
 *   status   200-599
 *   returns  WSD_OK; WSD_E_CLOSED; WSD_E_NOMEM; WSD_E_INVALID nothing waits there, the status is out of range, or a
 *            header is malformed or one of those two: nothing was done
 * RFC 9112. */
WSD_API int wsd_respond(wsd_server *server, wsd_conn conn, int status, const wsd_header *headers, size_t header_count,
                        const void *body, size_t body_len);

/* ----------------------------------------------------------------------------------------------------- sending -- */

/* Sends one message to `conn`.
 *   data, len   payload; WSD_TEXT must be UTF-8 (RFC 6455 5.6), which is the caller's duty and not checked
 *   returns     WSD_OK         on the wire by the end of this loop turn if the peer reads
 *               WSD_E_AGAIN    queue at send_high_bytes or send_high_count: nothing queued, on_drain will follow
 *               WSD_E_CLOSED   no such connection, or closing has begun: nothing queued
 *               WSD_E_INVALID  an argument is out of range, the handshake is not done, or a fragmented message is
 *                              being sent: nothing queued
 *               WSD_E_NOMEM    nothing queued, the connection stays usable
 * A queue that is below its marks takes the whole message, however long. RFC 6455 5.6. */
WSD_API int wsd_send(wsd_server *server, wsd_conn conn, wsd_opcode opcode, const void *data, size_t len);

/* What a send does when it finds the queue full. */
typedef enum wsd_full {
    WSD_FULL_REFUSE = 0, /* answer WSD_E_AGAIN: nothing queued, on_drain will follow */
    WSD_FULL_DROP,       /* drop this message and answer WSD_OK; counted in the statistics */
    WSD_FULL_REPLACE,    /* latest value wins: take the place of the message with the same key that still waits whole
                            in the queue, full or not, so that one message a key waits at most; with none there and
                            the queue full, as WSD_FULL_REFUSE. With the server's context takeover it goes
                            out uncompressed, as later messages cannot refer to what may be replaced */
    WSD_FULL_CLOSE /* end the connection, cause WSD_CAUSE_SLOW, and answer WSD_E_CLOSED; not one byte more is sent */
} wsd_full;

typedef struct wsd_send_options {
    size_t size; /* sizeof(wsd_send_options) */
    wsd_full full;
    uint64_t key; /* for WSD_FULL_REPLACE, not 0; otherwise ignored */
    int plain;    /* 1: do not compress it, e.g. since it has a secret beside text that a stranger chose: its length
                     would tell how alike they are */
} wsd_send_options;

/* wsd_send() with a policy. `options` NULL: as wsd_send(). */
WSD_API int wsd_send_with(wsd_server *server, wsd_conn conn, wsd_opcode opcode, const void *data, size_t len,
                          const wsd_send_options *options);

/* Sends a message in pieces, each a frame: the first names the opcode, the last has `final` 1. The opcode of the others
 * is ignored. Between them only control frames go out; other messages are refused. With compression each piece is
 * compressed by itself, however short. Returns as wsd_send(). RFC 6455 5.4.
 */
WSD_API int wsd_send_fragment(wsd_server *server, wsd_conn conn, wsd_opcode opcode, const void *data, size_t len,
                              int final);

/* Builds a message once, to be sent to any number of connections of `server` without being copied again, and
 * compressed at most once for each size of window among them, when it is first sent to one that wants it.
 *   prepared  set on success; the caller's to release; queues that refer to it keep it alive after that
 *   returns   WSD_OK; WSD_E_INVALID; WSD_E_NOMEM */
WSD_API int wsd_prepare(wsd_server *server, wsd_opcode opcode, const void *data, size_t len, wsd_prepared **prepared);

/* Sends a prepared message of the same server. `options` may be NULL. Returns as wsd_send(). */
WSD_API int wsd_send_prepared(wsd_server *server, wsd_conn conn, wsd_prepared *prepared,
                              const wsd_send_options *options);

/* Gives up the caller's hold on it. NULL is allowed. Before wsd_server_free(). */
WSD_API void wsd_prepared_release(wsd_prepared *prepared);

/* Bytes accepted for sending on `conn`, headers included, and not yet taken by the kernel; 0 for a dead connection. */
WSD_API size_t wsd_buffered(const wsd_server *server, wsd_conn conn);

/* Sends a ping of the application's own; the pong to it is not reported. `len` <= 125.
 * Returns WSD_OK, WSD_E_CLOSED, WSD_E_INVALID or WSD_E_NOMEM. RFC 6455 5.5.2. */
WSD_API int wsd_ping(wsd_server *server, wsd_conn conn, const void *data, size_t len);

/* Begins the close handshake: sends what is queued, then a close frame, and waits close_timeout_ms for the peer's. No
 * message is delivered from here on; on_close follows. On a connection that has not been accepted yet: ends it.
 *   code        1000-1003, 1007-1014, 3000-4999; or 0 for a close frame without code and reason
 *   reason      UTF-8, at most 123 bytes; may be NULL with 0
 *   returns     WSD_OK; WSD_E_CLOSED closing has begun already; WSD_E_INVALID; WSD_E_NOMEM
 * RFC 6455 7.1.2. */
WSD_API int wsd_close(wsd_server *server, wsd_conn conn, uint16_t code, const char *reason, size_t reason_len);

/* Ends the connection at once: nothing more is sent, what is queued is dropped; on_close follows in this turn.
 * Returns WSD_OK or WSD_E_CLOSED. */
WSD_API int wsd_abort(wsd_server *server, wsd_conn conn);

/* ------------------------------------------------------------------------------------------------- connections -- */

/* Stops delivery: bytes stay in the kernel, so that the peer is slowed down; at most the message being delivered is
 * finished first. Pings are answered after wsd_resume(). Timeouts that wait for the peer's bytes do not run. Pings
 * still go out, but their pongs tell no round trip: a host that is gone does not acknowledge them, and the connection
 * ends after tcp_user_timeout_ms; a peer that hangs is found stale after wsd_resume() only.
 * Both return WSD_OK, WSD_E_CLOSED, or WSD_E_INVALID before the connection is open; repeating either is harmless. */
WSD_API int wsd_pause(wsd_server *server, wsd_conn conn);
WSD_API int wsd_resume(wsd_server *server, wsd_conn conn);

/* Attaches a pointer of the application's own, never read by the library. From the request on until on_close returns.
 * wsd_set_user() returns WSD_OK or WSD_E_CLOSED; wsd_user() NULL for a dead connection or where nothing was set. */
WSD_API int wsd_set_user(wsd_server *server, wsd_conn conn, void *user);
WSD_API void *wsd_user(const wsd_server *server, wsd_conn conn);

typedef struct wsd_conn_info {
    size_t size;                 /* set by the caller: sizeof(wsd_conn_info) */
    char peer[112];              /* the client: "192.0.2.1:5000", "[2001:db8::1]:5000" or "unix:"; NUL-terminated. As
                                    told by trusted proxies, from the request on, with port 0 if they tell none */
    const char *subprotocol;     /* chosen in the handshake, or NULL; valid as long as the connection */
    int listener;                /* the number wsd_server_listen() gave */
    int open;                    /* 1 from on_open until closing begins */
    uint32_t rtt_ms;             /* of the last pong to the server's ping; UINT32_MAX before the first */
    uint64_t last_rx_ms;         /* loop time of the last byte received */
    size_t buffered_bytes;       /* as wsd_buffered() */
    uint8_t deflate_server_bits; /* permessage-deflate's windows as agreed; 0 without it */
    uint8_t deflate_client_bits;
    uint8_t deflate_server_takeover; /* 1: context takeover is in force this way */
    uint8_t deflate_client_takeover;
    char socket_peer[112]; /* who is at the other end of the socket, in the same form: the client or its proxy */
} wsd_conn_info;

/* Fills `info`. Returns WSD_OK, WSD_E_CLOSED or WSD_E_INVALID. */
WSD_API int wsd_conn_info_get(const wsd_server *server, wsd_conn conn, wsd_conn_info *info);

/* ------------------------------------------------------------------------------------------------------ topics -- */

/* A topic is a name under which connections receive what is published to it. It comes to be with its first subscriber
 * and is gone with its last. */

enum { WSD_TOPIC_MAX_BYTES = 255 };

/* Has `conn` receive what is published to `topic` from here on, until wsd_unsubscribe() or the connection's end.
 *   topic    1 to WSD_TOPIC_MAX_BYTES bytes of any kind; copied
 *   returns  WSD_OK, also if it has subscribed before; WSD_E_CLOSED; WSD_E_INVALID the name is too long or empty, or
 *            the connection is not open yet; WSD_E_LIMIT subscription_max_count is reached; WSD_E_NOMEM
 * Takes the same time however many topics and subscribers there are. */
WSD_API int wsd_subscribe(wsd_server *server, wsd_conn conn, wsd_str topic);

/* Ends that. What has been published is still sent. Returns WSD_OK, also if it had not subscribed; WSD_E_CLOSED;
 * WSD_E_INVALID as wsd_subscribe(). */
WSD_API int wsd_unsubscribe(wsd_server *server, wsd_conn conn, wsd_str topic);

typedef struct wsd_publish_options {
    size_t size;     /* sizeof(wsd_publish_options) */
    wsd_conn except; /* passed over, e.g. who said it; 0: nobody */
    wsd_full full;   /* for each receiver whose queue is full, as in wsd_send_with() */
    uint64_t key;    /* for WSD_FULL_REPLACE, not 0; otherwise ignored */
} wsd_publish_options;

/* Sends one message to every subscriber of `topic`, in the order in which they subscribed. It is built once, and
 * compressed at most once for each size of window among them; their queues refer to it or, where it is short, hold a
 * copy, and each is written once at the end of the turn, however many messages were published in it.
 *   data, len  as for wsd_send()
 *   options    NULL: to all, and full queues refuse
 *   returns    the number of connections that will get it, >= 0; WSD_E_INVALID an argument is out of range;
 *              WSD_E_NOMEM nobody gets it
 * Who is closing, in the middle of a fragmented message, or has no room or memory for it, is not counted; where a queue
 * refused, on_drain follows as after wsd_send(). RFC 6455 5.6. */
WSD_API int wsd_publish(wsd_server *server, wsd_str topic, wsd_opcode opcode, const void *data, size_t len,
                        const wsd_publish_options *options);

/* ---------------------------------------------------------------------------------------------------- sessions -- */

/* A session is what the application knows about a user for longer than a connection lasts. It ends when its time is
 * up, when the application says so, or with the server, and on_session_end tells. Finding one takes
 * the same time however many there are. */

enum {
    WSD_SESSION_ID_SIZE = 33, /* 32 hexadecimal digits and a NUL */
    WSD_SESSION_USER_MAX_BYTES = 255,
    WSD_SESSION_KEY_MAX_BYTES = 255
};

/* Makes a session with an id of 128 random bits, which wsd_session_info_get() tells. Who knows the id is taken for its
 * user by most applications: it belongs in a cookie or a message, not in a log.
 *   user        the application's id for the user, at most WSD_SESSION_USER_MAX_BYTES bytes, may be empty; copied
 *   timeout_ms  until it expires; 0: session_timeout_ms
 *   session     set on success
 *   returns     WSD_OK; WSD_E_INVALID; WSD_E_LIMIT session_max_count is reached; WSD_E_NOMEM; WSD_E_SYSTEM no random
 *               bits; WSD_E_CLOSED the server is being freed */
WSD_API int wsd_session_create(wsd_server *server, wsd_str user, uint64_t timeout_ms, wsd_session *session);

/* The living session with that id, as wsd_session_info.id shows it; 0 if there is none. */
WSD_API wsd_session wsd_session_find(wsd_server *server, wsd_str id);

/* Attaches a connection, from its request on; it leaves the one that it was attached to. Several may be attached to a
 * session, and each is detached when it is over, after its on_close.
 * Returns WSD_OK; WSD_E_CLOSED the session has ended, the connection is gone or closing; WSD_E_LIMIT
 * session_connection_max_count is reached; WSD_E_NOMEM. */
WSD_API int wsd_session_attach(wsd_server *server, wsd_session session, wsd_conn conn);

/* Returns WSD_OK, also if it was attached to none, or WSD_E_CLOSED for a connection that is gone. */
WSD_API int wsd_session_detach(wsd_server *server, wsd_conn conn);

/* The session that a connection is attached to, or 0. */
WSD_API wsd_session wsd_session_of(const wsd_server *server, wsd_conn conn);

/* Sets the time until it expires anew: `timeout_ms` from the loop's now; 0: session_timeout_ms. Returns WSD_OK, or
 * WSD_E_CLOSED if it has ended. */
WSD_API int wsd_session_touch(wsd_server *server, wsd_session session, uint64_t timeout_ms);

/* Has a session remember `len` bytes under a key, in place of what was there; with `value` NULL it forgets them.
 *   key      1 to WSD_SESSION_KEY_MAX_BYTES bytes of any kind; copied
 *   value    copied; a session is meant to remember a few, as they are looked through
 *   returns  WSD_OK; WSD_E_CLOSED it has ended; WSD_E_INVALID; WSD_E_NOMEM; WSD_E_LIMIT all keys and values, and 16
 *            bytes for each, would come to more than session_data_max_bytes: what was there stays */
WSD_API int wsd_session_set(wsd_server *server, wsd_session session, wsd_str key, const void *value, size_t len);

/* Tells what it remembers under a key: `value` is valid until that key is set again or the session is gone; its `p` is
 * NULL where nothing was set. Returns WSD_OK, WSD_E_CLOSED or WSD_E_INVALID. */
WSD_API int wsd_session_get(const wsd_server *server, wsd_session session, wsd_str key, wsd_str *value);

/* Writes the names of at most `most` of the connections attached to it, in the order in which they came; `conns` may be
 * NULL with 0. Returns how many there are, 0 for a session that is gone. */
WSD_API size_t wsd_session_conns(const wsd_server *server, wsd_session session, wsd_conn *conns, size_t most);

typedef struct wsd_session_info {
    size_t size;                  /* set by the caller: sizeof(wsd_session_info) */
    char id[WSD_SESSION_ID_SIZE]; /* lower-case hexadecimal digits, NUL-terminated */
    wsd_str user;                 /* valid as long as the session */
    uint64_t created_ms;          /* loop time */
    uint64_t connected_ms;        /* loop time at which a connection was last attached; 0 before the first */
    uint64_t expires_ms;          /* loop time; 0: never */
    size_t connection_count;      /* attached now */
    size_t data_bytes;            /* as they count against session_data_max_bytes */
} wsd_session_info;

/* Fills `info`. Returns WSD_OK, WSD_E_CLOSED or WSD_E_INVALID. */
WSD_API int wsd_session_info_get(const wsd_server *server, wsd_session session, wsd_session_info *info);

/* Ends a session: it is not found any more, and on_session_end follows in this turn. Returns WSD_OK, or WSD_E_CLOSED if
 * it has ended. */
WSD_API int wsd_session_end(wsd_server *server, wsd_session session);

/* ------------------------------------------------------------------------------------------ timers and watches -- */

/* Calls `fn(server, arg)` once, `delay_ms` from the loop's now or later.
 *   timer    set to its name; may be NULL
 *   returns  WSD_OK; WSD_E_INVALID `fn` is NULL; WSD_E_NOMEM */
WSD_API int wsd_timer_start(wsd_server *server, uint64_t delay_ms, void (*fn)(wsd_server *server, void *arg), void *arg,
                            wsd_timer *timer);

/* Returns WSD_OK, or WSD_E_CLOSED if it has fired or was stopped before. */
WSD_API int wsd_timer_stop(wsd_server *server, wsd_timer timer);

enum { WSD_READABLE = 1, WSD_WRITABLE = 2 };

/* A watched descriptor is ready: `events` has WSD_READABLE, WSD_WRITABLE or both; an error or hang-up sets what was
 * asked for. */
typedef void (*wsd_watch_fn)(wsd_server *server, int fd, unsigned events, void *arg);

/* Has this loop watch a descriptor of the application's, level-triggered, until wsd_unwatch(). A second call for the
 * same descriptor changes events, fn and arg.
 *   returns  WSD_OK; WSD_E_INVALID; WSD_E_NOMEM; WSD_E_SYSTEM, with errno, for what cannot be watched */
WSD_API int wsd_watch(wsd_server *server, int fd, unsigned events, wsd_watch_fn fn, void *arg);

/* Call it before closing the descriptor; `fn` is not called after this. Returns WSD_OK or WSD_E_INVALID. */
WSD_API int wsd_unwatch(wsd_server *server, int fd);

/* -------------------------------------------------------------------------------------------------- statistics -- */

/* Times in milliseconds. buckets[0] counts those of at most 1 ms, buckets[i] those of at most 2^i ms that are in none
 * before it, and the last one all that are longer. */
enum { WSD_HISTOGRAM_BUCKETS = 16 };
typedef struct wsd_histogram {
    uint64_t count;
    uint64_t sum_ms;
    uint64_t buckets[WSD_HISTOGRAM_BUCKETS];
} wsd_histogram;

typedef struct wsd_stats {
    size_t size; /* set by the caller: sizeof(wsd_stats) */

    uint64_t connections_active;  /* sockets held now, handshakes included */
    uint64_t connections_open;    /* of these, past their handshake and not closing */
    uint64_t connections_total;   /* accepted since the start */
    uint64_t connections_opened;  /* that completed the handshake */
    uint64_t connections_closed;  /* that had opened and are gone: opened = closed + those not yet gone */
    uint64_t refused_limit;       /* answered 503: connection_max_count */
    uint64_t refused_descriptors; /* answered 503: out of descriptors */
    uint64_t refused_memory;      /* dropped at accept: out of memory */
    uint64_t handshakes_failed;   /* refused by the server or the application, timed out, or left */
    uint64_t handshake_timeouts;  /* of these, timed out */
    uint64_t requests;            /* plain HTTP requests answered */

    uint64_t messages_in, messages_out;
    uint64_t bytes_in, bytes_out; /* on the sockets, everything included */
    uint64_t writes;              /* times that a socket took something; one for all that a queue could get rid of */
    uint64_t pings_in, pings_out, pongs_in, pongs_out;
    uint64_t timeouts_ping, timeouts_idle, timeouts_write, timeouts_close;
    uint64_t protocol_errors; /* connections ended for breaking a rule */
    uint64_t sends_refused;   /* WSD_E_AGAIN answered */
    uint64_t sends_dropped;   /* by WSD_FULL_DROP */
    uint64_t sends_replaced;  /* by WSD_FULL_REPLACE */
    uint64_t close_codes[16]; /* ended with 1000-1014 by the last two digits; [15] all other codes */
    uint64_t causes[16];      /* ended, by wsd_cause */

    uint64_t deflated_count;       /* messages and fragments deflated; a prepared one once for each window size */
    uint64_t deflate_input_bytes;  /* before */
    uint64_t deflated_bytes;       /* and after; what did not get smaller, and went out as it was, is not counted */
    uint64_t inflated_count;       /* compressed messages received */
    uint64_t inflate_input_bytes;  /* before */
    uint64_t inflated_bytes;       /* and after */
    uint64_t deflate_memory_bytes; /* held for compression now, the server's own buffers included */
    uint64_t sessions_active;      /* now */
    uint64_t sessions_created;     /* since the start */
    uint64_t sessions_expired;     /* of these */
    uint64_t session_memory_bytes; /* held for sessions now */
    uint64_t topics_active;        /* with subscribers now */
    uint64_t subscriptions_active; /* now */
    uint64_t published_count;      /* messages published to topics with subscribers */
    uint64_t published_receivers;  /* and the sum of what wsd_publish() returned */
    uint64_t topic_memory_bytes;   /* held for topics now */
    uint64_t queued_bytes;         /* in all send queues now */
    uint64_t memory_bytes;         /* held by the library now */
    uint64_t allocations;          /* asked of the allocator since the start */
    uint64_t turns;                /* of the loop */

    /* With limits_dry_run the counters of limits tell what would have been refused. */
    uint64_t refused_ip_count;   /* answered 429: ip_connection_max_count */
    uint64_t refused_ip_rate;    /* answered 429: ip_connect_per_min */
    uint64_t refused_ip_table;   /* answered 503: an address that could not be remembered */
    uint64_t refused_budget;     /* answered 503: memory_soft_bytes */
    uint64_t handshakes_slow;    /* answered 408: handshake_bytes_per_s; of handshakes_failed */
    uint64_t messages_over_rate; /* that found no token: each pause, each close with 1008 */
    uint64_t budget_holds;       /* times that reading was stopped for memory_soft_bytes */
    uint64_t budget_closed;      /* connections whose queue was dropped for memory_hard_bytes */
    uint64_t memory_held_bytes;  /* memory_bytes as it weighs on the process: blocks rounded up as malloc() and mmap()
                                    do; the same as memory_bytes where wsd_config.allocate is set */
    uint64_t ip_count;           /* addresses remembered now */
    wsd_histogram loop_lag;      /* how late timers fired, connections' and the application's: what they waited for the
                                    rest of the loop */
    wsd_histogram rtt;           /* of the pongs to the server's pings */
    uint64_t refused_proxy;      /* dropped where a PROXY header is required: none, malformed, or not believed */
    uint64_t refused_origin;     /* answered 403: Origin not allowed, or none */
} wsd_stats;

/* Fills `stats` up to its size. Returns WSD_OK or WSD_E_INVALID. */
WSD_API int wsd_stats_get(const wsd_server *server, wsd_stats *stats);

/* The name of the kernels in use ("avx2", "scalar", ...); static. */
WSD_API const char *wsd_kernels(const wsd_server *server);

#ifdef __cplusplus
}
#endif

#endif /* WSD_H */
