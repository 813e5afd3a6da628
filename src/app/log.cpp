#include "app/log.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <utility>

#include "app/json_writer.h"
#include "app/wall_clock.h"

namespace app {
namespace {

constexpr int kLastWaitMs = 1000;  // for a reader, where nobody would look again later

bool plain(std::string_view value) {
    return !value.empty() && value.find_first_of(" \"\\=\t\r\n") == std::string_view::npos &&
           value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/[]*,+@") ==
               std::string_view::npos;
}

}  // namespace

const char* level_name(LogLevel level) {
    switch (level) {
        case LogLevel::kError: return "error";
        case LogLevel::kWarn: return "warn";
        case LogLevel::kInfo: return "info";
        case LogLevel::kDebug: return "debug";
    }
    return "info";
}

std::string format_line(LogFormat format, std::string_view time, LogLevel level, std::string_view event,
                        std::initializer_list<LogField> fields) {
    const bool json = format == LogFormat::kJson;
    std::string line = json ? "{" : "";
    // Quotes and escapes are JSON's in both formats, so that a line is always one line and one parser reads both.
    const auto add = [&](std::string_view key, std::string_view value) {
        if (line.size() > 1) line += json ? ',' : ' ';
        if (json)
            append_json_string(&line, key);
        else
            line += key;
        line += json ? ':' : '=';
        if (json || !plain(value))
            append_json_string(&line, value);
        else
            line += value;
    };
    add("time", time);
    add("level", level_name(level));
    add("event", event);
    for (const LogField& field : fields) add(field.key, field.value);
    return line += json ? "}\n" : "\n";
}

Log::~Log() {
    (void)flush(kLastWaitMs);  // whoever does not read by now will not
    if (!path_.empty()) close(fd_);
}

bool Log::open(const std::string& path) {
    int fd = STDERR_FILENO;
    if (!path.empty()) {
        // Not blocking matters for a named pipe alone: without a reader it is an error instead of a wait for one.
        fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
        if (fd < 0) return false;
    }
    (void)flush(0);  // what it has not taken goes to the new one
    if (!path_.empty()) close(fd_);
    path_ = path;
    fd_ = fd;
    return true;
}

void Log::set(LogLevel level, LogFormat format) {
    level_ = level;
    format_ = format;
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (!wants(level)) return;
    const std::string line = format_line(format_, format_time(wall_ms()), level, event, fields);
    if (pending_.size() + line.size() > kPendingMax) {
        dropped_count_++;
        return;
    }
    if (dropped_count_ && pending_.size() < kPendingMax / 2) {
        const std::string count = std::to_string(std::exchange(dropped_count_, 0));
        pending_ += format_line(format_, format_time(wall_ms()), LogLevel::kWarn, "log_dropped", {{"lines", count}});
    }
    pending_ += line;
    if (deferred_) return;
    deferred_ = defer_ && defer_();
    if (!deferred_) (void)flush(defer_ ? 0 : kLastWaitMs);
}

bool Log::flush(int wait_ms) {
    while (written_ < pending_.size()) {
        pollfd ready{fd_, POLLOUT, 0};
        if (poll(&ready, 1, wait_ms) == 0) return false;
        // A pipe that is ready takes so much without a wait, and in one piece, whoever else writes to it.
        size_t len = std::min<size_t>(pending_.size() - written_, PIPE_BUF);
        const size_t end = pending_.rfind('\n', written_ + len - 1);
        if (end != std::string::npos && end >= written_) len = end + 1 - written_;
        const ssize_t n = ::write(fd_, pending_.data() + written_, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return false;
        if (n < 0) {
            drop();
            return true;
        }
        written_ += size_t(n);
    }
    pending_.clear();
    written_ = 0;
    deferred_ = false;
    return true;
}

void Log::drop() {
    // A line of which a part is out is kept to its end, or the next one would look like its rest.
    const bool torn = written_ > 0 && pending_[written_ - 1] != '\n';
    const size_t kept = torn ? pending_.find('\n', written_) + 1 : written_;
    dropped_count_ += uint64_t(std::count(pending_.begin() + long(kept), pending_.end(), '\n'));
    pending_.erase(kept);
    pending_.erase(0, written_);
    written_ = 0;
    deferred_ = false;
}

}  // namespace app
