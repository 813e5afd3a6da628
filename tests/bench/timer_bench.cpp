// What a timer costs to arm, to move, to cancel and to fire, with a thousand and up to a million others armed. None of
// it should grow with their number, but for memory that no longer fits the caches, which is told apart: "hot" touches
// the same 64 timers again and again, "all" every timer once.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "net/timer_wheel.h"
#include "support/bench.h"
#include "support/growth.h"

using namespace wsd::net;

namespace {

constexpr size_t kSizes[] = {1000, 5000, 19000, 100000, 1000000};
constexpr uint64_t kSpanMs = 30000;  // a ping interval
constexpr size_t kHot = 64;
constexpr int kRounds = 5;

uint64_t fired_count = 0;

// Times spread over a ping interval in no order, always the same.
class Times {
  public:
    uint64_t next() {
        random_ = random_ * 6364136223846793005u + 1442695040888963407u;
        return 1 + (random_ >> 33) % kSpanMs;
    }

  private:
    uint64_t random_ = 1;
};

struct Costs {
    double hot_ns;  // to move one to another time
    double cancel_arm_ns;
    double arm_ns;
    double fire_ns;
};

Costs measure(size_t count) {
    std::vector<Timer> timers(count);
    const auto wheel = std::make_unique<TimerWheel>();
    Times times;
    for (Timer& timer : timers) timer.fired = [](Timer*) { fired_count++; };
    const auto arm_all = [&] {
        for (Timer& timer : timers) wheel->arm(timer, wheel->now_ms() + times.next());
    };
    Costs costs = {1e18, 1e18, 1e18, 1e18};
    for (int round = 0; round < kRounds; round++) {
        const auto least = [&](double* cost, double ns) { *cost = ns < *cost ? ns : *cost; };
        least(&costs.arm_ns, test::once_ns(arm_all) / double(count));
        least(&costs.hot_ns, test::once_ns([&] {
                                 for (size_t i = 0; i < 100 * kHot; i++) {
                                     wheel->arm(timers[i % kHot], wheel->now_ms() + times.next());
                                 }
                             }) / double(100 * kHot));
        least(&costs.cancel_arm_ns, test::once_ns([&] {
                                        for (size_t i = 0; i < 100 * kHot; i++) {
                                            wheel->cancel(timers[i % kHot]);
                                            wheel->arm(timers[i % kHot], wheel->now_ms() + times.next());
                                        }
                                    }) / double(100 * kHot));
        const uint64_t before = fired_count;
        least(&costs.fire_ns, test::once_ns([&] {
                                  for (uint64_t ms = 0; ms < kSpanMs; ms += 10) wheel->advance(wheel->now_ms() + 10);
                              }) / double(count));
        if (fired_count - before != count) std::abort();
    }
    return costs;
}

}  // namespace

int main() {
    test::Growth hot, cancel_arm, arm, fire;
    for (const size_t count : kSizes) {
        const Costs costs = measure(count);
        std::printf("timer/%zu  hot: move %.1f ns, cancel and arm %.1f ns  all: arm %.1f ns, expire %.1f ns\n", count,
                    costs.hot_ns, costs.cancel_arm_ns, costs.arm_ns, costs.fire_ns);
        hot.add(count, costs.hot_ns);
        cancel_arm.add(count, costs.cancel_arm_ns);
        arm.add(count, costs.arm_ns);
        fire.add(count, costs.fire_ns);
    }
    hot.print("timer, hot: move");
    cancel_arm.print("timer, hot: cancel and arm");
    arm.print("timer, all: arm");
    fire.print("timer, all: expire");
}
