#include "net/timer_wheel.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

using namespace wsd::net;

namespace {

// A timer that notes when it fired, and may do something then.
struct Probe {
    Timer timer;
    TimerWheel* wheel;
    std::vector<Probe*>* log;
    int number = 0;
    void (*action)(Probe&) = nullptr;
};

void note(Timer* timer) {
    Probe& probe = *WSD_CONTAINER_OF(timer, Probe, timer);
    probe.log->push_back(&probe);
    if (probe.action) probe.action(probe);
}

struct Bed {
    TimerWheel wheel;
    std::vector<Probe*> log;
    std::vector<std::unique_ptr<Probe>> probes;

    explicit Bed(uint64_t now_ms = 0) : wheel(now_ms) {}

    Probe& make() {
        probes.push_back(std::make_unique<Probe>());
        Probe& probe = *probes.back();
        probe.timer.fired = note;
        probe.wheel = &wheel;
        probe.log = &log;
        probe.number = int(probes.size()) - 1;
        return probe;
    }
};

}  // namespace

TEST_CASE("a timer fires at its millisecond, not before, and once") {
    for (const uint64_t delay : {1, 2, 63, 64, 65, 4095, 4096, 4097, 262143, 262144, 86400000}) {
        CAPTURE(delay);
        Bed bed(1234567);
        Probe& probe = bed.make();
        bed.wheel.arm(probe.timer, 1234567 + delay);
        bed.wheel.advance(1234567 + delay - 1);
        CHECK(bed.log.empty());
        bed.wheel.advance(1234567 + delay);
        CHECK(bed.log.size() == 1);
        CHECK_FALSE(TimerWheel::armed(probe.timer));
        bed.wheel.advance(1234567 + 10 * delay);
        CHECK(bed.log.size() == 1);
    }
}

TEST_CASE("a deadline that has passed fires at the next advance") {
    Bed bed(1000);
    Probe& probe = bed.make();
    bed.wheel.arm(probe.timer, 10);
    CHECK(bed.wheel.next_ms() <= 1000);
    bed.wheel.advance(1000);
    CHECK(bed.log.size() == 1);
}

TEST_CASE("a timer that re-arms itself for now fires once an advance") {
    Bed bed(5);
    Probe& probe = bed.make();
    probe.action = [](Probe& p) { p.wheel->arm(p.timer, p.wheel->now_ms()); };
    bed.wheel.arm(probe.timer, 5);
    for (size_t i = 1; i <= 3; i++) {
        bed.wheel.advance(5);
        CHECK(bed.log.size() == i);
    }
    bed.wheel.cancel(probe.timer);
}

TEST_CASE("a periodic timer fires for each period of a long advance, in time") {
    Bed bed;
    Probe& probe = bed.make();
    probe.action = [](Probe& p) {
        CHECK(p.wheel->now_ms() == p.timer.when_ms);
        if (p.timer.when_ms < 1000) p.wheel->arm(p.timer, p.timer.when_ms + 100);
    };
    bed.wheel.arm(probe.timer, 100);
    bed.wheel.advance(5000);
    CHECK(bed.log.size() == 10);
}

TEST_CASE("a firing timer may cancel and free another that is due with it") {
    Bed bed;
    Probe& first = bed.make();
    bed.make();
    static Bed* s_bed;
    s_bed = &bed;
    first.action = [](Probe& p) {
        p.wheel->cancel(s_bed->probes[1]->timer);
        s_bed->probes[1].reset();
    };
    bed.wheel.arm(first.timer, 7);
    bed.wheel.arm(bed.probes[1]->timer, 7);
    bed.wheel.advance(7);
    CHECK(bed.log.size() == 1);
    CHECK(bed.wheel.next_ms() == kTimerNever);
}

TEST_CASE("a deadline out of reach is brought back to the end of the wheel's round") {
    Bed bed(123);
    Probe& probe = bed.make();
    bed.wheel.arm(probe.timer, kTimerNever - 1);
    CHECK(probe.timer.when_ms == (uint64_t(1) << 42) - 1);
    bed.wheel.advance((uint64_t(1) << 42) - 2);
    CHECK(bed.log.empty());
    bed.wheel.advance((uint64_t(1) << 42) - 1);
    CHECK(bed.log.size() == 1);
    bed.wheel.arm(probe.timer, uint64_t(1) << 60);  // and the next round begins
    CHECK(TimerWheel::armed(probe.timer));
    bed.wheel.cancel(probe.timer);
}

TEST_CASE("sleeping until next_ms and advancing reaches every deadline") {
    std::mt19937_64 random(3);
    for (int round = 0; round < 200; round++) {
        Bed bed(random() >> (24 + random() % 30));
        uint64_t earliest = kTimerNever;
        for (int i = 0; i < 5; i++) {
            const uint64_t when = bed.wheel.now_ms() + 1 + (random() >> (24 + random() % 40)) % 100000000;
            bed.wheel.arm(bed.make().timer, when);
            earliest = when < earliest ? when : earliest;
        }
        int turns = 0;
        while (bed.log.empty() && turns++ < 10) {
            const uint64_t next = bed.wheel.next_ms();
            REQUIRE(next <= earliest);
            REQUIRE(next > bed.wheel.now_ms());
            bed.wheel.advance(next);
        }
        CHECK(turns <= 7);  // a level a turn at the most
        CHECK(bed.wheel.now_ms() == earliest);
        for (const auto& probe : bed.probes) bed.wheel.cancel(probe->timer);
    }
}

TEST_CASE("the wheel does what an ordered map of deadlines does") {
    std::mt19937_64 random(1);
    Bed bed(0xfffff0);
    std::multimap<uint64_t, int> model;  // deadline, number
    const auto forget = [&](int number) {
        for (auto it = model.begin(); it != model.end(); ++it) {
            if (it->second == number) return void(model.erase(it));
        }
    };
    for (int i = 0; i < 40; i++) bed.make();
    for (int step = 0; step < 200000; step++) {
        Probe& probe = *bed.probes[random() % bed.probes.size()];
        const uint64_t span = uint64_t(1) << random() % 30;
        switch (random() % 4) {
            case 0:
            case 1:
                forget(probe.number);
                bed.wheel.arm(probe.timer, bed.wheel.now_ms() + random() % span);
                model.emplace(probe.timer.when_ms, probe.number);
                break;
            case 2:
                forget(probe.number);
                bed.wheel.cancel(probe.timer);
                break;
            default: {
                const uint64_t now = bed.wheel.now_ms() + random() % span;
                bed.log.clear();
                bed.wheel.advance(now);
                for (const Probe* const fired : bed.log) {
                    REQUIRE(fired->timer.when_ms <= now);
                    forget(fired->number);
                }
                REQUIRE((model.empty() || model.begin()->first > now));
                REQUIRE(bed.wheel.next_ms() <= (model.empty() ? kTimerNever : model.begin()->first));
                REQUIRE((bed.wheel.next_ms() == kTimerNever) == model.empty());
            }
        }
    }
    for (const auto& probe : bed.probes) bed.wheel.cancel(probe->timer);
}

TEST_CASE("timers fire in the order of their deadlines") {
    std::mt19937_64 random(2);
    Bed bed(77);
    for (int i = 0; i < 500; i++) bed.wheel.arm(bed.make().timer, 78 + random() % 1000000);
    bed.wheel.advance(2000000);
    REQUIRE(bed.log.size() == 500);
    for (size_t i = 1; i < bed.log.size(); i++) {
        CHECK(bed.log[i - 1]->timer.when_ms <= bed.log[i]->timer.when_ms);
    }
}
