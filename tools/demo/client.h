// A WebSocket client for the demonstration: one socket that never blocks, and short whole messages. It follows RFC 6455
// with a key and masks of its own, and refuses what the demonstration has no use for: fragments, compression, and
// frames of more than kControlPayloadMax bytes.
#pragma once

#include <string>

namespace demo {

struct Client {
    std::string name;
    int fd = -1;                  // owned
    std::string key;              // of its handshake
    std::string input;            // received and not understood yet
    std::string inbox;            // the latest message
    bool open = false;            // the handshake is done
    bool ended = false;           // the server's close frame, or the end of the stream, has come
    const char* error = nullptr;  // what the server did wrong; static
};

// Connects to "127.0.0.1:PORT" and asks for an upgrade, with the client's name in the target. False, with errno, if it
// cannot. client_end() is due in any case.
[[nodiscard]] bool client_connect(Client& client, const std::string& address);

// Takes what has come, once the descriptor is readable.
void client_read(Client& client);

// Sends a text message of at most kControlPayloadMax bytes; begins the close handshake. False, with errno, if the
// kernel does not take all of it.
[[nodiscard]] bool client_send(Client& client, const std::string& text);
[[nodiscard]] bool client_close(Client& client, unsigned short code);

// Closes the socket. May be called twice.
void client_end(Client& client);

}  // namespace demo
