#include "app/config_file.h"

#include <doctest/doctest.h>

namespace {

// "key=value;..." of a file, or what is wrong with it: "2: ...".
std::string parsed(std::string_view text) {
    std::vector<app::ConfigLine> lines;
    unsigned number = 0;
    std::string error, out;
    if (!app::parse_config(text, &lines, &number, &error)) return std::to_string(number) + ": " + error;
    for (const app::ConfigLine& line : lines) out += line.key + "=" + line.value + ";";
    return out;
}

}  // namespace

TEST_CASE("lines are key and value; blanks around them, empty lines and comments say nothing") {
    CHECK(parsed("") == "");
    CHECK(parsed("port = 80") == "port=80;");
    CHECK(parsed("port=80\nhost\t=  ::1 \r\n\n  # port = 1\nhost = a # why\n") == "port=80;host=::1;host=a;");
    CHECK(parsed("origins = https://a,https://b#c\n") == "origins=https://a,https://b#c;");
    CHECK(parsed("origins =\norigins = # none\n") == "origins=;origins=;");
    CHECK(parsed("a = b = c") == "a=b = c;");
}

TEST_CASE("quotes keep what would be lost") {
    CHECK(parsed(R"(a = " b # c " # d)") == "a= b # c ;");
    CHECK(parsed(R"(a = "\"\\\n")") == "a=\"\\\n;");
    CHECK(parsed(R"(a = "")") == "a=;");
}

TEST_CASE("what is no line is named with its number and key") {
    CHECK(parsed("a = 1\n\nport 80\n") == "3: expected key = value");
    CHECK(parsed("= 1") == "1: expected key = value");
    CHECK(parsed("port # = 80") == "1: expected key = value");
    CHECK(parsed("a = \"b") == "1: a: the closing quote is missing");
    CHECK(parsed("a = \"b\\\"") == "1: a: the closing quote is missing");
    CHECK(parsed("a = \"b\" c") == "1: a: something follows the closing quote");
    CHECK(parsed("a = \"\\t\"") == "1: a: only \\\", \\\\ and \\n may be escaped");
}

TEST_CASE("every value reads back as it was written") {
    for (const char* const value :
         {"",   "plain", " ",    "a b", " a", "a ",  "#",   "a #b", "a#b",   "\"",          "\"a\"",   "a\"b",
          "\\", "\\n",   "a\nb", "\n",  "\r", "a\r", "\t#", "=",    "a = b", "caf\xc3\xa9", "\x01\x7f"}) {
        CAPTURE(value);
        CHECK(parsed("first = 1\n" + app::format_config_line("key", value) + "last = 2\n") ==
              "first=1;key=" + std::string(value) + ";last=2;");
    }
}
