// The HTTP phase of a connection: requests are gathered, judged, shown to the application and answered, until one of
// them becomes a WebSocket.
#pragma once

#include "server/conn.h"
#include "ws/handshake.h"

// One request. Exists from its first byte until it is settled; the application sees it as an opaque type.
struct wsd_request {
    enum class State : uint8_t {
        kHead,      // the head is arriving
        kBody,      // the head is good, its body is arriving
        kWaiting,   // complete; the application has not decided
        kAccepted,  // wsd_accept() has queued the 101
        kAnswered,  // an answer that is not 101 is queued
    };
    wsd::server::Conn* conn;
    uint8_t* text;    // head, then body; owned
    size_t text_len;  // received of it
    size_t text_room;
    size_t head_len;  // known from kBody on
    wsd::http::HeadScan scan;
    wsd::http::Request request;  // slices of `text`; its headers stand behind this struct
    uint32_t head_max_bytes;     // this and the next as they were when it began
    uint16_t header_room;
    State state;
    bool is_upgrade;
    bool in_callback;   // on_request is running: what is decided there is settled after it
    bool last;          // the connection ends with this answer
    bool slow;          // it came too slowly, and that has been counted
    uint64_t begun_ms;  // its first byte
    char accept[wsd::ws::kAcceptSize];
};

namespace wsd::server {

// Uses bytes of [p, end) for the current or next request; returns where it stopped.
uint8_t* upgrade_feed(Conn& conn, uint8_t* p, uint8_t* end);

// A complete request waits for the application, or for what follows from its decision.
bool upgrade_waits(const Conn& conn);

// An answer to the request is queued, and what follows from it is still to come.
bool upgrade_is_answered(const Conn& conn);

// What follows from a decision, once it is safe to call back.
void upgrade_settle(Conn& conn);

void upgrade_timed_out(Conn& conn);
void upgrade_free(Conn& conn);

// Answers whatever request there is, complete or not, with an error of the server's own, and ends the connection.
void upgrade_refuse(Conn& conn, const http::Refusal& refusal);

// wsd_accept() and wsd_respond().
int upgrade_accept(Conn& conn, const char* subprotocol, const wsd_header* headers, size_t header_count);
int upgrade_respond(Conn& conn, int status, const wsd_header* headers, size_t header_count, Bytes body);

inline Bytes head_of(const Upgrade& upgrade) { return {upgrade.text, upgrade.head_len}; }

}  // namespace wsd::server
