// The bytes that every connection sends over and over: one message, framed and masked once before the run, so that
// sending costs the client nothing but the system call. A load may do that; a real client draws a new mask for every
// frame (§5.3), and a server cannot tell the difference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "options.h"

namespace wsbench {

struct Wire {
    std::string payload;
    std::string frames;     // copies of one frame, at least two
    size_t frame_size = 0;  // of each, header and mask included

    // What is sent next when `done` bytes of a frame have been, and `owed` bytes in all are to be: as much of it as
    // lies in one piece.
    wsd::Bytes next(size_t done, uint64_t owed) const {
        const size_t piece = frames.size() - done;
        return {reinterpret_cast<const uint8_t*>(frames.data()) + done, owed < piece ? size_t(owed) : piece};
    }
};

Wire make_wire(const Options& options);

// The request that opens a connection to `host`, and whether `head` is the right answer to it.
std::string upgrade_request(const std::string& host, bool deflate);
bool opens(wsd::Bytes head, bool deflate);

// A pong that answers a ping with this payload, of at most 125 bytes (§5.5.3).
std::string pong_frame(wsd::Bytes payload);

}  // namespace wsbench
