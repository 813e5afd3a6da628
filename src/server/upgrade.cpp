// The HTTP phase. A request is gathered into a block of its own, so that it stays where it is while an application
// makes up its mind; no request is half-decided, and none is decided twice.
#include "server/upgrade.h"

#include "http/origin.h"
#include "http/response.h"
#include "server/client.h"
#include "server/compression.h"
#include "server/extra.h"
#include "server/refusal.h"
#include "server/server.h"

namespace wsd::server {
namespace {

using State = Upgrade::State;

constexpr size_t kTextStep = 512;  // a browser's head fits in one or two
constexpr size_t kFieldMax = 64;   // headers of one answer, ours included

size_t upgrade_size(uint16_t header_room) { return sizeof(Upgrade) + header_room * sizeof(http::Header); }

Upgrade* upgrade_new(Conn& conn) {
    Server& server = *conn.server;
    const uint16_t header_room = server.config.head_max_count;
    void* const room = mem_alloc(server.mem, Purpose::kHandshake, upgrade_size(header_room));
    if (!room) return nullptr;
    Upgrade* const upgrade = new (room) Upgrade{};
    upgrade->conn = &conn;
    upgrade->header_room = header_room;
    upgrade->head_max_bytes = server.config.head_max_bytes;
    upgrade->begun_ms = now_ms(server);
    upgrade->request.headers = reinterpret_cast<http::Header*>(upgrade + 1);
    return upgrade;
}

// Appends what the limit allows of [p, end) to the request's text. False when memory is refused.
bool gather(Conn& conn, const uint8_t* p, size_t len) {
    Upgrade& upgrade = *conn.upgrade;
    if (upgrade.text_room - upgrade.text_len < len) {
        const size_t room = (upgrade.text_len + len + kTextStep - 1) / kTextStep * kTextStep;
        void* const moved = mem_resize(conn.server->mem, Purpose::kHandshake, upgrade.text, upgrade.text_room, room);
        if (!moved) return false;
        upgrade.text = static_cast<uint8_t*>(moved);
        upgrade.text_room = room;
    }
    std::memcpy(upgrade.text + upgrade.text_len, p, len);
    upgrade.text_len += len;
    return true;
}

// ------------------------------------------------------------------------------------------------------ answering

// An answer being put together: what the application gave and what the protocol adds.
struct Answer {
    http::Field fields[kFieldMax];
    http::Response response;

    void add(const char* name, Bytes value) { fields[response.field_count++] = {bytes_of(name), value}; }
    void add(const char* name, const char* value) { add(name, bytes_of(value)); }
};

// Takes the application's headers. False if one is malformed or is the server's to write.
bool add_headers(Answer& answer, const wsd_header* headers, size_t count, std::span<const char* const> reserved) {
    if (count > kFieldMax - 8) return false;
    for (size_t i = 0; i < count; i++) {
        if (!headers[i].name || !headers[i].value) return false;
        const http::Field field{bytes_of(headers[i].name), bytes_of(headers[i].value)};
        if (!http::field_is_clean(field)) return false;
        for (const char* const name : reserved) {
            if (equal_ignoring_case(field.name, name)) return false;
        }
        answer.fields[answer.response.field_count++] = field;
    }
    return true;
}

bool asks_for_head(const Upgrade& upgrade) {
    return equal(slice(head_of(upgrade), upgrade.request.method), bytes_of("HEAD"));
}

// Writes and queues an answer.
int send_response(Conn& conn, const http::Response& response) {
    Mem& mem = conn.server->mem;
    const size_t size = http::response_size(response);
    uint8_t* const text = static_cast<uint8_t*>(mem_alloc(mem, Purpose::kHandshake, size));
    if (!text) return WSD_E_NOMEM;
    (void)http::write_response(response, text);
    const int result = conn_send_raw(conn, {text, size});
    mem_free(mem, Purpose::kHandshake, text, size);
    return result;
}

int send_answer(Conn& conn, Answer& answer) {
    answer.response.fields = answer.fields;
    return send_response(conn, answer.response);
}

// The state after a decision; what follows from it happens now or, inside on_request, after that.
void decided(Conn& conn, State state) {
    conn.upgrade->state = state;
    if (!conn.upgrade->in_callback) conn_owe(conn, kWorkDecide | kWorkFlush);
}

// Agrees to permessage-deflate if that is on and offered. `text` is room for what the answer says, and must live as
// long as the answer. False when memory is refused.
bool take_deflate(Conn& conn, Answer& answer, char* text) {
    Server& server = *conn.server;
    ws::Pmd agreed;
    if (!server.compression) return true;
    const Upgrade& upgrade = *conn.upgrade;
    if (!ws::choose_offer(head_of(upgrade), upgrade.request, compression_offer(server), &agreed)) return true;
    const size_t len = ws::write_answer(agreed, text);
    answer.add("Sec-WebSocket-Extensions", {reinterpret_cast<const uint8_t*>(text), len});
    return compression_begin(conn, agreed);
}

// ------------------------------------------------------------------------------------------------------- deciding

void show_to_application(Conn& conn) {
    Server& server = *conn.server;
    Upgrade& upgrade = *conn.upgrade;
    upgrade.state = State::kWaiting;
    upgrade.in_callback = true;
    if (server.callbacks.on_request) {
        server.callbacks.on_request(&server, id_of(conn.handle), &upgrade);
    } else if (!upgrade.is_upgrade) {
        upgrade_refuse(conn, {426, "plain request, and nobody answers those here"});
    } else if (upgrade_accept(conn, nullptr, nullptr, 0) != WSD_OK) {
        conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
    }
    upgrade.in_callback = false;  // the request outlives its connection's end: both go at the end of the turn
    if (upgrade.state != State::kWaiting) {
        upgrade_settle(conn);
    } else if (server.draining && conn.phase == Phase::kHttp && !drain_spares(conn)) {
        upgrade_refuse(
            conn, {503, "draining", "draining"});  // the drain began in the callback, which left the request undecided
    }
}

// May the page that asks connect (§10.2)? Whoever is no browser has no page, and need not say so.
bool origin_ok(const Server& server, const Upgrade& upgrade, http::Refusal* refusal) {
    if (!server.texts.origins) return true;
    const Bytes head = head_of(upgrade);
    size_t from = 0;
    const http::Header* const origin = http::find_header(head, upgrade.request, "Origin", &from);
    *refusal = {403, "no Origin"};
    if (!origin) return !server.config.origins_required;
    *refusal = {403, "Origin not allowed"};
    if (http::find_header(head, upgrade.request, "Origin", &from)) return false;
    return http::origin_allowed(bytes_of(server.texts.origins), http::slice(head, origin->value));
}

void request_complete(Conn& conn) {
    Upgrade& upgrade = *conn.upgrade;
    http::Refusal refusal;
    if (!client_learn(conn, &refusal)) return upgrade_refuse(conn, refusal);
    if (upgrade.request.upgrade_websocket) {
        const ws::UpgradeRules rules{conn.server->config.allow_http10 != 0};
        if (ws::check_upgrade(head_of(upgrade), upgrade.request, rules, upgrade.accept, &refusal) !=
            http::Step::kDone) {
            return upgrade_refuse(conn, refusal);
        }
        if (!origin_ok(*conn.server, upgrade, &refusal)) {
            conn.server->stats.refused_origin++;
            return upgrade_refuse(conn, refusal);
        }
        upgrade.is_upgrade = true;
    }
    if (conn.server->draining && !drain_spares(conn)) return upgrade_refuse(conn, {503, "draining", "draining"});
    if (upgrade.is_upgrade && budget_is_tight(*conn.server)) {
        conn.server->stats.refused_budget++;
        return upgrade_refuse(conn, {503, "over the soft memory mark"});
    }
    show_to_application(conn);
}

// ------------------------------------------------------------------------------------------------------ gathering

void head_complete(Conn& conn) {
    Server& server = *conn.server;
    Upgrade& upgrade = *conn.upgrade;
    http::Refusal refusal;
    if (http::parse_head(head_of(upgrade), &upgrade.request, &refusal) != http::Step::kDone) {
        return upgrade_refuse(conn, refusal);
    }
    const uint64_t body_bytes = upgrade.request.content_length;
    upgrade.state = State::kBody;
    if (body_bytes > server.config.body_max_bytes) return upgrade_refuse(conn, {413, "body too large"});
    if (body_bytes == 0) return request_complete(conn);
    if (upgrade.request.expect_continue) {  // RFC 9110 §10.1.1: the client holds its body back until told to send
        if (conn_send_raw(conn, bytes_of("HTTP/1.1 100 Continue\r\n\r\n")) != WSD_OK) {
            conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
        }
    }
}

uint8_t* feed_head(Conn& conn, uint8_t* p, uint8_t* end) {
    Upgrade& upgrade = *conn.upgrade;
    const size_t before = upgrade.text_len;
    size_t n = size_t(end - p);
    if (n > upgrade.head_max_bytes - before) n = upgrade.head_max_bytes - before;
    if (!gather(conn, p, n)) {
        conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
        return end;
    }
    http::Refusal refusal;
    const http::HeadLimits limits{upgrade.head_max_bytes, upgrade.header_room};
    switch (http::scan_head({upgrade.text, upgrade.text_len}, limits, &upgrade.scan, &refusal)) {
        case http::Step::kNeedMore: return p + n;
        case http::Step::kRefused: upgrade_refuse(conn, refusal); return end;
        case http::Step::kDone: break;
    }
    // What was gathered behind the head belongs to its body or to what follows.
    upgrade.head_len = upgrade.text_len = upgrade.scan.scanned;
    uint8_t* const after = p + (upgrade.head_len - before);
    head_complete(conn);
    return after;
}

uint8_t* feed_body(Conn& conn, uint8_t* p, uint8_t* end) {
    Upgrade& upgrade = *conn.upgrade;
    const size_t missing = size_t(upgrade.request.content_length) - (upgrade.text_len - upgrade.head_len);
    const size_t n = size_t(end - p) < missing ? size_t(end - p) : missing;
    if (!gather(conn, p, n)) {
        conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
        return end;
    }
    if (n == missing) request_complete(conn);
    return p + n;
}

}  // namespace

uint8_t* upgrade_feed(Conn& conn, uint8_t* p, uint8_t* end) {
    if (conn.proxy_due) {
        p = client_feed(conn, p, end);
        if (conn.proxy_due || p == end) return p;
    }
    if (!conn.upgrade) {
        p += http::leading_empty_lines({p, size_t(end - p)});
        if (p == end || (*p == '\r' && end - p == 1)) return p;  // perhaps the first half of another empty line
        conn.upgrade = upgrade_new(conn);
        if (!conn.upgrade) {
            conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
            return end;
        }
        conn_rearm(conn);  // it may be too slow now
    }
    return conn.upgrade->state == State::kHead ? feed_head(conn, p, end) : feed_body(conn, p, end);
}

bool upgrade_waits(const Conn& conn) { return conn.upgrade && conn.upgrade->state >= State::kWaiting; }

bool upgrade_is_answered(const Conn& conn) { return conn.upgrade && conn.upgrade->state == State::kAnswered; }

void upgrade_free(Conn& conn) {
    Upgrade* const upgrade = conn.upgrade;
    if (!upgrade) return;
    conn.upgrade = nullptr;
    Mem& mem = conn.server->mem;
    mem_free(mem, Purpose::kHandshake, upgrade->text, upgrade->text_room);
    mem_free(mem, Purpose::kHandshake, upgrade, upgrade_size(upgrade->header_room));
}

void upgrade_settle(Conn& conn) {
    Server& server = *conn.server;
    Upgrade* const upgrade = conn.upgrade;
    if (!upgrade || conn.phase == Phase::kDead) return;
    const bool accepted = upgrade->state == State::kAccepted;
    const bool last = upgrade->last;
    upgrade_free(conn);
    if (accepted) {
        if (conn.phase != Phase::kOpen) return;
        conn.opened = true;
        server.stats.connections_opened++;
        if (server.callbacks.on_open) server.callbacks.on_open(&server, id_of(conn.handle));
        if (server.draining) drain_conn(conn);  // the drain began while the application made up its mind
        return;
    }
    if (last) return conn_linger(conn, {WSD_CAUSE_LOCAL});
    conn.since_ms = now_ms(server);  // the next request has a handshake timeout of its own
}

void upgrade_timed_out(Conn& conn) {
    Server& server = *conn.server;
    if (upgrade_is_answered(conn)) return;  // in this very turn
    // Nothing was asked since the last answer: a connection kept alive for nothing just ends.
    if (!conn.upgrade && conn.answered) return conn_linger(conn, {WSD_CAUSE_IDLE, WSD_E_IDLE_TIMEOUT});
    server.stats.handshake_timeouts++;
    if (client_required(conn)) return client_refuse(conn, "no PROXY header in time");
    const bool ours = upgrade_waits(conn);
    upgrade_refuse(conn, ours ? http::Refusal{503, "no decision in time", "no_decision"}
                              : http::Refusal{408, "no request in time"});
}

void upgrade_refuse(Conn& conn, const http::Refusal& refusal) {
    Server& server = *conn.server;
    const Upgrade* const known = conn.upgrade && conn.upgrade->state != State::kHead ? conn.upgrade : nullptr;
    RefusalAnswer answer;
    refusal_answer(refusal, server.config.refusals_json != 0, &answer);
    answer.response.head_only = conn.upgrade && asks_for_head(*conn.upgrade);
    if (send_response(conn, answer.response) != WSD_OK) {
        conn_kill(conn, {WSD_CAUSE_NOMEM, WSD_E_NOMEM});
    } else if (conn.upgrade && conn.upgrade->in_callback) {
        conn.upgrade->last = true;
        conn.upgrade->state = State::kAnswered;
    } else {
        conn_linger(conn, {WSD_CAUSE_PROTOCOL});
    }
    // Last, since callbacks may do anything, and must find the request decided.
    server_log(server, WSD_LOG_INFO, id_of(conn.handle), refusal.why, WSD_OK);
    if (server.callbacks.on_refused) {
        server.callbacks.on_refused(&server, id_of(conn.handle), known, refusal.status, refusal.why);
    }
}

int upgrade_accept(Conn& conn, const char* subprotocol, const wsd_header* headers, size_t header_count) {
    static constexpr const char* kOurs[] = {"Upgrade",
                                            "Connection",
                                            "Content-Length",
                                            "Transfer-Encoding",
                                            "Sec-WebSocket-Accept",
                                            "Sec-WebSocket-Protocol",
                                            "Sec-WebSocket-Extensions"};
    Server& server = *conn.server;
    Upgrade* const upgrade = conn.upgrade;
    if (!upgrade || upgrade->state != State::kWaiting || !upgrade->is_upgrade) return WSD_E_INVALID;

    const Bytes head = head_of(*upgrade);
    Bytes chosen;
    if (!subprotocol) {
        if (server.texts.subprotocols)
            chosen = ws::choose_subprotocol(head, upgrade->request, bytes_of(server.texts.subprotocols));
    } else if (*subprotocol) {
        chosen = bytes_of(subprotocol);
        if (!ws::offers_subprotocol(head, upgrade->request, chosen)) return WSD_E_INVALID;
    }

    Answer answer;
    answer.response.status = 101;
    answer.add("Upgrade", "websocket");
    answer.add("Connection", "Upgrade");
    answer.add("Sec-WebSocket-Accept", {reinterpret_cast<const uint8_t*>(upgrade->accept), ws::kAcceptSize});
    if (chosen.len) answer.add("Sec-WebSocket-Protocol", chosen);
    if (!add_headers(answer, headers, header_count, kOurs)) return WSD_E_INVALID;

    char extension[ws::kPmdAnswerMax];
    if (!take_deflate(conn, answer, extension)) return WSD_E_NOMEM;
    const int result =
        chosen.len && !extra_set_subprotocol(conn, chosen) ? int(WSD_E_NOMEM) : send_answer(conn, answer);
    if (result != WSD_OK) {
        compression_end(conn);
        extra_drop_subprotocol(conn);
        return result;
    }
    conn_open(conn);
    decided(conn, State::kAccepted);
    return WSD_OK;
}

int upgrade_respond(Conn& conn, int status, const wsd_header* headers, size_t header_count, Bytes body) {
    static constexpr const char* kOurs[] = {"Connection", "Content-Length", "Transfer-Encoding"};
    Upgrade* const upgrade = conn.upgrade;
    if (!upgrade || upgrade->state != State::kWaiting || status < 200 || status > 599) return WSD_E_INVALID;

    const http::Request& request = upgrade->request;
    const bool last = upgrade->is_upgrade || !request.keep_alive || (conn.server->draining && !drain_spares(conn));
    Answer answer;
    answer.response.status = uint16_t(status);
    answer.response.body = body;
    answer.response.close = last;
    answer.response.head_only = asks_for_head(*upgrade);
    answer.response.http10 = request.minor == 0;
    if (!add_headers(answer, headers, header_count, kOurs)) return WSD_E_INVALID;
    const int result = send_answer(conn, answer);
    if (result != WSD_OK) return result;

    upgrade->last = last;
    if (!upgrade->is_upgrade) {
        conn.answered = true;
        conn.server->stats.requests++;
    }
    decided(conn, State::kAnswered);
    return WSD_OK;
}

}  // namespace wsd::server
