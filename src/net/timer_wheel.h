// Deadlines in milliseconds: a hierarchical wheel of 7 levels of 64 slots, one bitmap a level.
// Arming and cancelling are O(1) and cannot fail; a timer is a field of the object that it wakes.
//
// A timer stands in the level of the highest 6-bit digit in which its deadline and the wheel's time differ, in the
// slot of that digit. All higher digits are equal, so a slot is always ahead within its level: nothing wraps.
#pragma once

#include <cstdint>

#include "base/list.h"

namespace wsd::net {

struct Timer {
    ListNode node;                    // in a slot of the wheel; unlinked: not armed
    uint64_t when_ms = 0;             // deadline on the wheel's clock, meaningful while armed
    void (*fired)(Timer*) = nullptr;  // may arm, cancel or free any timer, this one included
};

constexpr uint64_t kTimerNever = UINT64_MAX;

class TimerWheel {
  public:
    explicit TimerWheel(uint64_t now_ms = 0) : now_ms_(now_ms) {}

    uint64_t now_ms() const { return now_ms_; }

    // Fires at the first advance() to `when_ms` or later; a deadline that has passed fires at the next advance.
    // An armed timer is moved. A time after the wheel's round of 2^42 ms (139 years) is brought back to its end.
    void arm(Timer& timer, uint64_t when_ms);

    // Nothing happens if it is not armed.
    void cancel(Timer& timer);

    static bool armed(const Timer& timer) { return list_linked(timer.node); }

    // Moves time on and fires what is due, earliest first. A timer that is armed meanwhile for the time the wheel
    // has reached, or earlier, waits for the next call: re-arming for "now" cannot loop. Time never goes back.
    void advance(uint64_t now_ms);

    // A time not later than the earliest deadline, and exact when that is less than 64 ms away;
    // kTimerNever if nothing is armed. Sleeping until then and advancing makes progress.
    uint64_t next_ms() const;

  private:
    static constexpr unsigned kLevels = 7;
    static constexpr unsigned kSlotBits = 6;
    static constexpr unsigned kSlots = 1u << kSlotBits;

    struct Place {
        unsigned level;
        unsigned slot;
    };

    Place place_of(uint64_t when_ms) const;  // of a time after now
    uint64_t start_of(Place place) const;    // the first millisecond of a slot
    bool earliest(Place* place) const;       // the first slot that is not empty; false if all are
    void insert(Timer& timer);

    uint64_t now_ms_;
    uint64_t occupied_[kLevels] = {};  // bit s of word l: slot s of level l is not empty
    List slots_[kLevels][kSlots];
    List due_;  // deadline not after now
};

}  // namespace wsd::net
