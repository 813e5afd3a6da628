#include "ws/pmd.h"

#include <string>

#include "support/parsed_request.h"
#include "ws/extension.h"

using namespace wsd;
using test::ParsedRequest;

namespace {

ParsedRequest offering(const std::string& lines) {
    return ParsedRequest("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
}

// What a server that is ready for `ready` answers to these offers; "" for nothing.
std::string answer(const ws::Pmd& ready, const std::string& offers) {
    const ParsedRequest r = offering("Sec-WebSocket-Extensions: " + offers + "\r\n");
    ws::Pmd agreed;
    if (!ws::choose_offer(r.head, r.request, ready, &agreed)) return "";
    char text[ws::kPmdAnswerMax];
    return {text, ws::write_answer(agreed, text)};
}

const ws::Pmd kAll = {.server_takeover = true, .client_takeover = true};
const ws::Pmd kNoTakeover = {};
const ws::Pmd kSmall = {.server_takeover = true, .client_takeover = true, .server_bits = 10, .client_bits = 11};

struct Row {
    const char* section;
    const char* what;
    const char* offers;
    const char* all;    // the answer of a server that is ready for everything
    const char* small;  // of one with a limit to both windows
};

#define PMD "permessage-deflate"

const Row kRows[] = {
    {"7.1", "no parameter", PMD, PMD, PMD "; server_max_window_bits=10"},
    {"7.1.1.1", "server without takeover", PMD "; server_no_context_takeover", PMD "; server_no_context_takeover",
     PMD "; server_no_context_takeover; server_max_window_bits=10"},
    {"7.1.1.2", "client without takeover", PMD ";client_no_context_takeover", PMD "; client_no_context_takeover",
     PMD "; client_no_context_takeover; server_max_window_bits=10"},
    {"7.1.2.1", "server's window", PMD "; server_max_window_bits=9", PMD "; server_max_window_bits=9",
     PMD "; server_max_window_bits=9"},
    {"7.1.2.1", "server's window, the largest, must be confirmed", PMD "; server_max_window_bits=15",
     PMD "; server_max_window_bits=15", PMD "; server_max_window_bits=10"},
    {"7.1.2.1", "server's window of 8", PMD "; server_max_window_bits=8", PMD "; server_max_window_bits=8",
     PMD "; server_max_window_bits=8"},
    {"7.1.2.2", "client can be limited", PMD "; client_max_window_bits", PMD,
     PMD "; server_max_window_bits=10; client_max_window_bits=11"},
    {"7.1.2.2", "client is limited", PMD "; client_max_window_bits=10", PMD "; client_max_window_bits=10",
     PMD "; server_max_window_bits=10; client_max_window_bits=10"},
    {"7.1.2.2", "client is limited to less than nothing", PMD "; client_max_window_bits=15", PMD,
     PMD "; server_max_window_bits=10; client_max_window_bits=11"},
    {"9.1", "quoted value", PMD "; client_max_window_bits=\"10\"", PMD "; client_max_window_bits=10",
     PMD "; server_max_window_bits=10; client_max_window_bits=10"},
    {"5.1", "several offers, the first is taken", PMD "; server_max_window_bits=12, " PMD,
     PMD "; server_max_window_bits=12", PMD "; server_max_window_bits=10"},
    {"5.1", "several offers, the first cannot be", PMD "; what, " PMD "; server_no_context_takeover",
     PMD "; server_no_context_takeover", PMD "; server_no_context_takeover; server_max_window_bits=10"},
    {"5.1", "another extension first", "x-other; a=b, " PMD, PMD, PMD "; server_max_window_bits=10"},
    {"5.1", "only another extension", "permessage-deflated", "", ""},
    {"7.1", "unknown parameter", PMD "; unknown", "", ""},
    {"7.1", "doubled flag", PMD "; server_no_context_takeover; server_no_context_takeover", "", ""},
    {"7.1", "doubled flag of the client", PMD "; client_no_context_takeover; client_no_context_takeover", "", ""},
    {"7.1", "doubled window", PMD "; server_max_window_bits=10; server_max_window_bits=10", "", ""},
    {"7.1", "doubled window of the client", PMD "; client_max_window_bits; client_max_window_bits=10", "", ""},
    {"7.1.1.1", "flag with a value", PMD "; server_no_context_takeover=1", "", ""},
    {"7.1.1.2", "flag of the client with a value", PMD "; client_no_context_takeover=true", "", ""},
    {"7.1.2.1", "server's window without a value", PMD "; server_max_window_bits", "", ""},
    {"7.1.2.1", "window of 7", PMD "; server_max_window_bits=7", "", ""},
    {"7.1.2.1", "window of 16", PMD "; server_max_window_bits=16", "", ""},
    {"7.1.2.1", "window with a zero in front", PMD "; server_max_window_bits=09", "", ""},
    {"7.1.2.1", "window that is no number", PMD "; server_max_window_bits=1x", "", ""},
    {"7.1.2.1", "window of three digits", PMD "; server_max_window_bits=100", "", ""},
    {"7.1.2.2", "client's window of 0", PMD "; client_max_window_bits=0", "", ""},
    {"7.1.2.2", "client's window of 20", PMD "; client_max_window_bits=20", "", ""},
};

}  // namespace

TEST_CASE("offers are taken, limited and passed over as RFC 7692 wants") {
    for (const Row& row : kRows) {
        CAPTURE(row.section);
        CAPTURE(row.what);
        CHECK(answer(kAll, row.offers) == row.all);
        CHECK(answer(kSmall, row.offers) == row.small);
    }
}

TEST_CASE("a server without takeover says so for both sides, asked or not") {
    const std::string both = PMD "; server_no_context_takeover; client_no_context_takeover";
    CHECK(answer(kNoTakeover, PMD) == both);
    CHECK(answer(kNoTakeover, PMD "; client_no_context_takeover; server_no_context_takeover") == both);
}

TEST_CASE("offers in several lines are one list") {
    const ParsedRequest r = offering("Sec-WebSocket-Extensions: other\r\nX: y\r\nsec-websocket-extensions: " PMD
                                     "; server_max_window_bits=9\r\n");
    ws::Pmd agreed;
    REQUIRE(ws::choose_offer(r.head, r.request, kAll, &agreed));
    CHECK(agreed.server_bits == 9);
    CHECK(agreed.client_bits == 15);
}

TEST_CASE("the longest answer fits its room") {
    const ws::Pmd agreed = {.server_bits = 10, .client_bits = 11, .client_bits_offered = true};
    char text[ws::kPmdAnswerMax];
    CHECK(std::string(text, ws::write_answer(agreed, text)) == PMD
          "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
          "client_max_window_bits=11");
}

TEST_CASE("an extension is a token and parameters of tokens, with values in quotes or without (RFC 6455 §9.1)") {
    for (const char* const good : {"a", "a;b", "a ; b = c", "a;b=\"c\"", "a; b=\"\\c\"; d"}) {
        CAPTURE(good);
        CHECK(ws::extension_is_clean(bytes_of(good)));
    }
    for (const char* const bad : {"", ";", "a;", "a; ;b", "a b", "a;b=", "a;=c", "a;b=\"\"", "a;b=\"c", "a;b=\"c d\"",
                                  "a;b=\"c\\", "a;b=\"\\\"\"", "a;b=c d", "\"a\"", "a=b"}) {
        CAPTURE(bad);
        CHECK_FALSE(ws::extension_is_clean(bytes_of(bad)));
    }
}
