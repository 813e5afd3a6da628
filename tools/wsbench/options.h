// What one run does, as its flags say.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "payload.h"

namespace wsbench {

enum class Mode : uint8_t {
    kLoad,       // measure echoes
    kHold,       // open connections, say `messages` on each, and hold them
    kHalfHeads,  // send half a request head on each, and hold them
    kUpgrade,    // connect all, and then upgrade all: how fast and how dear
    kChurn,      // connect, upgrade and leave, over and over, on each
};

struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 9001;
    std::string unix_path;      // instead of host and port, if not empty
    uint32_t source_first = 0;  // IPv4 addresses to connect from, in turn; 0: as the kernel likes
    uint32_t source_last = 0;

    Mode mode = Mode::kLoad;
    bool raw = false;  // no WebSocket: a frame's bytes as they are, to a plain echo
    size_t conns = 1;

    Content content = Content::kBinary;
    size_t size = 125;      // of a payload, in bytes
    bool deflate = false;   // with permessage-deflate, each message compressed by itself
    size_t depth = 1;       // messages in flight on each connection
    size_t active = 0;      // connections that send, the others being silent; 0: all
    size_t publish = 0;     // messages in flight from the first connection, each to come back on all; 0: echoes
    uint64_t messages = 0;  // on each connection, then no more; 0: for `secs`
    double rate = 0;        // messages a second in all, sent when due whatever has come back; 0: when an echo comes
    double secs = 0;        // of measuring or holding; 0: until SIGTERM
    double warmup = 0;
    bool verify = false;  // compare what comes back with what was said

    pid_t server_pid = 0;  // 0: of no interest
    bool json = false;
    bool help = false;
};

// False when the flags make no sense; `*error` then says why in one line.
[[nodiscard]] bool parse_options(int argc, char** argv, Options* options, std::string* error);

std::string help_text();

}  // namespace wsbench
