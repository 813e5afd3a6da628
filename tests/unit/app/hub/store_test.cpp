// The store as the hub sees it: through store.h and history.h, on a loop that the test turns.
#include "app/hub/store.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "app/wall_clock.h"
#include "support/plain_server.h"
#include "support/records.h"
#include "support/temporary_directory.h"

using namespace app::hub;
using test::numbers;
using test::records;

namespace {

struct Fixture {
    test::TemporaryDirectory directory;
    test::PlainServer server;
    StoreOptions options;
    std::vector<std::string> lines;  // of the log: "event session"
    std::string error;
    std::unique_ptr<Store> store;

    Fixture() { options.directory = directory.path() + "/data"; }

    std::unique_ptr<Store> open() {
        return open_store(
            options, server.server,
            [this](bool, std::string_view event, std::string_view id, std::string_view) {
                lines.push_back(std::string(event) + " " + std::string(id));
            },
            &error);
    }
    std::vector<StoredSession> reopen() {
        if (store) store->finish();
        store = nullptr;
        store = open();
        REQUIRE(store);
        return store->load({});
    }
    template <class Start>
    bool outcome(Start start) {
        std::optional<bool> answer;
        start([&answer](bool ok) { answer = ok; });
        server.turn_until([&] { return answer.has_value(); });
        return *answer;
    }
    bool append(History& history, test::Records added) {
        return outcome([&](auto done) { history.append(std::move(added), done); });
    }
    bool save(std::string_view id, const std::string& definition) {
        return outcome([&](auto done) { store->save(id, definition, done); });
    }
    bool remove(std::string_view id) {
        return outcome([&](auto done) { store->remove(id, done); });
    }
    Chunk read(History& history, uint64_t seq, size_t bytes) {
        std::optional<Chunk> answer;
        history.read(seq, bytes, [&answer](Chunk chunk) { answer = std::move(chunk); });
        server.turn_until([&] { return answer.has_value(); });
        return std::move(*answer);
    }
    std::string path(const std::string& name) const { return options.directory + '/' + name; }
};

unsigned mode_of(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what is appended is read again, in memory as on disk, whatever the fsync") {
    for (const bool in_memory : {true, false}) {
        for (const Fsync fsync : {Fsync::kAlways, Fsync::kInterval, Fsync::kNever}) {
            test::TemporaryDirectory fresh;
            options.directory = in_memory ? std::string() : fresh.path();
            options.fsync = fsync;
            options.fsync_interval_ms = 1;
            store = open();
            REQUIRE(store);
            CHECK(store->load({}).empty());
            const std::unique_ptr<History> history = store->make_history("s");
            CHECK(history->last_seq() == 0);
            CHECK(history->first_seq() == 0);
            CHECK(read(*history, 1, 100).records.empty());
            CHECK(append(*history, records(1, 10)));
            CHECK(append(*history, records(11, 12)));
            CHECK(history->first_seq() == 1);
            CHECK(history->last_seq() == 12);
            CHECK(history->recent(12)->seq == 12);
            CHECK(history->recent(13) == nullptr);
            const Chunk all = read(*history, 0, 100000);
            CHECK(numbers(all.records) == "1-12");
            CHECK(all.next_seq == 13);
            CHECK_FALSE(all.failed);
            for (const auto& record : all.records) CHECK(test::same(*record, *test::record(record->seq)));
            CHECK(numbers(read(*history, 5, 1).records) == "5");
            store->finish();
        }
    }
    CHECK(lines.empty());
}

TEST_CASE_FIXTURE(Fixture, "sessions are there again, each with its definition and history, whatever their names") {
    reopen();
    const std::vector<std::string> ids{"-", ".", "..", "a", "definition.json", "lock"};
    {
        std::vector<std::unique_ptr<History>> histories;
        for (const std::string& id : ids) {
            CHECK(save(id, "{\"id\":\"" + id + "\"}"));
            histories.push_back(store->make_history(id));
            CHECK(append(*histories.back(), records(1, id.size() + 1)));
        }
    }
    for (int round = 0; round < 2; round++) {
        if (store) store->finish();
        store = nullptr;
        store = open();
        REQUIRE(store);
        std::vector<std::string> shown;
        const std::vector<StoredSession> loaded =
            store->load([&shown](const StoredSession& session, const std::shared_ptr<const Record>& record) {
                CHECK(session.definition == "{\"id\":\"" + session.id + "\"}");
                shown.push_back(session.id + " " + std::to_string(record->seq));
            });
        std::vector<std::string> expected;
        REQUIRE(loaded.size() == ids.size());
        for (size_t i = 0; i < ids.size(); i++) {
            CHECK(loaded[i].id == ids[i]);
            CHECK(loaded[i].definition == "{\"id\":\"" + ids[i] + "\"}");
            CHECK(loaded[i].history->last_seq() == ids[i].size() + 1);
            CHECK(loaded[i].history->recent(1)->seq == 1);
            for (uint64_t seq = 1; seq <= ids[i].size() + 1; seq++)
                expected.push_back(ids[i] + " " + std::to_string(seq));
        }
        CHECK(shown == expected);
    }
    CHECK(lines.empty());
}

TEST_CASE_FIXTURE(Fixture, "a definition replaces the one before; one that was never put in place does not count") {
    reopen();
    store->save("a", "first", [](bool) {});
    CHECK(save("a", "second"));
    std::ofstream(path("sessions/s-a/definition.99.tmp")) << "torn";
    const std::vector<StoredSession> loaded = reopen();
    REQUIRE(loaded.size() == 1);
    CHECK(loaded[0].definition == "second");
    CHECK_FALSE(std::filesystem::exists(path("sessions/s-a/definition.99.tmp")));
}

TEST_CASE_FIXTURE(Fixture, "a session that was being made when the process ended is none") {
    store = open();
    REQUIRE(store);
    std::filesystem::create_directory(path("sessions/s-early"));
    std::filesystem::create_directory(path("sessions/s-late"));
    std::ofstream(path("sessions/s-late/definition.1.tmp")) << "{";
    CHECK(reopen().empty());
    CHECK_FALSE(std::filesystem::exists(path("sessions/s-early")));
    CHECK_FALSE(std::filesystem::exists(path("sessions/s-late")));
    CHECK(lines.empty());
}

TEST_CASE_FIXTURE(Fixture, "a removed session is gone, with what was still under way, and its name is free") {
    reopen();
    CHECK(remove("nobody"));
    std::unique_ptr<History> history = store->make_history("a");
    CHECK(save("a", "old"));
    CHECK(append(*history, records(1, 3)));
    history->append(records(4, 5), [](bool) { FAIL("its history is freed"); });
    history = nullptr;
    bool removed = false;
    store->remove("a", [&removed](bool ok) { removed = ok; });
    CHECK(save("a", "new"));
    history = store->make_history("a");
    CHECK(append(*history, records(1, 1)));
    server.turn_until([&] { return removed; });
    history = nullptr;
    std::filesystem::create_directory(path("sessions/x-7"));  // its removal was interrupted
    const std::vector<StoredSession> loaded = reopen();
    REQUIRE(loaded.size() == 1);
    CHECK(loaded[0].definition == "new");
    CHECK(loaded[0].history->last_seq() == 1);
    size_t left = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path("sessions"))) left += entry.exists();
    CHECK(left == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "a definition whose session is removed meanwhile is not saved, which is no fault of the disk") {
    reopen();
    CHECK(save("a", "first"));
    std::optional<bool> saved, removed;
    store->save("a", "second", [&saved](bool ok) { saved = ok; });
    store->remove("a", [&removed](bool ok) { removed = ok; });
    store->finish();
    CHECK(saved == false);
    CHECK(removed == true);
    CHECK(lines.empty());
    CHECK(reopen().empty());
}

TEST_CASE_FIXTURE(Fixture, "a history that is freed answers reads as failed, and appends not at all") {
    reopen();
    std::unique_ptr<History> history = store->make_history("a");
    CHECK(append(*history, records(1, 3)));
    std::optional<Chunk> answer;
    history->append(records(4, 5), [](bool) { FAIL("nobody is there any more"); });
    history->read(2, 1000, [&answer](Chunk chunk) { answer = std::move(chunk); });
    history = nullptr;
    CHECK_FALSE(answer.has_value());
    server.turn_until([&] { return answer.has_value(); });
    CHECK(answer->failed);
    CHECK(answer->records.empty());
    CHECK(answer->next_seq == 2);
    CHECK(reopen()[0].history->last_seq() == 5);
}

TEST_CASE_FIXTURE(Fixture, "a history may be freed by the answer to its append") {
    reopen();
    std::unique_ptr<History> history = store->make_history("a");
    bool done = false;
    history->append(records(1, 3), [&](bool) {
        history = nullptr;
        done = true;
    });
    server.turn_until([&] { return done; });
    options.directory.clear();
    store = open();
    history = store->make_history("a");
    history->append(records(1, 3), [&](bool) { history = nullptr; });
    CHECK(history == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "finishing answers what is under way") {
    reopen();
    const std::unique_ptr<History> history = store->make_history("a");
    int answers = 0;
    store->save("a", "definition", [&](bool ok) { answers += ok; });
    history->append(records(1, 3), [&](bool ok) {
        answers += ok;
        store->save("b", "another", [&](bool good) { answers += good; });
    });
    store->finish();
    CHECK(answers == 3);
}

TEST_CASE_FIXTURE(Fixture, "of a directory there is one user at a time") {
    reopen();
    CHECK(open() == nullptr);
    CHECK(error == options.directory + ": in use by another server");
    store = nullptr;
    CHECK(open() != nullptr);
}

TEST_CASE_FIXTURE(Fixture, "a directory that cannot be is named") {
    std::ofstream(directory.path() + "/file") << "x";
    options.directory = directory.path() + "/file";
    CHECK(open() == nullptr);
    CHECK(error == options.directory + ": Not a directory");
    options.directory += "/below";
    CHECK(open() == nullptr);
    CHECK(error == options.directory + ": Not a directory");
    options.directory = directory.path() + "/data";
    std::filesystem::create_directory(options.directory);
    std::ofstream(path("sessions")) << "x";
    CHECK(open() == nullptr);
    CHECK(error == path("sessions") + ": Not a directory");
}

TEST_CASE_FIXTURE(Fixture, "the secret outlives the process, for its owner only") {
    reopen();
    const std::string secret = store->secret();
    CHECK(secret.size() == 32);
    CHECK(store->secret() == secret);
    CHECK(mode_of(path("secret")) == 0600);
    CHECK(mode_of(options.directory) == 0700);
    reopen();
    CHECK(store->secret() == secret);
    std::ofstream(path("secret"), std::ios::trunc) << "short";
    CHECK(store->secret() != secret);
    CHECK(lines == std::vector<std::string>{"secret made anew "});
    options.directory.clear();
    const std::unique_ptr<Store> in_memory = open();
    CHECK(in_memory->secret().size() == 32);
    CHECK(in_memory->secret() == in_memory->secret());
    CHECK(in_memory->secret() != secret);
}

TEST_CASE_FIXTURE(Fixture, "a file system that is full fails what is asked of it, and nothing else") {
    reopen();
    const std::unique_ptr<History> history = store->make_history("a");
    CHECK(append(*history, records(1, 3)));
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit narrow{1000, before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &narrow) == 0);
    const bool big = append(*history, records(4, 6, 500)), again = append(*history, records(4, 6, 500));
    const bool saved = save("a", std::string(2000, ' ')), small = append(*history, records(4, 4));
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK_FALSE(big);
    CHECK_FALSE(again);
    CHECK_FALSE(saved);
    CHECK(small);
    CHECK(history->last_seq() == 4);
    CHECK(append(*history, records(5, 9, 500)));
    CHECK(lines ==
          std::vector<std::string>{"history not written a", "definition not saved a", "history written again a"});
    CHECK(numbers(read(*history, 1, 100000).records) == "1-9");
    const std::vector<StoredSession> loaded = reopen();
    CHECK(loaded[0].missing.empty());
    CHECK(loaded[0].history->last_seq() == 9);
}

TEST_CASE_FIXTURE(Fixture, "damage is told at start, and by reading") {
    reopen();
    {
        const std::unique_ptr<History> history = store->make_history("a");
        CHECK(append(*history, records(1, 9)));
    }
    store = nullptr;
    const std::string file = path("sessions/s-a/00000000000000000001.j1");
    std::fstream damaged(file, std::ios::binary | std::ios::in | std::ios::out);
    damaged.seekp(100);
    damaged << "x";
    damaged.seekp(0, std::ios::end);
    damaged << "torn";
    damaged.close();
    const std::vector<StoredSession> loaded = reopen();
    CHECK(lines == std::vector<std::string>{"torn end of history cut a", "history damaged a"});
    CHECK(numbers(loaded[0].missing) == "3");
    CHECK(loaded[0].history->last_seq() == 9);
    CHECK(loaded[0].history->recent(2) == nullptr);
    CHECK(loaded[0].history->recent(4)->seq == 4);
    const Chunk chunk = read(*loaded[0].history, 1, 100000);
    CHECK(numbers(chunk.records) == "1-2 4-9");
    CHECK(numbers(chunk.missing) == "3");
    CHECK_FALSE(chunk.failed);
}

TEST_CASE_FIXTURE(Fixture, "a history that cannot be read takes nothing, and the others are there") {
    reopen();
    CHECK(save("a", "a"));
    std::ofstream(path("sessions/s-b")) << "a file";
    const std::vector<StoredSession> loaded = reopen();
    REQUIRE(loaded.size() == 2);
    CHECK(loaded[0].definition == "a");
    CHECK_FALSE(append(*loaded[1].history, records(1, 1)));
    CHECK(read(*loaded[1].history, 1, 1).failed);
    CHECK(lines.size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "a history in memory is bounded, also where nothing was said of it") {
    options.directory.clear();
    store = open();
    std::unique_ptr<History> history = store->make_history("a");
    CHECK(append(*history, records(1, 10100)));
    CHECK(history->first_seq() == 101);
    history = store->make_history("b");
    for (uint64_t seq = 1; seq <= 40; seq++) CHECK(append(*history, records(seq, seq, 1u << 20)));
    CHECK(history->first_seq() == 26);
    CHECK(read(*history, 1, 1).records[0]->seq == 26);
    options.retention.count = 7;
    store = open();
    history = store->make_history("a");
    CHECK(append(*history, records(1, 100)));
    CHECK(numbers(read(*history, 0, 100000).records) == "94-100");
}

TEST_CASE_FIXTURE(Fixture, "what is too old goes, in memory as on disk, while nobody says anything") {
    uint64_t now_ms = 1000;
    wsd_config config;
    wsd_config_init(&config, sizeof config);
    config.clock = [](void* context) { return *static_cast<uint64_t*>(context); };
    config.clock_context = &now_ms;
    wsd_callbacks callbacks = {};
    callbacks.size = sizeof callbacks;
    wsd_server* aging = nullptr;
    REQUIRE(wsd_server_new(&config, &callbacks, &aging) == WSD_OK);
    wsd_server_free(std::exchange(server.server, aging));
    for (const bool in_memory : {true, false}) {
        if (in_memory) options.directory.clear();
        if (!in_memory) options.directory = directory.path() + "/data";
        options.retention.age_ms = 8000;
        store = open();
        const std::unique_ptr<History> history = store->make_history("a");
        Record nearly_old = *test::record(1);
        nearly_old.time_ms = app::wall_ms() - 7800;
        CHECK(append(*history, {std::make_shared<const Record>(nearly_old)}));
        while (history->first_seq()) {
            now_ms += 1000;  // the next sweep
            server.turn();
            store->finish();
        }
        CHECK(history->last_seq() == 1);
        CHECK(history->recent(1) == nullptr);
        CHECK(read(*history, 1, 1).records.empty());
        CHECK(append(*history, records(2, 2)));
        CHECK(history->last_seq() == 2);
    }
    store = nullptr;
}
