// What the daemon's callbacks share, behind wsd_context().
#pragma once

#include "app/log.h"
#include "app/options.h"

namespace app {

constexpr int kNoListener = -1;

struct Daemon {
    const Options& options;
    Log log;
    bool draining = false;
    int first_admin_listener = kNoListener;  // it and those after it serve the pages, and nothing else
    double start_time_s = 0;                 // since 1970
    uint64_t start_ms = 0;                   // loop time
};

inline Daemon& daemon_of(const wsd_server* server) { return *static_cast<Daemon*>(wsd_context(server)); }

}  // namespace app
