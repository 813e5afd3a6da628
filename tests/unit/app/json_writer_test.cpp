#include "app/json_writer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "app/json.h"

using app::JsonWriter;
using namespace std::literals;

TEST_CASE("commas and nesting are the writer's affair") {
    JsonWriter writer;
    writer.begin_object().key("a").begin_array().end_array().key("b").begin_object().end_object();
    writer.key("c")
        .begin_array()
        .number(int64_t{1})
        .begin_array()
        .null()
        .end_array()
        .boolean(false)
        .string("[")
        .string(":");
    writer.end_array().key("d").boolean(true).end_object();
    CHECK(writer.take() == R"({"a":[],"b":{},"c":[1,[null],false,"[",":"],"d":true})");
}

TEST_CASE("a writer is empty once its text is taken, and one value is a text") {
    JsonWriter writer;
    CHECK(writer.string("x").take() == "\"x\"");
    CHECK(writer.null().take() == "null");
    CHECK(writer.begin_array().end_array().take() == "[]");
}

TEST_CASE("strings and names are escaped") {
    CHECK(JsonWriter().string("\"\\/\b\n\x01\x1f\x7f"sv).take() == R"("\"\\/\u0008\u000a\u0001\u001f\u007f")");
    CHECK(JsonWriter().string("a\0b"sv).take() == R"("a\u0000b")");
    CHECK(JsonWriter().begin_object().key("a\"b").number(int64_t{1}).end_object().take() == R"({"a\"b":1})");
    CHECK(JsonWriter().string("\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9").take() ==
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9\"");
}

TEST_CASE("each byte that is not UTF-8 becomes U+FFFD") {
    CHECK(JsonWriter().string("a\xff"sv).take() == "\"a\xef\xbf\xbd\"");
    CHECK(JsonWriter().string("\xc3("sv).take() == "\"\xef\xbf\xbd(\"");
    CHECK(JsonWriter().string("\xed\xa0\x80"sv).take() == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    CHECK(JsonWriter().string("\xf0\x9f"sv).take() == "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("numbers are written so that they read to the same") {
    CHECK(JsonWriter().number(INT64_MIN).take() == "-9223372036854775808");
    CHECK(JsonWriter().number(UINT64_MAX).take() == "18446744073709551615");
    CHECK(JsonWriter().decimal(0.1).take() == "0.1");
    CHECK(JsonWriter().decimal(std::nan("")).take() == "null");
    CHECK(JsonWriter().decimal(-INFINITY).take() == "null");
    using Limits = std::numeric_limits<double>;
    for (const double n : {0.0, 1e21, -1e-7, 1.0 / 3, Limits::max(), Limits::lowest(), Limits::denorm_min()}) {
        const std::string text = JsonWriter().decimal(n).take();
        CAPTURE(text);
        app::Json json;
        app::JsonError error;
        REQUIRE(app::parse_json(text, {}, &json, &error));
        CHECK(json.number() == n);
    }
}

TEST_CASE("what is valid already goes in as it is") {
    CHECK(JsonWriter().begin_array().raw("{\"a\": 1}").raw("2").end_array().take() == R"([{"a": 1},2])");
}
