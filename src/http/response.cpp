#include "http/response.h"

#include "base/assert.h"
#include "http/head_scan.h"
#include "http/header.h"
#include "http/text_out.h"

namespace wsd::http {
namespace {

// Neither a body nor a Content-Length, which RFC 9110 §8.6 forbids for 1xx and 204 and lets us leave out of 304.
bool has_body(uint16_t status) { return status >= 200 && status != 204 && status != 304; }

// Measures when `out` is null.
size_t put_response(const Response& response, uint8_t* out) {
    WSD_ASSERT(response.status >= 100 && response.status <= 599);
    TextOut text{out};
    put(&text, "HTTP/1.1 ");  // also to HTTP/1.0: the version is the server's own (RFC 9110 §6.2)
    put_decimal(&text, response.status);
    put(&text, " ");
    put(&text, reason_phrase(response.status));
    put(&text, "\r\n");
    for (size_t i = 0; i < response.field_count; i++) {
        put(&text, response.fields[i].name);
        put(&text, ": ");
        put(&text, response.fields[i].value);
        put(&text, "\r\n");
    }
    if (response.close) {
        put(&text, "Connection: close\r\n");
    } else if (response.http10 && response.status >= 200) {
        put(&text, "Connection: keep-alive\r\n");
    }
    if (has_body(response.status)) {
        put(&text, "Content-Length: ");
        put_decimal(&text, response.body.len);
        put(&text, "\r\n");
    }
    put(&text, "\r\n");
    if (has_body(response.status) && !response.head_only) put(&text, response.body);
    return text.len;
}

}  // namespace

const char* reason_phrase(uint16_t status) {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 203: return "Non-Authoritative Information";
        case 204: return "No Content";
        case 205: return "Reset Content";
        case 206: return "Partial Content";
        case 300: return "Multiple Choices";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 305: return "Use Proxy";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 402: return "Payment Required";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 407: return "Proxy Authentication Required";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 426: return "Upgrade Required";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 511: return "Network Authentication Required";
        default: return "Unknown";
    }
}

bool field_is_clean(const Field& field) { return is_token(field.name) && text_length(field.value) == field.value.len; }

size_t response_size(const Response& response) { return put_response(response, nullptr); }

size_t write_response(const Response& response, uint8_t* out) { return put_response(response, out); }

}  // namespace wsd::http
