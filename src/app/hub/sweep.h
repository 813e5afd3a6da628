// Does something again and again, as what grows too old does so while nobody says anything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "wsd.h"

namespace app::hub {

// The time before which everything is older than `age_ms`.
inline int64_t oldest_kept_ms(int64_t now_ms, uint64_t age_ms) {
    return now_ms > 0 && age_ms < uint64_t(now_ms) ? now_ms - int64_t(age_ms) : 0;
}

class Sweep {
  public:
    // For what may become `age_ms` old: at eight times in it, but once a second at most and once an hour at least. 0:
    // never.
    Sweep(wsd_server* server, uint64_t age_ms, std::function<void()> sweep)
        : server_(server), sweep_(std::move(sweep)), every_ms_(std::clamp<uint64_t>(age_ms / 8, 1000, 3600000)) {
        if (age_ms) arm();
    }
    ~Sweep() {
        if (timer_) (void)wsd_timer_stop(server_, timer_);
    }
    Sweep(const Sweep&) = delete;
    Sweep& operator=(const Sweep&) = delete;

  private:
    void arm() {
        timer_ = 0;  // out of memory: what is too old goes with the next append
        (void)wsd_timer_start(
            server_, every_ms_,
            [](wsd_server*, void* arg) {
                Sweep* const self = static_cast<Sweep*>(arg);
                self->sweep_();
                self->arm();
            },
            this, &timer_);
    }

    wsd_server* server_;
    std::function<void()> sweep_;
    uint64_t every_ms_;
    wsd_timer timer_ = 0;
};

}  // namespace app::hub
