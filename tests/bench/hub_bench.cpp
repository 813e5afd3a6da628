// The hub under load: a room of 1,000, one client that sends as fast as it can, and a long history replayed to
// newcomers while others talk. Each part starts a daemon of its own, and all clients are sockets of this one thread.
//
// usage: hub_bench [WSD [SECONDS [MEMBERS]]]     the wsd beside it, 30 s of talk, 1,000 members
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ws/frame.h"
#include "wsbench/histogram.h"

namespace {

constexpr double kMessagesPerSec = 50;
constexpr size_t kTalkers = 100;
constexpr size_t kHistory = 100000;
constexpr uint64_t kSecond = 1000000000;
constexpr int kReplaced = 4001;

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

uint64_t now_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return uint64_t(now.tv_sec) * kSecond + uint64_t(now.tv_nsec);
}

// ------------------------------------------------------------------------------------------------------- the daemon

// A hub with one session, "room", of members u0, u1, ... and whatever history earlier lives have left.
class Daemon {
  public:
    Daemon(const char* program, const std::string& folder, size_t members) {
        const std::string sessions = folder + "/sessions.json";
        std::ofstream file(sessions);
        file << R"([{"id":"room","members":[)";
        for (size_t i = 0; i < members; i++)
            file << (i ? "," : "") << R"({"user_id":"u)" << i << R"(","role":"student"})";
        file << "]}]";
        file.close();
        start(program, {"--hub", "--port=0", "--data=" + folder + "/data", "--sessions=" + sessions,
                        "--max-connections-per-ip=0", "--connections-per-ip-minute=0", "--messages-per-user-minute=0",
                        "--access-log=off"});
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    ~Daemon() {
        kill(pid_, SIGTERM);
        waitpid(pid_, nullptr, 0);
        std::fclose(log_);
    }

    int port() const { return port_; }

    size_t resident_bytes() const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8)) * 1024;
        }
        return 0;
    }

  private:
    void start(const char* program, std::vector<std::string> flags) {
        int ends[2];
        if (pipe(ends) != 0) fail("pipe");
        pid_ = fork();
        if (pid_ < 0) fail("fork");
        if (pid_ == 0) {
            dup2(ends[1], 2);
            std::vector<char*> words{const_cast<char*>(program)};
            for (std::string& flag : flags) words.push_back(flag.data());
            words.push_back(nullptr);
            execv(program, words.data());
            _exit(127);
        }
        close(ends[1]);
        log_ = fdopen(ends[0], "r");
        char line[1024];
        while (std::fgets(line, sizeof line, log_)) {
            if (const char* at = std::strstr(line, "address=127.0.0.1:")) port_ = std::atoi(at + 18);
            if (std::strstr(line, "event=started")) return;
            if (!std::strstr(line, "event=")) std::fputs(line, stderr);
        }
        std::fprintf(stderr, "the daemon did not start\n");
        std::exit(1);
    }

    pid_t pid_ = 0;
    int port_ = 0;
    FILE* log_ = nullptr;
};

// ------------------------------------------------------------------------------------------------------- its clients

struct Person {
    int fd = -1;
    std::string in;   // what came and is not yet read
    std::string out;  // what could not be sent yet
    bool live = false;
    size_t messages = 0;  // of type "message"
    size_t acks = 0;
};

bool begins_type(std::string_view envelope, std::string_view type) {
    constexpr std::string_view kStart = "{\"type\":\"";
    return envelope.starts_with(kStart) && envelope.substr(kStart.size()).starts_with(type) &&
           envelope[kStart.size() + type.size()] == '"';
}

class Crowd {
  public:
    using Hear = std::function<void(Person&, std::string_view envelope)>;

    explicit Crowd(int port) : port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;
    ~Crowd() {
        for (const auto& person : people_) {
            if (person->fd >= 0) close(person->fd);
        }
        close(epoll_);
    }

    Hear hear;

    // A person who has entered; history and all comes with poll_until(). One who is slow has a small buffer and reads
    // only when sip() is called.
    Person& enter(const std::string& user, bool slow = false) {
        auto person = std::make_unique<Person>();
        person->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int small = 4096;
        if (slow) setsockopt(person->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        sockaddr_in to = {};
        to.sin_family = AF_INET;
        to.sin_port = htons(uint16_t(port_));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(person->fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fail("connect");
        const int on = 1;
        setsockopt(person->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const std::string request = "GET /hub?session_id=room&user_id=" + user +
                                    "&role=student"
                                    " HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        if (send(person->fd, request.data(), request.size(), 0) != ssize_t(request.size())) fail("send");
        read_head(*person);
        if (!slow) watch(*person);
        people_.push_back(std::move(person));
        return *people_.back();
    }

    void leave(Person& person) {
        close(person.fd);
        person.fd = -1;
    }

    // Takes a little, and throws it away. Returns how much.
    static size_t sip(const Person& person) {
        char buffer[16384];
        const ssize_t got = recv(person.fd, buffer, sizeof buffer, MSG_DONTWAIT);
        return got > 0 ? size_t(got) : 0;
    }

    void say(Person& person, const std::string& text) {
        person.out += frame(1, text);
        write_out(person);
    }

    // Takes what comes until `until_ns`, or until `done` says so.
    void poll_until(uint64_t until_ns, const std::function<bool()>& done) {
        while (!done()) {
            const uint64_t now = now_ns();
            if (now >= until_ns) return;
            epoll_event events[256];
            const uint64_t left_ns = until_ns - now;
            const timespec left{time_t(left_ns / kSecond), long(left_ns % kSecond)};
            const int count = epoll_pwait2(epoll_, events, 256, &left, nullptr);
            for (int i = 0; i < count; i++) take(*static_cast<Person*>(events[i].data.ptr));
        }
    }

    void wait_live(const Person& person) {
        poll_until(now_ns() + 120 * kSecond, [&] { return person.live; });
        if (!person.live) fail("never live");
    }

  private:
    static void read_head(Person& person) {
        char c;
        while (!person.in.ends_with("\r\n\r\n")) {
            if (recv(person.fd, &c, 1, 0) != 1) fail("no answer to the upgrade");
            person.in += c;
        }
        if (!person.in.starts_with("HTTP/1.1 101")) {
            std::fprintf(stderr, "refused: %s\n", person.in.c_str());
            std::exit(1);
        }
        person.in.clear();
    }

    void watch(Person& person) {
        epoll_event event = {};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.ptr = &person;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, person.fd, &event) != 0) fail("epoll_ctl");
    }

    // A frame with a mask of zero, which leaves the payload as it is (§5.3).
    static std::string frame(uint8_t opcode, std::string_view payload) {
        std::string bytes(1, char(0x80 | opcode));
        if (payload.size() < 126) {
            bytes += char(0x80 | payload.size());
        } else {
            bytes += char(0x80 | 126);
            bytes += char(payload.size() >> 8);
            bytes += char(payload.size());
        }
        return bytes.append(4, '\0').append(payload);
    }

    static void write_out(Person& person) {
        const ssize_t sent = send(person.fd, person.out.data(), person.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) person.out.erase(0, size_t(sent));
    }

    void take(Person& person) {
        static char buffer[1 << 18];
        if (person.fd < 0) return;
        if (!person.out.empty()) write_out(person);
        for (;;) {
            const ssize_t got = recv(person.fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got <= 0) return;
            person.in.append(buffer, size_t(got));
            take_frames(person);
            if (size_t(got) < sizeof buffer) return;
        }
    }

    void take_frames(Person& person) {
        size_t at = 0;
        for (;;) {
            wsd::ws::FrameHeader header;
            wsd::ws::Violation violation;
            const wsd::Bytes rest{reinterpret_cast<const uint8_t*>(person.in.data()) + at, person.in.size() - at};
            const auto parse = read_frame_header(rest, {.masked = false, .rsv_allowed = 0}, &header, &violation);
            if (parse == wsd::ws::Parse::kViolation) fail(violation.why);
            if (parse != wsd::ws::Parse::kDone || rest.len - header.size < header.payload_bytes) break;
            take_message(person, uint8_t(header.opcode),
                         std::string_view(person.in).substr(at + header.size, size_t(header.payload_bytes)));
            at += header.size + size_t(header.payload_bytes);
        }
        person.in.erase(0, at);
    }

    void take_message(Person& person, uint8_t opcode, std::string_view payload) {
        if (opcode == 9) {
            person.out += frame(10, payload);
            return write_out(person);
        }
        if (opcode == 8) {
            const int code = int(uint8_t(payload[0])) << 8 | uint8_t(payload[1]);
            if (code != kReplaced) std::fprintf(stderr, "closed: %d\n", code);  // a newcomer takes another's place
            return;
        }
        if (begins_type(payload, "message")) person.messages++;
        if (begins_type(payload, "ack")) person.acks++;
        if (begins_type(payload, "system") && payload.find("\"history_") != payload.npos) person.live = true;
        if (hear) hear(person, payload);
    }

    int port_;
    int epoll_;
    std::vector<std::unique_ptr<Person>> people_;
};

std::string timed_message(uint64_t time_ns) {
    return R"({"type":"message","data":{"t":)" + std::to_string(time_ns) + R"(,"text":"a line as people write it"}})";
}

// When a message was meant to be sent; 0 for what is none.
uint64_t time_in(std::string_view envelope) {
    const size_t at = envelope.find("{\"t\":");
    return at == envelope.npos ? 0 : std::strtoull(envelope.data() + at + 5, nullptr, 10);
}

void print_latency(const char* what, const wsbench::Histogram& latency) {
    std::printf("%-44s p50 %7.2f ms  p99 %7.2f ms  most %7.2f ms  of %zu\n", what, double(latency.quantile(.5)) / 1e6,
                double(latency.quantile(.99)) / 1e6, double(latency.max()) / 1e6, size_t(latency.count()));
    std::fflush(stdout);
}

// Has `speakers` say in turn what time it is, `per_sec` times a second in all, and adds how late it was heard. A
// message counts from when it was due, so that a stall counts for all it held up.
void talk(Crowd& crowd, const std::vector<Person*>& speakers, double per_sec, uint64_t until_ns,
          wsbench::Histogram* latency) {
    crowd.hear = [&](Person& person, std::string_view envelope) {
        const uint64_t time = person.live ? time_in(envelope) : 0;
        if (time) latency->add(now_ns() - time);
    };
    const auto step = uint64_t(double(kSecond) / per_sec);
    size_t turn = 0;
    for (uint64_t due = now_ns(); due < until_ns; due += step) {
        crowd.poll_until(due, [] { return false; });
        crowd.say(*speakers[turn++ % speakers.size()], timed_message(due));
    }
    crowd.poll_until(now_ns() + kSecond / 5, [] { return false; });
    crowd.hear = nullptr;
}

// ---------------------------------------------------------------------------------------------------------- the parts

void room(const char* program, const std::string& folder, size_t members, double seconds) {
    const Daemon daemon(program, folder, members);
    Crowd crowd(daemon.port());
    std::vector<Person*> people;
    const uint64_t start = now_ns();
    for (size_t i = 0; i < members; i++) {
        people.push_back(&crowd.enter("u" + std::to_string(i)));
        crowd.poll_until(0, [] { return false; });
    }
    for (const Person* person : people) crowd.wait_live(*person);
    std::printf("%zu members are in and live after %.2f s; %zu KiB held for each\n", members,
                double(now_ns() - start) / 1e9, daemon.resident_bytes() / members / 1024);
    wsbench::Histogram latency;
    talk(crowd, people, kMessagesPerSec, now_ns() + uint64_t(seconds * 1e9), &latency);
    print_latency("a room that hears 50 messages/s", latency);
    size_t least = SIZE_MAX;
    for (const Person* person : people) least = std::min(least, person->messages + person->acks);
    std::printf("each was heard by every member: %s (least %zu)\n",
                least == size_t(latency.count()) / (members - 1) ? "yes" : "no", least);
}

// Fills the history on the way.
void burst(const char* program, const std::string& folder) {
    const Daemon daemon(program, folder, kTalkers + 1);
    Crowd crowd(daemon.port());
    Person& person = crowd.enter("u0");
    Person& other = crowd.enter("u1");
    crowd.wait_live(person), crowd.wait_live(other);
    constexpr size_t kAhead = 500;
    const uint64_t start = now_ns();
    size_t said = 0;
    while (person.acks < kHistory) {
        while (said < kHistory && said < person.acks + kAhead) {
            crowd.say(person, timed_message(now_ns()));
            said++;
        }
        const size_t acks = person.acks;
        crowd.poll_until(now_ns() + 10 * kSecond, [&] { return person.acks > acks; });
        if (person.acks == acks) fail("no acknowledgement in ten seconds");
    }
    crowd.poll_until(now_ns() + 10 * kSecond, [&] { return other.messages == kHistory; });
    std::printf("one client: %.0f messages/s, acknowledged and on disk's way; the other heard %zu of %zu\n",
                double(kHistory) * 1e9 / double(now_ns() - start), other.messages, kHistory);
}

void replay(const char* program, const std::string& folder, double seconds) {
    const uint64_t starting = now_ns();
    const Daemon daemon(program, folder, kTalkers + 1);
    std::printf("a history of %zu is loaded in %.2f s\n", kHistory, double(now_ns() - starting) / 1e9);
    Crowd crowd(daemon.port());
    std::vector<Person*> people;
    for (size_t i = 0; i < kTalkers; i++) {
        people.push_back(&crowd.enter("u" + std::to_string(i)));
        crowd.wait_live(*people.back());
    }
    const uint64_t part_ns = uint64_t(seconds / 3 * 1e9);
    wsbench::Histogram alone, beside, slowed;
    talk(crowd, people, kMessagesPerSec, now_ns() + part_ns, &alone);
    print_latency("100 who talk", alone);
    const size_t before = daemon.resident_bytes();
    size_t most = before, newcomers = 0, sipped = 0;
    const std::string last = "u" + std::to_string(kTalkers);
    Person* newcomer = nullptr;
    for (const uint64_t end = now_ns() + part_ns; now_ns() < end;) {
        if (!newcomer || newcomer->live) {
            if (newcomer) crowd.leave(*newcomer);
            newcomer = &crowd.enter(last);
            newcomers++;
        }
        talk(crowd, people, kMessagesPerSec, now_ns() + kSecond / 4, &beside);
        most = std::max(most, daemon.resident_bytes());
    }
    print_latency("100 who talk while newcomers catch up", beside);
    std::printf("p99 beside newcomers: %.2f times what it was; %zu came\n",
                double(beside.quantile(.99)) / double(alone.quantile(.99)), newcomers);
    const Person& slow = crowd.enter(last, true);
    for (const uint64_t end = now_ns() + part_ns; now_ns() < end;) {
        talk(crowd, people, kMessagesPerSec, now_ns() + kSecond / 4, &slowed);
        sipped += Crowd::sip(slow);
        most = std::max(most, daemon.resident_bytes());
    }
    print_latency("100 who talk beside one who reads slowly", slowed);
    std::printf("the slow one took %zu KiB; memory: %zu KiB before, %zu KiB at most meanwhile\n", sipped / 1024,
                before / 1024, most / 1024);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string beside = std::filesystem::path(argv[0]).parent_path() / "wsd";
    const char* const program = argc > 1 ? argv[1] : beside.c_str();
    const double seconds = argc > 2 ? std::atof(argv[2]) : 30;
    const size_t members = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1000;
    if (seconds <= 0 || members < 2) {
        std::fprintf(stderr, "usage: hub_bench [WSD [SECONDS [MEMBERS]]]\n");
        return 2;
    }
    char folder[] = "/tmp/hub_bench.XXXXXX";
    if (!mkdtemp(folder)) fail("mkdtemp");
    const std::string base = folder;
    for (const char* const part : {"/room", "/history"}) std::filesystem::create_directory(base + part);
    room(program, base + "/room", members, seconds);
    burst(program, base + "/history");
    replay(program, base + "/history", seconds);
    std::filesystem::remove_all(base);
    return 0;
}
