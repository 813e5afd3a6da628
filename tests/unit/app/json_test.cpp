#include "app/json.h"

#include <doctest/doctest.h>

#include <string>

using namespace app;
using namespace std::literals;

namespace {

constexpr JsonLimits kLimits;

bool reads(std::string_view text, const JsonLimits& limits = kLimits) {
    Json json;
    JsonError error;
    return parse_json(text, limits, &json, &error);
}

// `text` has to outlive what is read.
Json value_of(std::string_view text) {
    Json json;
    JsonError error;
    CAPTURE(text);
    REQUIRE(parse_json(text, kLimits, &json, &error));
    return json;
}

JsonError error_of(std::string_view text, const JsonLimits& limits = kLimits) {
    Json json;
    JsonError error;
    CAPTURE(text);
    REQUIRE_FALSE(parse_json(text, limits, &json, &error));
    return error;
}

struct Row {
    const char* section;  // of RFC 8259
    std::string_view text;
};

const Row kGood[] = {
    {"2", " \t\r\n[ 1 , 2 ] \n"},
    {"2", "{ \"a\" : [ ] , \"b\" : { } }"},
    {"3", "true"},
    {"3", "false"},
    {"3", "null"},
    {"3", "\"\""},
    {"4", R"({"":0})"},
    {"4", R"({"a":1,"A":1,"b":{"a":1}})"},
    {"4", "{\"a\\u0000\":1,\"a\":1}"},
    {"5", "[null,1,\"1\",{},[]]"},
    {"6", "0"},
    {"6", "-0"},
    {"6", "[-1,0.5,10,1e1,1E1,1e+1,1e-1,0e0,-0.0e-0]"},
    {"6", "123456789012345678901234567890"},
    {"6", "1e-400"},
    {"7", R"(["\"\\\/\b\f\n\r\t"])"},
    {"7", R"(["\u0000\u0123\uabcd\uABCD\uffff"])"},
    {"7", R"(["\ud834\udd1e","\uDBFF\uDFFF"])"},
    {"7", "[\"\x7f\"]"},
    {"8.1", "[\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]"},
};

const Row kBad[] = {
    {"2", ""},
    {"2", " "},
    {"2", "[]]"},
    {"2", "1 1"},
    {"2", "{}x"},
    {"2", "[1\f]"},
    {"2", "[\xc2\xa0]"},
    {"2", "\0"sv},
    {"2", "[]\0"sv},
    {"3", "True"},
    {"3", "nul"},
    {"3", "truest"},
    {"3", "NaN"},
    {"3", "undefined"},
    {"4", "{"},
    {"4", "{,}"},
    {"4", R"({"a"})"},
    {"4", R"({"a":})"},
    {"4", R"({"a":1)"},
    {"4", R"({"a":1,})"},
    {"4", R"({"a":1 "b":2})"},
    {"4", R"({"a",1})"},
    {"4", R"({"a"::1})"},
    {"4", "{a:1}"},
    {"4", "{1:1}"},
    {"4", "{'a':1}"},
    {"4", R"({"a":1]})"},
    {"4", R"({"a":1,"a":1})"},
    {"4", R"({"a":1,"b":2,"\u0061":3})"},
    {"5", "["},
    {"5", "[,]"},
    {"5", "[1,]"},
    {"5", "[1,,2]"},
    {"5", "[1 2]"},
    {"5", "[1}"},
    {"5", "[1:2]"},
    {"6", "-"},
    {"6", "+1"},
    {"6", "01"},
    {"6", "-01"},
    {"6", "00"},
    {"6", ".5"},
    {"6", "-.5"},
    {"6", "1."},
    {"6", "1.e1"},
    {"6", "1e"},
    {"6", "1e+"},
    {"6", "1e1.5"},
    {"6", "0x10"},
    {"6", "1_000"},
    {"6", "Infinity"},
    {"6", "-Infinity"},
    {"6", "1e400"},
    {"6", "[-1e400]"},
    {"6", "1\xef\xbc\x91"},
    {"7", "\""},
    {"7", "\"a"},
    {"7", "'a'"},
    {"7", "\"\\"},
    {"7", "\"\\\""},
    {"7", R"("\a")"},
    {"7", R"("\x41")"},
    {"7", R"("\U0041")"},
    {"7", R"("\u")"},
    {"7", R"("\u004")"},
    {"7", R"("\u00g1")"},
    {"7", R"("\u-041")"},
    {"7", "\"\t\""},
    {"7", "\"\n\""},
    {"7", "\"\0\""sv},
    {"7", "\"12345678\x1f\""},
    {"8.1", "\xef\xbb\xbf[]"},
    {"8.1", "[\0]\0"sv},
    {"8.1", "\"\x80\""},
    {"8.1", "\"\xbf\""},
    {"8.1", "\"\xc3\""},
    {"8.1", "\"\xc3"},
    {"8.1", "\"\xe2\x82\""},
    {"8.1", "\"\xf0\x9f\x92\""},
    {"8.1", "\"\xc0\x80\""},
    {"8.1", "\"\xc1\xbf\""},
    {"8.1", "\"\xe0\x9f\xbf\""},
    {"8.1", "\"\xf0\x8f\xbf\xbf\""},
    {"8.1", "\"\xed\xa0\x80\""},
    {"8.1", "\"\xed\xbf\xbf\""},
    {"8.1", "\"\xf4\x90\x80\x80\""},
    {"8.1", "\"\xf5\x80\x80\x80\""},
    {"8.1", "\"\xff\""},
    {"8.1", "\xe9"},
    {"8.2", R"("\ud800")"},
    {"8.2", R"("\udc00")"},
    {"8.2", R"("\ud800x")"},
    {"8.2", R"("\ud800\n")"},
    {"8.2", R"("\ud800\u0041")"},
    {"8.2", R"("\ud800\ud800")"},
    {"8.2", R"("\udc00\ud800")"},
    {"8.2", R"("\ud800\udc0")"},
};

std::string nested_arrays(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

// {"0":0,"1":0,...}, and at the end `last`.
std::string object_of(size_t count, const std::string& last) {
    std::string text = "{";
    for (size_t i = 0; i < count; i++) text += "\"" + std::to_string(i) + "\":0,";
    return text + last + "}";
}

}  // namespace

TEST_CASE("what the grammar allows is read, and keeps its text") {
    for (const Row& row : kGood) {
        CAPTURE(row.section);
        CAPTURE(row.text);
        CHECK(reads(row.text));
        const std::string within = "[" + std::string(row.text) + "]";
        CHECK(reads(within));
    }
    CHECK(value_of(" [1, 2] ").text() == "[1, 2]");
}

TEST_CASE("what the grammar does not allow is refused, alone and inside an array") {
    for (const Row& row : kBad) {
        CAPTURE(row.section);
        CAPTURE(row.text);
        CHECK_FALSE(reads(row.text));
        if (row.text.find_first_not_of(' ') == std::string_view::npos) continue;  // an array may well be empty
        CHECK_FALSE(reads("[0," + std::string(row.text) + ",0]"));
    }
}

TEST_CASE("a text cut anywhere is refused at its end") {
    const std::string whole = R"({"a":[true,null,-1.5e+3,"x\n\ud834\udd1e"],"b":{"c":false}})";
    REQUIRE(reads(whole));
    for (size_t len = 0; len < whole.size(); len++) {
        const std::string part = whole.substr(0, len);
        CAPTURE(part);
        const JsonError error = error_of(part);
        // Half of a surrogate pair is told of where it begins.
        CHECK((error.offset == len || error.why == "half of a surrogate pair"sv));
    }
}

TEST_CASE("an error tells where and why") {
    CHECK(error_of("[1,x]").offset == 3);
    CHECK(error_of("[1,x]").why == "a value expected"sv);
    CHECK(error_of(R"({"a":1,"a":2})").offset == 7);
    CHECK(error_of(R"({"a":1,"a":2})").why == "name for the second time"sv);
    CHECK(error_of("[1e999]").offset == 1);
    CHECK(error_of("[1e999]").why == "number too large"sv);
    CHECK(error_of("\"\x80\"").why == "not UTF-8"sv);
    CHECK(error_of("\xef\xbb\xbf{}").why == "byte order mark"sv);
}

TEST_CASE("size is bounded") {
    CHECK(reads("\"12345678\"", {10, 32}));
    CHECK(error_of("\"123456789\"", {10, 32}).why == "text too long"sv);
    CHECK(error_of("\"123456789\"", {10, 32}).offset == 10);
}

TEST_CASE("depth is bounded, and a value by itself has none") {
    CHECK(reads("1", {100, 0}));
    CHECK_FALSE(reads("[]", {100, 0}));
    CHECK(reads(nested_arrays(32)));
    CHECK(error_of(nested_arrays(33)).why == "nested too deep"sv);
    CHECK(error_of(nested_arrays(33)).offset == 32);
    CHECK(error_of(nested_arrays(30000)).offset == 32);
    std::string objects = "0";
    for (int i = 0; i < 32; i++) objects = "{\"a\":" + objects + "}";
    CHECK(reads(objects));
    CHECK(error_of("{\"a\":" + objects + "}").why == "nested too deep"sv);
    // What is closed does not count any more.
    CHECK(reads("[[[]],[[]],{\"a\":[]}]", {100, 3}));
}

TEST_CASE("a name that stands twice is found among few and among many") {
    for (const size_t count : {1u, 15u, 16u, 17u, 18u, 5000u}) {
        CAPTURE(count);
        CHECK(reads(object_of(count, "\"x\":0")));
        for (const size_t again : {size_t(0), count / 2, count - 1}) {
            CHECK_FALSE(reads(object_of(count, "\"" + std::to_string(again) + "\":0")));
        }
    }
}

TEST_CASE("strings come out with their escapes resolved") {
    const std::string text = R"(["plain","\"\\\/\b\f\n\r\t","a\u0000b","\u00e9\u20ac\ud834\udd1e!",{"\u0061\n":1}])";
    const Json json = value_of(text);
    CHECK(json.items()[0].string() == "plain");
    CHECK(json.items()[0].string().data() == text.data() + 2);  // not copied
    CHECK(json.items()[1].string() == "\"\\/\b\f\n\r\t");
    CHECK(json.items()[2].string() == "a\0b"sv);
    CHECK(json.items()[3].string() == "\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e!");
    CHECK(json.items()[4].members()[0].name == "a\n");
    CHECK(json.items()[3].text() == R"("\u00e9\u20ac\ud834\udd1e!")");
}

TEST_CASE("numbers come out as doubles, and as whole ones where they are written so") {
    CHECK(value_of("-12.5e1").number() == -125);
    CHECK(value_of("1e-400").number() == 0);
    CHECK(value_of("1.7976931348623157e308").number() == 1.7976931348623157e308);
    CHECK(value_of("42").integer() == 42);
    CHECK(value_of("-9223372036854775808").integer() == INT64_MIN);
    CHECK(value_of("9223372036854775807").integer() == INT64_MAX);
    for (const std::string_view text : {"9223372036854775808", "1.0", "1e3", "\"1\"", "true", "[]"}) {
        CAPTURE(text);
        CHECK_FALSE(value_of(text).integer());
    }
}

TEST_CASE("members are found by name, in objects only") {
    const std::string text = R"({"a":{"b":[1,true,null]},"":false})";
    const Json json = value_of(text);
    REQUIRE(json.find("a"));
    CHECK(json.find("a")->find("b")->text() == "[1,true,null]");
    CHECK(json.find("a")->find("b")->items()[1].boolean());
    CHECK(json.find("a")->find("b")->items()[2].is(JsonType::kNull));
    CHECK_FALSE(json.find("")->boolean());
    CHECK_FALSE(json.find("b"));
    CHECK_FALSE(json.find("a")->find("b")->find("c"));
}

TEST_CASE("a copy of the outermost value holds what was read") {
    const std::string text = R"({"\u0061":["\u0062"]})";
    Json copy;
    {
        const Json json = value_of(text);
        copy = json;
    }
    CHECK(copy.find("a")->items()[0].string() == "b");
}
