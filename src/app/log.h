// The daemon's log: one line an event on standard error or in a file, as key=value pairs or as JSON. Whoever logs
// passes no token, cookie or payload; the log makes sure that no value can break its line. It never waits for a reader
// that does not keep up: lines gather in memory, and past a mebibyte they are dropped and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace app {

enum class LogLevel : uint8_t { kError, kWarn, kInfo, kDebug };
enum class LogFormat : uint8_t { kText, kJson };

struct LogField {
    std::string_view key;
    std::string value;
};

class Log {
  public:
    static constexpr size_t kPendingMax = 1u << 20;  // bytes that wait for their reader

    Log(LogLevel level, LogFormat format) : level_(level), format_(format) {}
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // From here on lines go to the end of this file, made if need be and opened anew even where it is the same: who
    // rotates logs has moved the old one away. Empty: to standard error. False, with errno: all stays as it was.
    [[nodiscard]] bool open(const std::string& path);

    void set(LogLevel level, LogFormat format);

    // Has `defer` called when a first line waits, instead of writing each at once; false from it means that it cannot
    // see to a flush() later. An empty function ends that.
    void defer_to(std::function<bool()> defer) {
        defer_ = std::move(defer);
        deferred_ = false;
    }

    bool wants(LogLevel level) const { return level <= level_; }

    // Adds one line: time, level, event and the fields in order.
    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

    // Writes out whole lines as long as their reader takes them within `wait_ms` each time. False if lines still wait:
    // it is to be called again.
    bool flush(int wait_ms);

    // Gives up what waits, and counts it as dropped.
    void drop();

  private:
    LogLevel level_;
    LogFormat format_;
    std::string path_;  // empty: standard error
    int fd_ = 2;
    std::function<bool()> defer_;
    bool deferred_ = false;       // a flush() has been promised
    std::string pending_;         // written from `written_` on
    size_t written_ = 0;          // bytes of pending_ that are out
    uint64_t dropped_count_ = 0;  // lines since the last line that told of them
};

const char* level_name(LogLevel level);

// One line as write() prints it, without the time: for tests and for write().
std::string format_line(LogFormat format, std::string_view time, LogLevel level, std::string_view event,
                        std::initializer_list<LogField> fields);

}  // namespace app
