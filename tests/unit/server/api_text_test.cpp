#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>

#include "wsd.h"

TEST_CASE("every result has a text of its own, and what is none is unknown") {
    std::set<std::string> texts;
    size_t count = 0;
    for (int result = WSD_OK; result >= WSD_E_DEFLATE; result--) {
        const bool known = result >= WSD_E_LIMIT || result <= WSD_E_FRAME;
        CHECK((std::strcmp(wsd_error_text(result), "unknown result") != 0) == known);
        if (!known) continue;
        texts.insert(wsd_error_text(result));
        count++;
    }
    CHECK(texts.size() == count);
    CHECK(std::string(wsd_error_text(1)) == "unknown result");
}

TEST_CASE("errors have the close codes of RFC 6455 §7.4.1") {
    const struct {
        int result;
        int code;
    } kRows[] = {{WSD_OK, 0},
                 {WSD_E_INVALID, 0},
                 {WSD_E_FRAME, 1002},
                 {WSD_E_OPCODE, 1002},
                 {WSD_E_CONTROL_TOO_LONG, 1002},
                 {WSD_E_CONTROL_FRAGMENTED, 1002},
                 {WSD_E_CLOSE_PAYLOAD, 1002},
                 {WSD_E_UTF8, 1007},
                 {WSD_E_DEFLATE, 1007},
                 {WSD_E_FRAGMENT_LIMIT, 1008},
                 {WSD_E_FRAME_TOO_LARGE, 1009},
                 {WSD_E_MESSAGE_TOO_LARGE, 1009},
                 {WSD_E_NOMEM, 1011},
                 {WSD_E_CONN_LIMIT, 1013},
                 {WSD_E_IDLE_TIMEOUT, 1001},
                 {WSD_E_PING_TIMEOUT, 1006},
                 {WSD_E_WRITE_TIMEOUT, 1006},
                 {WSD_E_VANISHED, 1006},
                 {WSD_E_AGAIN, 1008}};
    for (const auto& row : kRows) {
        CAPTURE(row.result);
        CHECK(wsd_error_close_code(row.result) == row.code);
    }
}

TEST_CASE("every cause has a word of its own") {
    std::set<std::string> words;
    for (int cause = WSD_CAUSE_PEER; cause <= WSD_CAUSE_NOMEM; cause++) words.insert(wsd_cause_text(wsd_cause(cause)));
    CHECK(words.size() == WSD_CAUSE_NOMEM);
    CHECK(words.count("unknown") == 0);
    CHECK(std::string(wsd_cause_text(wsd_cause(99))) == "unknown");
}
