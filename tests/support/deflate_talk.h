// Talking compressed: what the tests of permessage-deflate say over real sockets, with zlib at the other end.
#pragma once

#include "support/json_messages.h"
#include "support/test_server.h"
#include "support/zlib_peer.h"

namespace test {

inline constexpr char kOffer[] = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

inline std::string compressed(uint8_t first, std::string_view payload) { return frame(uint8_t(first | 0x40), payload); }

// Everything on, as far as a test does not change it.
inline void allow(TestServer& server, bool takeover = true) {
    server.config.deflate = 1;
    server.config.deflate_server_takeover = server.config.deflate_client_takeover = takeover;
}

// The next message, inflated if it is compressed.
inline std::string next_message(TestServer& server, Client& client, ZlibInflater& inflater) {
    Frame frame = server.next_frame(client);
    if (frame.first & 0x40) {
        frame.first &= uint8_t(~0x40);
        frame.payload = inflater.message(frame.payload);
    }
    return show(frame);
}

// Is `expected` the next message? They are long, so a test that fails says less than both of them.
inline bool hears(TestServer& server, Client& client, ZlibInflater& inflater, const std::string& expected) {
    const std::string got = next_message(server, client, inflater);
    if (got != expected) MESSAGE("got " << got.size() << " bytes: " << got.substr(0, 60));
    return got == expected;
}

inline std::string random_bytes(size_t size) {
    Rng rng{99};
    std::string bytes;
    for (size_t i = 0; i < size; i++) bytes += char(rng.below(256));
    return bytes;
}

// How the connection that ended last did so, once its client has hung up, too.
inline const Closed& ending(TestServer& server, Client& client) {
    client.close();
    REQUIRE(server.until([&] { return server.closed.size() == server.opened.size(); }));
    return server.closed.back();
}

}  // namespace test
