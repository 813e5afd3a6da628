#include "app/hub/envelope.h"

#include <doctest/doctest.h>

#include <utility>

using namespace app::hub;
using namespace std::literals;

namespace {

// `text` has to outlive what is read.
Incoming good(std::string_view text) {
    Incoming incoming;
    Failure failure;
    CAPTURE(text);
    REQUIRE(parse_incoming(text, &incoming, &failure));
    return incoming;
}

struct BadRow {
    std::string_view text;
    ErrorCode code;
    std::string_view message;
};

const BadRow kBad[] = {
    {"", ErrorCode::kInvalidJson, "a value expected at byte 0"},
    {"hello", ErrorCode::kInvalidJson, "a value expected at byte 0"},
    {R"({"type":"message","type":"ack"})", ErrorCode::kInvalidJson, "name for the second time at byte 18"},
    {"[]", ErrorCode::kInvalidMessage, "the message is not an object"},
    {"null", ErrorCode::kInvalidMessage, "the message is not an object"},
    {"{}", ErrorCode::kInvalidMessage, "type is missing"},
    {R"({"type":1})", ErrorCode::kInvalidMessage, "type is not a string"},
    {R"({"type":""})", ErrorCode::kInvalidMessage, "type is empty"},
    {R"({"type":"x","id":7})", ErrorCode::kInvalidMessage, "id is not a string"},
    {R"({"type":"x","id":null})", ErrorCode::kInvalidMessage, "id is not a string"},
    {R"({"type":"x","to":["bob"]})", ErrorCode::kInvalidMessage, "to is not a string"},
    {R"({"type":"x","to":""})", ErrorCode::kInvalidMessage, "to is not a user's identifier"},
    {R"({"type":"x","to":"b ob"})", ErrorCode::kInvalidMessage, "to is not a user's identifier"},
    {R"({"type":"x","to_role":true})", ErrorCode::kInvalidMessage, "to_role is not a string"},
    {R"({"type":"x","to_role":"Student"})", ErrorCode::kInvalidMessage, "to_role is neither instructor nor student"},
    {R"({"type":"x","to_role":""})", ErrorCode::kInvalidMessage, "to_role is neither instructor nor student"},
    {R"({"type":"x","to":"bob","to_role":"student"})", ErrorCode::kInvalidMessage, "to and to_role exclude each other"},
    {R"({"type":"x","ack":1})", ErrorCode::kInvalidMessage, "ack is neither true nor false"},
    {R"({"type":"x","data":[]})", ErrorCode::kInvalidMessage, "data is not an object"},
    {R"({"type":"x","data":null})", ErrorCode::kInvalidMessage, "data is not an object"},
    {R"({"type":"ack"})", ErrorCode::kInvalidMessage, "seq is missing"},
    {R"({"type":"ack","seq":0})", ErrorCode::kInvalidMessage, "seq is not a whole number from 1 on"},
    {R"({"type":"ack","seq":-1})", ErrorCode::kInvalidMessage, "seq is not a whole number from 1 on"},
    {R"({"type":"ack","seq":1.5})", ErrorCode::kInvalidMessage, "seq is not a whole number from 1 on"},
    {R"({"type":"ack","seq":"1"})", ErrorCode::kInvalidMessage, "seq is not a whole number from 1 on"},
};

// An envelope of exactly that many bytes.
std::string of_size(size_t bytes) {
    const std::string head = R"({"type":"message","data":{"t":")", tail = "\"}}";
    return head + std::string(bytes - head.size() - tail.size(), 'x') + tail;
}

}  // namespace

TEST_CASE("a message with everything in it is read") {
    const auto text = R"({"type":"message","id":"c-17","to":"bob","ack":true,"data":{"text":"hello"},)"
                      R"("seq":9,"from":"eve","new":[]})"sv;
    const Incoming incoming = good(text);
    CHECK(incoming.type == "message");
    CHECK(incoming.id == "c-17");
    CHECK(incoming.to == "bob");
    CHECK_FALSE(incoming.to_role);
    CHECK(incoming.ack);
    CHECK(incoming.seq == 0);  // only an ack says one
    REQUIRE(incoming.data);
    CHECK(incoming.data->text() == R"({"text":"hello"})");
}

TEST_CASE("a message with nothing but its type is read") {
    const Incoming incoming = good(R"({"type":"heartbeat"})");
    CHECK(incoming.id.empty());
    CHECK(incoming.to.empty());
    CHECK_FALSE(incoming.to_role);
    CHECK_FALSE(incoming.ack);
    CHECK_FALSE(incoming.data);
}

TEST_CASE("roles and numbers are read where they belong") {
    CHECK(good(R"({"type":"message","to_role":"instructor"})").to_role == Role::kInstructor);
    CHECK(good(R"({"type":"ack","seq":42})").seq == 42);
    CHECK_FALSE(good(R"({"type":"message","ack":false})").ack);
}

TEST_CASE("what is stamped by the server is ignored, whatever it is") {
    CHECK(good(R"({"type":"message","session_id":1,"from":[],"role":{},"ts":null,"seq":"x"})").seq == 0);
}

TEST_CASE("errors name what is wrong") {
    for (const BadRow& row : kBad) {
        CAPTURE(row.text);
        Incoming incoming;
        Failure failure;
        REQUIRE_FALSE(parse_incoming(row.text, &incoming, &failure));
        CHECK(failure.code == row.code);
        CHECK(failure.message == row.message);
    }
}

TEST_CASE("a good id is told even where the rest is not good") {
    const auto id_of = [](std::string_view text) {
        Incoming incoming;
        Failure failure;
        CHECK_FALSE(parse_incoming(text, &incoming, &failure));
        return std::string(incoming.id);
    };
    CHECK(id_of(R"({"id":"m1"})") == "m1");
    CHECK(id_of(R"({"type":7,"data":[],"id":"m1"})") == "m1");
    CHECK(id_of(R"({"type":"x","data":[],"id":"\u006d1"})") == "m1");
    CHECK(id_of(R"({"id":5})").empty());
    CHECK(id_of("{\"id\":\"" + std::string(65, 'x') + "\",\"type\":\"x\"}").empty());
}

TEST_CASE("an id has up to 64 characters, not bytes") {
    std::string id;
    for (int i = 0; i < 64; i++) id += "\xe2\x82\xac";
    const std::string text = "{\"type\":\"x\",\"id\":\"" + id + "\"}";
    CHECK(good(text).id == id);
    Incoming incoming;
    Failure failure;
    CHECK_FALSE(parse_incoming("{\"type\":\"x\",\"id\":\"" + id + "x\"}", &incoming, &failure));
    CHECK(failure.message == "id is longer than 64 characters");
}

TEST_CASE("64 KiB and a depth of 32 are good, more is not") {
    CHECK(good(of_size(kEnvelopeMaxBytes)).type == "message");
    Incoming incoming;
    Failure failure;
    CHECK_FALSE(parse_incoming(of_size(kEnvelopeMaxBytes + 1), &incoming, &failure));
    CHECK(failure.code == ErrorCode::kTooLarge);
    CHECK(failure.message == "the message is longer than 65536 bytes");

    const auto nested = [](unsigned depth) {
        std::string text = "{\"type\":\"x\",\"data\":{\"a\":";
        return text.append(depth - 2, '[').append(depth - 2, ']') + "}}";
    };
    CHECK(good(nested(kEnvelopeMaxDepth)).type == "x");
    CHECK_FALSE(parse_incoming(nested(kEnvelopeMaxDepth + 1), &incoming, &failure));
    CHECK(failure.code == ErrorCode::kInvalidJson);
}

TEST_CASE("what is read stays good when it is moved") {
    const auto text = R"({"type":"message","id":"\u0061b","data":{"x":1}})"sv;
    Incoming incoming = good(text);
    const Incoming moved = std::move(incoming);
    CHECK(moved.id == "ab");
    CHECK(moved.data->find("x")->integer() == 1);
}

TEST_CASE("identifiers are 1 to 64 of the letters that the contract has") {
    for (const std::string_view text : {"a", "A-z_0.9", "...", "-"}) {
        CAPTURE(text);
        CHECK(is_identifier(text));
    }
    CHECK(is_identifier(std::string(64, 'a')));
    CHECK_FALSE(is_identifier(std::string(65, 'a')));
    for (const std::string_view text : {""sv, " "sv, "a b"sv, "a/b"sv, "a:b"sv, "\xc3\xa9"sv, "a\n"sv, "a\0"sv}) {
        CAPTURE(text);
        CHECK_FALSE(is_identifier(text));
    }
}

TEST_CASE("roles have names, as they are") {
    for (const Role role : {Role::kInstructor, Role::kStudent}) CHECK(parse_role(role_name(role)) == role);
    for (const std::string_view text : {"", "Student", "student ", "admin"}) CHECK_FALSE(parse_role(text));
}

TEST_CASE("envelopes are written in one order, without what is not there") {
    Outgoing outgoing;
    outgoing.type = "message";
    CHECK(write_envelope(outgoing) == R"({"type":"message","data":{}})");
    outgoing.seq = 42;
    outgoing.id = "c-\"17";
    outgoing.session_id = "algebra-1";
    outgoing.from = "ada";
    outgoing.role = Role::kInstructor;
    outgoing.to = "bob";
    outgoing.ack = true;
    outgoing.time_ms = 1795233600123;
    outgoing.data = R"({"text": "hello"})";
    CHECK(write_envelope(outgoing) ==
          R"({"type":"message","seq":42,"id":"c-\"17","session_id":"algebra-1","from":"ada","role":"instructor",)"
          R"("to":"bob","ack":true,"ts":"2026-11-21T04:00:00.123Z","data":{"text": "hello"}})");
    CHECK(with_retry(R"({"type":"message","data":{}})", 2) == R"({"type":"message","data":{},"retry":2})");
}

TEST_CASE("errors carry the message's id, a code and when to come back") {
    CHECK(write_error("c-17", {ErrorCode::kRateLimited, "too many", 0.2501}) ==
          R"({"type":"error","id":"c-17","data":{"code":"rate_limited","message":"too many","retry_after":0.251}})");
    CHECK(write_error("", {ErrorCode::kNotFound, "no \"zoe\"", 0}) ==
          R"({"type":"error","data":{"code":"not_found","message":"no \"zoe\""}})");
}

TEST_CASE("the codes of errors are the contract's") {
    const std::pair<ErrorCode, std::string_view> kNames[] = {
        {ErrorCode::kInvalidJson, "invalid_json"}, {ErrorCode::kInvalidMessage, "invalid_message"},
        {ErrorCode::kUnknownType, "unknown_type"}, {ErrorCode::kForbidden, "forbidden"},
        {ErrorCode::kNotFound, "not_found"},       {ErrorCode::kRateLimited, "rate_limited"},
        {ErrorCode::kTooLarge, "too_large"},       {ErrorCode::kInternal, "internal"},
    };
    for (const auto& [code, name] : kNames) CHECK(error_name(code) == name);
}
