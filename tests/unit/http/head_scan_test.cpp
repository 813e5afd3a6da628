#include "http/head_scan.h"

#include <doctest/doctest.h>

#include <string>

#include "support/guard_page.h"

using namespace wsd;
using namespace wsd::http;

namespace {

struct Scanned {
    Step step;
    HeadScan scan;
    Refusal refusal;
};

Scanned scan(const std::string& text, const HeadLimits& limits = {}) {
    test::GuardPage page(text.size());
    Scanned s;
    s.step = scan_head({page.before_end(text.data(), text.size()), text.size()}, limits, &s.scan, &s.refusal);
    return s;
}

const std::string kHead =
    "GET /chat HTTP/1.1\r\nHost: example.com\r\nAccept-Language:\tde, en;q=0.7\r\nX: \xc3\xa9\r\n\r\n";

}  // namespace

TEST_CASE("a head ends at its empty line and leaves what follows alone") {
    for (const char* const behind : {"", "\r", "\x81\x85 frames", "GET / HTTP/1.1\r\n\r\n"}) {
        const Scanned s = scan(kHead + behind);
        CHECK(s.step == Step::kDone);
        CHECK(s.scan.scanned == kHead.size());
        CHECK(s.scan.headers == 3);
    }
}

TEST_CASE("a head without headers is a head") {
    const Scanned s = scan("GET / HTTP/1.0\r\n\r\n");
    CHECK(s.step == Step::kDone);
    CHECK(s.scan.headers == 0);
}

TEST_CASE("a head cut at any byte asks for more, and any two cuts end at the same place") {
    test::GuardPage page(kHead.size());
    for (size_t first = 0; first < kHead.size(); first++) {
        for (size_t second = first; second < kHead.size(); second++) {
            CAPTURE(first);
            CAPTURE(second);
            HeadScan s;
            Refusal refusal;
            for (const size_t len : {first, second}) {
                const uint8_t* const p = page.before_end(kHead.data(), len);
                CHECK(scan_head({p, len}, {}, &s, &refusal) == Step::kNeedMore);
                CHECK(s.scanned == len);
            }
            const uint8_t* const whole = page.before_end(kHead.data(), kHead.size());
            CHECK(scan_head({whole, kHead.size()}, {}, &s, &refusal) == Step::kDone);
            CHECK(s.scanned == kHead.size());
            CHECK(s.headers == 3);
        }
    }
}

TEST_CASE("a byte once judged is not looked at again") {
    std::string text = kHead;
    HeadScan s;
    Refusal refusal;
    const auto bytes = [&](size_t len) { return Bytes{reinterpret_cast<const uint8_t*>(text.data()), len}; };
    const size_t half = kHead.size() / 2;
    CHECK(scan_head(bytes(half), {}, &s, &refusal) == Step::kNeedMore);
    for (size_t i = 0; i < half; i++) text[i] = '\0';
    CHECK(scan_head(bytes(text.size()), {}, &s, &refusal) == Step::kDone);
}

TEST_CASE("of all byte values only controls but HTAB are refused inside a line, wherever they stand") {
    // 40 places: behind whole vectors, inside one, and in the rest that no vector covers.
    for (const char* const line : {"GET /", "GET / HTTP/1.1\r\nX: "}) {
        for (size_t place = 0; place < 40; place++) {
            for (int c = 0; c < 256; c++) {
                CAPTURE(line);
                CAPTURE(place);
                CAPTURE(c);
                const bool text = c == '\t' || (c >= 0x20 && c != 0x7f);
                const Scanned s =
                    scan(line + std::string(place, 'x') + char(c) + std::string(40 - place, 'x') + "\r\n");
                CHECK(s.step == (text ? Step::kNeedMore : Step::kRefused));
                CHECK(s.refusal.status == (text ? 0 : 400));
            }
        }
    }
}

TEST_CASE("a line that continues the one before is refused at its first byte") {
    for (const char* const text :
         {"GET / HTTP/1.1\r\n ", "GET / HTTP/1.1\r\n\t", "GET / HTTP/1.1\r\nX: y\r\n ", "X\r\nX: y\r\n\t"}) {
        CAPTURE(text);
        CHECK(scan(text).refusal.status == 400);
    }
}

TEST_CASE("how much of a range is text is found at every length and place") {
    const std::string text(50, 'x');
    test::GuardPage page(text.size());
    for (size_t len = 0; len <= text.size(); len++) {
        uint8_t* const p = page.before_end(text.data(), len);
        CHECK(text_length({p, len}) == len);
        for (size_t at = len; at-- > 0;) {
            p[at] = 0x1f;
            CHECK(text_length({p, len}) == at);
        }
    }
}

TEST_CASE("empty lines before a request line are counted, and a cut one is left for later") {
    struct {
        const char* text;
        size_t skipped;
    } const rows[] = {{"", 0},  {"\r", 0}, {"\r\n", 2}, {"\r\n\r", 2}, {"\r\n\r\nGET", 4}, {"GET\r\n\r\n", 0},
                      {"\n", 0}};
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(leading_empty_lines(bytes_of(row.text)) == row.skipped);
    }
    const Scanned cr = scan("\r");
    CHECK(cr.step == Step::kNeedMore);
    CHECK(cr.scan.scanned == 0);
    CHECK(scan("\r\n").refusal.status == 400);
    CHECK(scan("\rG").refusal.status == 400);
}

TEST_CASE("a head of exactly the limit is taken, and one byte more is refused when the limit is reached") {
    const auto limit = [](size_t bytes) { return HeadLimits{uint32_t(bytes), 100}; };
    const size_t line_end = kHead.find("\r\n") + 2;
    CHECK(scan(kHead, limit(kHead.size())).step == Step::kDone);
    CHECK(scan(kHead, limit(kHead.size() - 1)).refusal.status == 431);
    CHECK(scan(kHead, limit(line_end)).refusal.status == 431);
    CHECK(scan(kHead, limit(line_end - 1)).refusal.status == 414);
    CHECK(scan(kHead.substr(0, 40), limit(40)).refusal.status == 431);
    CHECK(scan(kHead.substr(0, 39), limit(40)).step == Step::kNeedMore);
    CHECK(scan("GET /aaaa", limit(10)).step == Step::kNeedMore);
    CHECK(scan("GET /aaaaa", limit(10)).refusal.status == 414);
    // What breaks the grammar within the limit is worse than what is too long.
    CHECK(scan("GET /\naaaa", limit(10)).refusal.status == 400);
    CHECK(scan(std::string(kHeadMaxBytes, 'x'), limit(kHeadMaxBytes)).refusal.status == 414);
}

TEST_CASE("as many headers as the limit are taken, and the end of one more is refused") {
    CHECK(scan(kHead, {8192, 3}).step == Step::kDone);
    CHECK(scan(kHead, {8192, 2}).refusal.status == 431);
    CHECK(scan(kHead.substr(0, kHead.size() - 2), {8192, 2}).refusal.status == 431);
    CHECK(scan(kHead.substr(0, kHead.size() - 3), {8192, 2}).step == Step::kNeedMore);
    CHECK(scan("GET / HTTP/1.1\r\n\r\n", {8192, 0}).step == Step::kDone);
}
