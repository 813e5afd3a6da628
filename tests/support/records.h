// Records of a session, as tests want them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/hub/history.h"

namespace test {

using Records = std::vector<std::shared_ptr<const app::hub::Record>>;

// Told apart by their numbers, and their routes of every kind. `text_bytes`: at least so long.
inline std::shared_ptr<const app::hub::Record> record(uint64_t seq, size_t text_bytes = 0) {
    using app::hub::Role;
    app::hub::Record made{seq, int64_t(1000 * seq), {"ada", "", {}}, "{\"seq\":" + std::to_string(seq) + "}"};
    if (seq % 4 == 1) made.route = {"bob", "ada", {}};
    if (seq % 4 == 2) made.route.to_role = Role::kInstructor;
    if (seq % 4 == 3) made.route.to_role = Role::kStudent;
    if (made.text.size() < text_bytes) made.text.append(text_bytes - made.text.size(), ' ');
    return std::make_shared<const app::hub::Record>(std::move(made));
}

inline Records records(uint64_t first, uint64_t last, size_t text_bytes = 0) {
    Records made;
    for (uint64_t seq = first; seq <= last; seq++) made.push_back(record(seq, text_bytes));
    return made;
}

inline bool same(const app::hub::Record& a, const app::hub::Record& b) {
    return a.seq == b.seq && a.time_ms == b.time_ms && a.route.from == b.route.from && a.route.to == b.route.to &&
           a.route.to_role == b.route.to_role && a.text == b.text;
}

// "1-3 5 7-8"
inline std::string numbers(const Records& records) {
    std::string text;
    for (size_t i = 0; i < records.size();) {
        size_t end = i + 1;
        while (end < records.size() && records[end]->seq == records[end - 1]->seq + 1) end++;
        text += (i ? " " : "") + std::to_string(records[i]->seq);
        if (end > i + 1) text += "-" + std::to_string(records[end - 1]->seq);
        i = end;
    }
    return text;
}

inline std::string numbers(const std::vector<app::hub::Missing>& missing) {
    std::string text;
    for (const auto& range : missing) {
        text += (text.empty() ? "" : " ") + std::to_string(range.first);
        if (range.last > range.first) text += "-" + std::to_string(range.last);
    }
    return text;
}

}  // namespace test
