#include "app/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

using app::format_line;
using app::LogFormat;
using app::LogLevel;

TEST_CASE("text lines are key=value, with quotes where a value needs them") {
    CHECK(format_line(LogFormat::kText, "T", LogLevel::kInfo, "listening", {{"address", "[::1]:80"}}) ==
          "time=T level=info event=listening address=[::1]:80\n");
    CHECK(format_line(LogFormat::kText, "T", LogLevel::kWarn, "two words", {{"empty", ""}}) ==
          "time=T level=warn event=\"two words\" empty=\"\"\n");
}

TEST_CASE("JSON lines are objects of strings") {
    CHECK(format_line(LogFormat::kJson, "T", LogLevel::kError, "e", {{"k", "v"}}) ==
          "{\"time\":\"T\",\"level\":\"error\",\"event\":\"e\",\"k\":\"v\"}\n");
}

TEST_CASE("no value breaks its line") {
    for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
        const std::string line = format_line(format, "T", LogLevel::kDebug, "a\nb", {{"k", "x\r\n\t\"\\\x01\x7f=y"}});
        CHECK(line.find('\n') == line.size() - 1);
        CHECK(line.find("x\\u000d\\u000a\\u0009\\\"\\\\\\u0001\\u007f=y") != std::string::npos);
    }
}

namespace {

// A log that writes to a pipe which nobody reads until read() does.
struct PipedLog {
    std::string folder, path;
    int read_end = -1;
    app::Log log{LogLevel::kInfo, LogFormat::kText};

    PipedLog() {
        char name[] = "/tmp/wsd-log-XXXXXX";
        REQUIRE(mkdtemp(name));
        folder = name;
        path = folder + "/pipe";
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
        read_end = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        REQUIRE(read_end >= 0);
        REQUIRE(log.open(path));
    }
    ~PipedLog() {
        if (read_end >= 0) close(read_end);
        unlink(path.c_str());
        rmdir(folder.c_str());
    }
    std::string read() const {
        std::string all;
        char buffer[4096];
        for (ssize_t n; (n = ::read(read_end, buffer, sizeof buffer)) > 0;) all.append(buffer, size_t(n));
        return all;
    }
};

size_t lines_of(const std::string& text) { return size_t(std::count(text.begin(), text.end(), '\n')); }

bool whole_lines(const std::string& text) {
    for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        if (text.compare(at, 5, "time=") != 0) return false;
    }
    return text.empty() || text.back() == '\n';
}

}  // namespace

TEST_CASE("lines go out at once, or together when the first one is seen to") {
    PipedLog piped;
    piped.log.write(LogLevel::kInfo, "one");
    CHECK(lines_of(piped.read()) == 1);
    int deferred = 0;
    piped.log.defer_to([&] { return ++deferred > 0; });
    piped.log.write(LogLevel::kInfo, "two");
    piped.log.write(LogLevel::kInfo, "three");
    piped.log.write(LogLevel::kDebug, "unwanted");
    CHECK(deferred == 1);
    CHECK(piped.read().empty());
    CHECK(piped.log.flush(0));
    const std::string text = piped.read();
    CHECK(lines_of(text) == 2);
    CHECK(text.find("event=two") < text.find("event=three"));
    piped.log.write(LogLevel::kInfo, "four");
    CHECK(deferred == 2);
    piped.log.defer_to([] { return false; });  // nobody will see to it
    piped.log.write(LogLevel::kInfo, "five");
    CHECK(lines_of(piped.read()) == 2);
}

TEST_CASE("a reader that does not keep up costs lines, which are counted, and never a part of one") {
    PipedLog piped;
    piped.log.defer_to([] { return true; });
    constexpr size_t kWritten = 3000;
    const std::string filler(1000, 'x');
    for (size_t i = 0; i < kWritten; i++) {
        piped.log.write(LogLevel::kInfo, "many", {{"number", std::to_string(i)}, {"filler", filler}});
        if (i == kWritten / 4) CHECK_FALSE(piped.log.flush(0));  // the pipe is full
    }
    std::string text;
    while (!piped.log.flush(0)) text += piped.read();
    piped.log.write(LogLevel::kInfo, "after");
    CHECK(piped.log.flush(0));
    text += piped.read();
    CHECK(whole_lines(text));
    const size_t told = text.find("event=log_dropped lines=");
    REQUIRE(told != std::string::npos);
    const size_t dropped = size_t(std::atol(text.c_str() + told + std::strlen("event=log_dropped lines=")));
    CHECK(dropped > 0);
    CHECK(lines_of(text) == kWritten - dropped + 2);  // those two are the line that tells and "after"
    CHECK(text.find("event=after") > told);
}

TEST_CASE("a reader that has gone is no end: what comes next goes to the next file") {
    std::signal(SIGPIPE, SIG_IGN);
    PipedLog piped;
    close(piped.read_end);
    piped.read_end = -1;
    piped.log.write(LogLevel::kInfo, "lost");
    CHECK_FALSE(piped.log.open(piped.folder));  // a directory
    const std::string file = piped.folder + "/file";
    REQUIRE(piped.log.open(file));
    piped.log.write(LogLevel::kInfo, "kept");
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    char buffer[4096];
    const std::string text(buffer, size_t(std::max<ssize_t>(0, read(fd, buffer, sizeof buffer))));
    close(fd);
    unlink(file.c_str());
    CHECK(text.find("event=log_dropped lines=1") != std::string::npos);
    CHECK(text.find("event=kept") != std::string::npos);
}

TEST_CASE("opening the same file makes it anew after it was renamed") {
    PipedLog piped;
    const std::string file = piped.folder + "/file", old = piped.folder + "/old";
    REQUIRE(piped.log.open(file));
    piped.log.write(LogLevel::kInfo, "before");
    REQUIRE(rename(file.c_str(), old.c_str()) == 0);
    piped.log.write(LogLevel::kInfo, "between");
    REQUIRE(piped.log.open(file));
    piped.log.write(LogLevel::kInfo, "after");
    const auto content = [](const std::string& path) {
        std::ifstream stream(path);
        return std::string(std::istreambuf_iterator<char>(stream), {});
    };
    CHECK(lines_of(content(old)) == 2);
    CHECK(lines_of(content(file)) == 1);
    CHECK(content(file).find("event=after") != std::string::npos);
    unlink(file.c_str());
    unlink(old.c_str());
}
