// What a run found, told as text for people or as JSON for scripts, one object a line.
#pragma once

#include <string>

#include "handshakes.h"
#include "load.h"
#include "options.h"

namespace wsbench {

// What was measured between two moments.
struct Measured {
    double secs = 0;
    double client_cpu_secs = 0;
    double server_cpu_secs = 0;
};

// Of a load; memory is the server's now.
std::string report_load(const Options& options, const Load& load, const Measured& measured);

// Of upgrades. `whole` begins before the first connection, `upgrades` with the first request; with --churn they are
// one.
std::string report_handshakes(const Options& options, const Handshakes& handshakes, uint64_t upgraded,
                              const Measured& whole, const Measured& upgrades);

// Of connections that are held. `stage` says when: "open", "held".
std::string report_hold(const Options& options, const Load& load, const char* stage, size_t server_rss_before);

}  // namespace wsbench
