// What wsbench's command line may say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tools {

struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 9001;
    int conns = 100;
    size_t size = 20;
    int depth = 1;
    char kind = 'b';  // b binary, t ASCII text, u other text
    double secs = 3;
    double warmup = 0.3;
    double rate = 0;          // messages/s in all at fixed times; 0: as fast as echoes come back
    bool raw = false;         // no WebSocket: the same bytes, to tests/bench/raw_echo
    bool idle = false;        // open, hold, close
    bool half_heads = false;  // send half a request and stop, until the server ends it
    bool json = false;
    int server_pid = 0;
};

// Ends the program with a message if a flag is wrong, or with the list of flags if that was asked for.
Options parse_options(int argc, char** argv);

}  // namespace tools
