// A server with nobody on it, for what only needs a loop.
#pragma once

#include <cstdlib>

#include "wsd.h"

namespace test {

struct PlainServer {
    PlainServer() {
        wsd_callbacks callbacks = {};
        callbacks.size = sizeof callbacks;
        if (wsd_server_new(nullptr, &callbacks, &server) != WSD_OK) std::abort();
    }
    ~PlainServer() { wsd_server_free(server); }
    PlainServer(const PlainServer&) = delete;
    PlainServer& operator=(const PlainServer&) = delete;

    void turn() { (void)wsd_server_poll(server, 0); }  // that there was nothing to do is no error

    template <class Done>
    void turn_until(Done done) {
        while (!done()) (void)wsd_server_poll(server, -1);
    }

    wsd_server* server = nullptr;
};

}  // namespace test
