#include "http/response.h"

#include <string>

#include "support/parsed_request.h"

using namespace wsd;
using namespace wsd::http;

namespace {

// What is written, which must be what was measured: the page behind it may not be touched.
std::string written(const Response& response) {
    const size_t size = response_size(response);
    test::GuardPage page(size);
    const std::string blank(size, '?');
    uint8_t* const out = page.before_end(blank.data(), size);
    CHECK(write_response(response, out) == size);
    return test::to_string({out, size});
}

Field field(const char* name, const char* value) { return {bytes_of(name), bytes_of(value)}; }

}  // namespace

TEST_CASE("a response is its status, its fields in order, its framing and its body") {
    const Field fields[] = {field("Content-Type", "text/plain"), field("X-Empty", "")};
    Response r;
    r.fields = fields;
    r.field_count = 2;
    r.body = bytes_of("hello\n");
    CHECK(written(r) == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Empty: \r\nContent-Length: 6\r\n\r\nhello\n");
}

TEST_CASE("a response says what becomes of the connection where the request does not tell") {
    struct {
        bool close;
        bool http10;
        const char* line;
    } const rows[] = {
        {false, false, ""},
        {true, false, "Connection: close\r\n"},
        {false, true, "Connection: keep-alive\r\n"},
        {true, true, "Connection: close\r\n"},
    };
    for (const auto& row : rows) {
        Response r;
        r.status = 404;
        r.close = row.close;
        r.http10 = row.http10;
        CHECK(written(r) == "HTTP/1.1 404 Not Found\r\n" + std::string(row.line) + "Content-Length: 0\r\n\r\n");
    }
}

TEST_CASE("an answer to HEAD has the length of the body without the body") {
    Response r;
    r.body = bytes_of("0123456789");
    r.head_only = true;
    CHECK(written(r) == "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
}

TEST_CASE("1xx, 204 and 304 have neither length nor body") {
    for (const uint16_t status : {100, 101, 204, 304}) {
        CAPTURE(status);
        Response r;
        r.status = status;
        r.body = bytes_of("x");
        CHECK(written(r) == "HTTP/1.1 " + std::to_string(status) + " " + reason_phrase(status) + "\r\n\r\n");
    }
}

TEST_CASE("the 101 of a handshake is its fields alone, also over HTTP/1.0") {
    const Field fields[] = {field("Upgrade", "websocket"), field("Connection", "Upgrade"),
                            field("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")};
    Response r;
    r.status = 101;
    r.fields = fields;
    r.field_count = 3;
    r.http10 = true;
    CHECK(written(r) ==
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST_CASE("statuses that are registered have their phrase, and others are unknown") {
    struct {
        uint16_t status;
        const char* phrase;
    } const rows[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {299, "Unknown"},
        {418, "Unknown"},
        {599, "Unknown"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.status);
        CHECK(std::string(reason_phrase(row.status)) == row.phrase);
    }
    int registered = 0;
    for (uint16_t status = 100; status < 600; status++) registered += std::string(reason_phrase(status)) != "Unknown";
    CHECK(registered == 48);
}

TEST_CASE("every status from 100 to 599 writes a line that a parser of heads takes") {
    for (uint16_t status = 100; status < 600; status++) {
        Response r;
        r.status = status;
        const std::string text = written(r);
        HeadScan scan;
        Refusal refusal;
        CHECK(scan_head(test::to_bytes(text), {}, &scan, &refusal) == Step::kDone);
        CHECK(scan.scanned == text.size());
    }
}

TEST_CASE("a field that could end its line early is not clean") {
    CHECK(field_is_clean(field("X", "")));
    CHECK(field_is_clean(field("X-Y", "a b\tc \xc3\xa9")));
    for (const char* const name : {"", "X ", "X:", "X\r\nY", "\xc3\xa9"}) CHECK_FALSE(field_is_clean(field(name, "a")));
    for (int c = 0; c < 256; c++) {
        CAPTURE(c);
        const bool control = (c < 0x20 && c != '\t') || c == 0x7f;
        const std::string value = "some value of a header" + std::string(1, char(c)) + "x";
        CHECK(field_is_clean({bytes_of("X"), test::to_bytes(value)}) == !control);
    }
}
