#include "net/timer_wheel.h"

#include <bit>

namespace wsd::net {
namespace {

// A deadline further away than all levels reach is brought back to this.
constexpr uint64_t kReachMs = (uint64_t(1) << 42) - 1;

}  // namespace

TimerWheel::Place TimerWheel::place_of(uint64_t when_ms) const {
    const unsigned highest_bit = 63 - unsigned(std::countl_zero(when_ms ^ now_ms_));
    const unsigned level = highest_bit / kSlotBits;
    return {level, unsigned(when_ms >> (level * kSlotBits)) % kSlots};
}

void TimerWheel::insert(Timer& timer) {
    if (timer.when_ms <= now_ms_) return list_push_back(due_, timer.node);
    const Place place = place_of(timer.when_ms);
    list_push_back(slots_[place.level][place.slot], timer.node);
    occupied_[place.level] |= uint64_t(1) << place.slot;
}

void TimerWheel::arm(Timer& timer, uint64_t when_ms) {
    cancel(timer);
    // Not further than the end of the top level's round, so that the digit that differs is always one of the seven.
    const uint64_t last = now_ms_ | kReachMs;
    timer.when_ms = when_ms < last ? when_ms : last;
    insert(timer);
}

void TimerWheel::cancel(Timer& timer) {
    if (!armed(timer)) return;
    list_unlink(timer.node);
    if (timer.when_ms <= now_ms_) return;  // it was in no slot
    // Time has moved on since it was placed, but has not reached its slot: its place is still the one that now tells.
    const Place place = place_of(timer.when_ms);
    if (list_empty(slots_[place.level][place.slot])) occupied_[place.level] &= ~(uint64_t(1) << place.slot);
}

bool TimerWheel::earliest(Place* place) const {
    for (unsigned level = 0; level < kLevels; level++) {
        if (!occupied_[level]) continue;
        *place = {level, unsigned(std::countr_zero(occupied_[level]))};
        return true;
    }
    return false;
}

uint64_t TimerWheel::start_of(Place place) const {
    const unsigned shift = place.level * kSlotBits;
    const uint64_t higher = now_ms_ >> (shift + kSlotBits) << (shift + kSlotBits);
    return higher | uint64_t(place.slot) << shift;
}

void TimerWheel::advance(uint64_t now_ms) {
    List firing;
    list_splice(due_, firing);
    for (;;) {
        while (ListNode* const node = list_pop_front(firing)) {
            Timer* const timer = WSD_CONTAINER_OF(node, Timer, node);
            timer->fired(timer);
        }
        Place place;
        if (!earliest(&place) || start_of(place) > now_ms) break;
        // Time moves to where the slot begins: what is due there fires, the rest finds its place in a lower level.
        now_ms_ = start_of(place);
        occupied_[place.level] &= ~(uint64_t(1) << place.slot);
        List moved;
        list_splice(slots_[place.level][place.slot], moved);
        while (ListNode* const node = list_pop_front(moved)) {
            Timer& timer = *WSD_CONTAINER_OF(node, Timer, node);
            if (timer.when_ms <= now_ms_) {
                list_push_back(firing, timer.node);
            } else {
                insert(timer);
            }
        }
    }
    if (now_ms > now_ms_) now_ms_ = now_ms;
}

uint64_t TimerWheel::next_ms() const {
    if (!list_empty(due_)) return now_ms_;
    Place place;
    return earliest(&place) ? start_of(place) : kTimerNever;
}

}  // namespace wsd::net
