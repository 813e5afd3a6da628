// The daemon's log: one line an event, on standard error or at the end of a file, as key=value pairs or as JSON.
// Whoever logs passes no token, cookie or payload; the log makes sure that no value can break its line.
#pragma once

#include <cstdint>
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
    Log(LogLevel level, LogFormat format) : level_(level), format_(format) {}
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // From here on lines go to the file at `path`, made if need be and opened anew even where it is the same: who
    // rotates logs has moved the old one away. Empty: to standard error. False, with errno: all stays as it was.
    [[nodiscard]] bool open(const std::string& path);

    void set(LogLevel level, LogFormat format);

    bool wants(LogLevel level) const { return level <= level_; }

    // Writes one line: time, level, event and the fields in order.
    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) const;

  private:
    LogLevel level_;
    LogFormat format_;
    int fd_ = 2;
};

const char* level_name(LogLevel level);

// One line as write() prints it, without the time: for tests and for write().
std::string format_line(LogFormat format, std::string_view time, LogLevel level, std::string_view event,
                        std::initializer_list<LogField> fields);

}  // namespace app
