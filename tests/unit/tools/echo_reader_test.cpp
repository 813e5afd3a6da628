#include "wsbench/echo_reader.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/guard_page.h"
#include "support/hex.h"

using namespace wsbench;
using test::hex;

namespace {

struct Told {
    uint64_t messages = 0;
    std::string ping = "none";
    bool closed = false;
    std::string wrong = {};

    bool operator==(const Told&) const = default;
};

// Reads `wire` in pieces of `piece` bytes, each of which ends at a page nobody may touch.
Told told(const std::vector<uint8_t>& wire, const EchoRules& rules, size_t piece) {
    Told all;
    EchoReader reader;
    test::GuardPage page(wire.size());
    for (size_t at = 0; at < wire.size() && all.wrong.empty() && !all.closed; at += piece) {
        const size_t len = std::min(piece, wire.size() - at);
        Heard heard;
        reader.read(rules, {page.before_end(wire.data() + at, len), len}, &heard);
        all.messages += heard.messages;
        if (heard.pinged) all.ping.assign(reinterpret_cast<const char*>(heard.ping), heard.ping_len);
        all.closed = heard.closed;
        if (heard.wrong) all.wrong = heard.wrong;
    }
    return all;
}

void check_however_cut(const std::vector<uint8_t>& wire, const EchoRules& rules, const Told& expected) {
    for (size_t piece = 1; piece <= wire.size(); piece++) {
        CAPTURE(piece);
        const Told got = told(wire, rules, piece);
        CHECK(got.messages == expected.messages);
        CHECK(got.ping == expected.ping);
        CHECK(got.closed == expected.closed);
        CHECK(got.wrong == expected.wrong);
    }
}

std::vector<uint8_t> frame(const char* header, size_t payload_len) {
    std::vector<uint8_t> bytes = hex(header);
    bytes.resize(bytes.size() + payload_len, 'x');
    return bytes;
}

}  // namespace

TEST_CASE("messages are counted however the stream is cut") {
    const struct {
        const char* what;
        std::vector<uint8_t> wire;
        Told expected;
    } kRows[] = {
        {"two and the head of a third", hex("8203 616263 8201 61 8205"), {.messages = 2}},
        {"an empty one", hex("8200 8200"), {.messages = 2}},
        {"the 16-bit length", frame("827e 0100", 256), {.messages = 1}},
        {"the 64-bit length", frame("827f 0000000000010000", 65536), {.messages = 1}},
        {"one less than all", frame("827e 0100", 255), {}},
        {"a fragmented one", hex("0203 616263 0000 8001 61"), {.messages = 1}},
        {"a ping between fragments", hex("0101 61 8902 6869 8001 62"), {.messages = 1, .ping = "hi"}},
        {"the last ping of two", hex("8901 61 8200 8901 62"), {.messages = 1, .ping = "b"}},
        {"an empty ping", hex("8900"), {.ping = ""}},
        {"the longest ping", frame("897d", 125), {.ping = std::string(125, 'x')}},
        {"a pong says nothing", hex("8a01 61 8200"), {.messages = 1}},
        {"nothing after a close", hex("8200 8802 03e8 8200"), {.messages = 1, .closed = true}},
        {"a masked frame", hex("8200 8281"), {.messages = 1, .wrong = "server frame masked"}},
    };
    for (const auto& row : kRows) {
        CAPTURE(row.what);
        if (row.wire.size() < 1000) {
            check_however_cut(row.wire, {}, row.expected);
        } else {
            for (const size_t piece : {size_t(1), size_t(4096), row.wire.size()}) {
                CHECK(told(row.wire, {}, piece) == row.expected);
            }
        }
    }
}

TEST_CASE("without frames, so many bytes are a message") {
    const EchoRules rules = {.raw = true, .raw_size = 5};
    check_however_cut(frame("", 14), rules, {.messages = 2});
    check_however_cut(frame("", 15), rules, {.messages = 3});
}

TEST_CASE("payloads are compared where that is asked for") {
    const std::string sent = "abcd";
    const EchoRules rules = {.payload = &sent}, raw = {.raw = true, .raw_size = 4, .payload = &sent};
    check_however_cut(hex("8204 61626364 8204 61626364"), rules, {.messages = 2});
    check_however_cut(hex("0201 61 8003 626364"), rules, {.messages = 1});
    check_however_cut(hex("61626364 61626364"), raw, {.messages = 2});

    const std::vector<uint8_t> wrong[] = {
        hex("8204 61626365"), hex("8204 62626364"), hex("8203 616263"), hex("8200"), hex("8205 6162636465"),
    };
    for (const auto& wire : wrong) {
        CAPTURE(wire.size());
        for (size_t piece = 1; piece <= wire.size(); piece++) CHECK(told(wire, rules, piece).wrong != "");
    }
    CHECK(told(hex("61626365"), raw, 4).wrong != "");
}

TEST_CASE("a payload that is thrown away unseen counts like one that is read") {
    EchoReader reader;
    Heard heard;
    const std::vector<uint8_t> head = hex("827e 4000 6161");
    reader.read({}, {head.data(), head.size()}, &heard);
    REQUIRE(reader.left() == 0x4000 - 2);
    reader.skip({}, 0x3000, &heard);
    CHECK(heard.messages == 0);
    reader.skip({}, 0x1000 - 2, &heard);
    CHECK(heard.messages == 1);
    CHECK(reader.left() == 0);
}
