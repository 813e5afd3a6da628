#include "app/hub/query.h"

#include <doctest/doctest.h>

using namespace app::hub;

namespace {

// "a=1;b=2;", or "-" for a query that is refused.
std::string parsed(std::string_view query) {
    Parameters parameters;
    if (!parse_query(query, &parameters)) return "-";
    std::string text;
    for (const auto& [name, value] : parameters) text.append(name).append("=").append(value).append(";");
    return text;
}

}  // namespace

TEST_CASE("names and values are decoded, and what is left out is empty") {
    const struct {
        const char* query;
        const char* expected;
    } rows[] = {{"", ""},
                {"a=1&b=2", "a=1;b=2;"},
                {"a", "a=;"},
                {"a=", "a=;"},
                {"=1", "=1;"},
                {"a=b=c", "a=b=c;"},
                {"&a=1&&b=2&", "a=1;b=2;"},
                {"a%20b=c+d%2B", "a b=c d+;"},
                {"%c3%A4=%26%3D", "\xc3\xa4=&=;"}};
    for (const auto& row : rows) {
        CAPTURE(row.query);
        CHECK(parsed(row.query) == row.expected);
    }
}

TEST_CASE("a broken escape, a name that stands twice and too many parameters are refused") {
    for (const char* const query :
         {"a=%", "a=%2", "a=%g0", "a=%0g", "a=%-1", "a=%+1", "%=1", "a=1&a=1", "a&%61", "a=%2&b"}) {
        CAPTURE(query);
        CHECK(parsed(query) == "-");
    }
    std::string most = "p0";
    for (size_t i = 1; i < kParameterMaxCount; i++) most += "&p" + std::to_string(i);
    CHECK(parsed(most) != "-");
    CHECK(parsed(most + "&x") == "-");
}
