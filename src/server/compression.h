// permessage-deflate on connections (RFC 7692 §7.2): what the server holds once for all of them, what one connection
// holds for itself, and the way of a message through either. A connection without context takeover holds nothing.
#pragma once

#include "deflate/deflate.h"
#include "deflate/inflate.h"
#include "server/conn.h"
#include "ws/pmd.h"

namespace wsd::server {

// Where messages are inflated to: the newest bytes of earlier ones, to which they may refer, and room behind those.
// There are three kinds: the server's, for messages that come in one piece without takeover; a connection's, with
// takeover; and a message's own, without takeover, while it is torn over several reads. None is touched while the
// application is shown what lies in it.
struct Inflow {
    deflate::Output out{};     // `p` is owned
    size_t capacity = 0;       // of out.p
    size_t full_capacity = 0;  // it grows no further; then older bytes make room
    size_t used = 0;           // of [0, out.end): delivered or copied
};

// What a compressed message needs between its reads.
struct Inflating {
    deflate::Inflater decoder;
    Inflow inflow;  // without takeover
};

// What a connection remembers from message to message.
struct Takeover {
    bool sends = false;                // the server's messages refer to earlier ones
    bool receives = false;             // the client's do
    deflate::Context* sent = nullptr;  // owned; null before the first message
    Inflow received;
    size_t reserved_bytes = 0;  // what both may come to
};

struct Compression {
    deflate::Encoder encoder;
    deflate::Inflater decoder;  // of messages that come in one piece
    Inflow inflow;              // of those without takeover
    uint8_t* packed = nullptr;  // owned; where small messages are deflated to
    size_t reserved_bytes = 0;  // by all takeovers
};

constexpr uint8_t server_bits(const Conn& conn) { return conn.deflate_bits >> 4; }
constexpr uint8_t client_bits(const Conn& conn) { return conn.deflate_bits & 15; }

// Empty, for messages deflated with that window; it gets its memory when it needs it.
void inflow_init(Inflow& inflow, uint8_t window_bits);

// False when memory is refused; what was taken is compression_close()'s to give back.
[[nodiscard]] bool compression_open(Server& server);
void compression_close(Server& server);

// What the server is ready to agree to on one more connection.
ws::Pmd compression_offer(const Server& server);

// Puts what was agreed in force. False when memory is refused: nothing is.
[[nodiscard]] bool compression_begin(Conn& conn, const ws::Pmd& agreed);
void compression_end(Conn& conn);

deflate::Params deflate_params(const Server& server, uint8_t window_bits);

// ---------------------------------------------------------------------------------- receiving (conn_inflate.cpp)

// The first frame of a compressed message has come, and more than one read will be needed. False when memory is
// refused.
[[nodiscard]] bool conn_inflate_begin(Conn& conn, Assembly& in);

// Inflates the next unmasked bytes of the message and hands on what comes of them. With its end, what never needed to
// leave the window is left in `in.decoded`. False if the connection takes no more of it: it has been ended.
[[nodiscard]] bool conn_inflate(Conn& conn, Assembly& in, Bytes payload);

// A compressed message in one frame, all of it at `payload`.
void conn_inflate_whole(Conn& conn, const ws::FrameHeader& header, uint8_t* payload);

// Null is allowed.
void inflating_free(Server& server, Inflating* inflating);

// Has the input that is being used come to so many bytes that others are to have their turn? It then goes on after
// them.
bool conn_inflated_enough(Conn& conn);

// ------------------------------------------------------------------------------------ sending (conn_deflate.cpp)

// Puts the compressed form of a frame in its place, where there is one and it is worth it. `*held` is then the caller's
// to release once the frame is queued; it may be null. False when memory is refused for a further fragment of a message
// whose first frame said that it is compressed; any other frame then goes out as it is.
//   keyed   the frame may be dropped from the queue, so that nothing sent later may refer to it
[[nodiscard]] bool conn_deflate(Conn& conn, Outgoing& frame, bool keyed, net::SharedBlock** held);

// The frame was not queued: nothing that follows refers to it, nor to anything before it.
void conn_deflate_undo(Conn& conn);

// `payload` deflated by itself for a window of that size, as a frame that fills `*out`; null if it does not get
// smaller. False when memory is refused.
[[nodiscard]] bool deflate_frame(Server& server, ws::Opcode opcode, Bytes payload, uint8_t window_bits,
                                 net::SharedBlock** out);

}  // namespace wsd::server
