#include "app/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace app {
namespace {

// RFC 3339, UTC, milliseconds.
std::string timestamp() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    char date[32];
    char text[48];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text, sizeof text, "%s.%03ldZ", date, now.tv_nsec / 1000000);
    return text;
}

// Escapes are JSON's in both formats, so that a line is always one line and one parser reads both.
std::string quoted(std::string_view value) {
    std::string out = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    return out += '"';
}

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
    const auto add = [&](std::string_view key, std::string_view value) {
        if (line.size() > 1) line += json ? ',' : ' ';
        if (json)
            line += quoted(key) + ':';
        else
            line.append(key) += '=';
        if (json || !plain(value))
            line += quoted(value);
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
    if (fd_ != STDERR_FILENO) close(fd_);
}

bool Log::open(const std::string& path) {
    const int fd = path.empty() ? STDERR_FILENO : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return false;
    if (fd_ != STDERR_FILENO) close(fd_);
    fd_ = fd;
    return true;
}

void Log::set(LogLevel level, LogFormat format) {
    level_ = level;
    format_ = format;
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
    if (!wants(level)) return;
    const std::string line = format_line(format_, timestamp(), level, event, fields);
    (void)!::write(fd_, line.data(), line.size());  // one write a line; what a full disk does not take is lost
}

}  // namespace app
