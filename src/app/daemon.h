// What the daemon's callbacks share, behind wsd_context().
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "app/hub/hub.h"
#include "app/log.h"
#include "app/notify.h"
#include "app/options.h"

namespace app {

constexpr int kNoListener = -1;

// What the log tells of a request, taken before the decision about it ends its life.
struct Asked {
    std::string peer, method = "-", path = "-";
};

struct Daemon {
    Sources sources;                    // read again at a reload
    std::unique_ptr<Options> started;   // as it was made: what only a restart changes
    std::unique_ptr<Options> reloaded;  // what holds since the latest reload; null before the first
    Log log{LogLevel::kInfo, LogFormat::kText};
    Notifier notifier;
    std::unique_ptr<hub::Hub> hub;                // null: messages are echoed
    std::unordered_map<wsd_conn, Asked> waiting;  // of the control API, not answered yet; where they are logged
    uint64_t descriptor_limit = 0;
    bool draining = false;
    int first_admin_listener = kNoListener;  // it and those after it serve the pages, and nothing else
    double start_time_s = 0;                 // since 1970
    uint64_t start_ms = 0;                   // loop time

    const Options& options() const { return reloaded ? *reloaded : *started; }
};

inline Daemon& daemon_of(const wsd_server* server) { return *static_cast<Daemon*>(wsd_context(server)); }

}  // namespace app
