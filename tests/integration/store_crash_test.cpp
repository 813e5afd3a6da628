// A store whose process is killed in the middle of its work, again and again. Whatever was acknowledged before is there
// afterwards, in order, once; and so is the definition that was saved last, whole.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>

#include "app/hub/store.h"
#include "support/plain_server.h"
#include "support/records.h"
#include "support/temporary_directory.h"

using namespace app::hub;

namespace {

constexpr int kKills = 50;
constexpr uint64_t kLife = 100000;  // records after which a process that nobody kills ends by itself
constexpr size_t kDefinitionBytes = 20000;

struct Ack {
    uint64_t last_seq;    // of the records
    uint64_t definition;  // the number of the newest that is saved
};

StoreOptions options_of(const std::string& directory, int round) {
    StoreOptions options;
    options.directory = directory;
    options.fsync = Fsync(round % 3);
    options.fsync_interval_ms = 1;
    options.segment_bytes = 20000;  // many of them begin
    return options;
}

// Told apart by its number, and long enough to be torn.
std::string definition_text(uint64_t number) {
    std::string text = std::to_string(number) + ' ';
    text.resize(kDefinitionBytes, char('a' + number % 26));
    return text;
}

size_t text_bytes(uint64_t seq) { return seq * 7919 % 3000; }

// Appends and saves until it is killed, and tells what is acknowledged through `acks`.
struct Worker {
    test::PlainServer server;
    std::unique_ptr<Store> store;
    std::unique_ptr<History> history;
    Ack ack = {};
    uint64_t saving = 0;
    int acks = -1;
    std::minstd_rand random;

    void tell() {
        if (write(acks, &ack, sizeof ack) != sizeof ack) _exit(1);
    }
    void append() {
        test::Records records;
        const uint64_t last = history->last_seq() + 1 + random() % 8;
        for (uint64_t seq = history->last_seq() + 1; seq <= last; seq++)
            records.push_back(test::record(seq, text_bytes(seq)));
        history->append(std::move(records), [this](bool ok) {
            if (!ok) _exit(1);
            ack.last_seq = history->last_seq();
            tell();
            append();
        });
    }
    void save() {
        store->save("s", definition_text(++saving), [this](bool ok) {
            if (!ok) _exit(1);
            ack.definition = saving;
            tell();
            save();
        });
    }
};

[[noreturn]] void work(const std::string& directory, int round, uint64_t definition, int acks) {
    Worker worker;
    std::string error;
    worker.store = open_store(options_of(directory, round), worker.server.server, {}, &error);
    if (!worker.store) _exit(1);
    std::vector<StoredSession> loaded = worker.store->load({});
    worker.history = loaded.empty() ? worker.store->make_history("s") : std::move(loaded[0].history);
    worker.ack = {worker.history->last_seq(), definition};
    worker.saving = definition;
    worker.acks = acks;
    worker.random.seed(unsigned(round) + 1);
    worker.append();
    worker.save();
    while (worker.ack.last_seq < kLife) (void)wsd_server_poll(worker.server.server, -1);
    _exit(0);
}

// Runs it until it has acknowledged something `count` times, and kills it wherever it then is. Returns the last
// acknowledgement that came out of it.
Ack run_and_kill(const std::string& directory, int round, Ack before, size_t count) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        close(ends[0]);
        work(directory, round, before.definition, ends[1]);
    }
    close(ends[1]);
    Ack ack = before;
    for (size_t i = 0; i < count; i++) REQUIRE(read(ends[0], &ack, sizeof ack) == sizeof ack);
    kill(child, SIGKILL);
    while (read(ends[0], &ack, sizeof ack) == sizeof ack) {
    }
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    return ack;
}

// All that is there follows on from 1, as it was said, as far as was acknowledged at least. Returns what is there.
Ack check(const std::string& directory, int round, Ack ack) {
    test::PlainServer server;
    std::string error;
    const std::unique_ptr<Store> store = open_store(options_of(directory, round), server.server, {}, &error);
    REQUIRE_MESSAGE(store, error);
    uint64_t seq = 0;
    bool same = true;
    const std::vector<StoredSession> loaded =
        store->load([&](const StoredSession&, const std::shared_ptr<const Record>& record) {
            seq++;
            same = same && test::same(*record, *test::record(seq, text_bytes(seq)));
        });
    REQUIRE(loaded.size() == 1);
    CHECK(same);
    CHECK(seq >= ack.last_seq);
    CHECK(loaded[0].history->last_seq() == seq);
    CHECK(loaded[0].missing.empty());
    const uint64_t definition = strtoull(loaded[0].definition.c_str(), nullptr, 10);
    CHECK(definition >= ack.definition);
    if (definition) CHECK(loaded[0].definition == definition_text(definition));
    return {seq, definition};
}

}  // namespace

TEST_CASE("what a store has acknowledged is there after kill -9, in order, once") {
    const test::TemporaryDirectory directory;
    std::minstd_rand random(20);
    Ack ack = {};
    for (int round = 0; round < kKills; round++) {
        CAPTURE(round);
        ack = run_and_kill(directory.path(), round, ack, 1 + random() % 60);
        CHECK(ack.last_seq + ack.definition > 0);
        ack = check(directory.path(), round, ack);
    }
    CHECK(ack.last_seq > kKills);
}
