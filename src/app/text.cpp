#include "app/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace app {

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(kBlanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool read_text_file(const std::string& path, size_t most, std::string* text) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return false;
    char buffer[4096];
    ssize_t n = 0;
    while ((n = read(fd, buffer, sizeof buffer)) > 0 && text->size() <= most) text->append(buffer, size_t(n));
    const bool fits = text->size() <= most;
    const int reason = fits ? errno : EFBIG;
    close(fd);
    errno = reason;
    return n == 0 && fits;
}

}  // namespace app
