#include "app/log.h"

#include <doctest/doctest.h>

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
        const std::string line = format_line(format, "T", LogLevel::kDebug, "a\nb", {{"k", "x\r\n\t\"\\\x01=y"}});
        CHECK(line.find('\n') == line.size() - 1);
        CHECK(line.find("x\\u000d\\u000a\\u0009\\\"\\\\\\u0001=y") != std::string::npos);
    }
}
