// What a client writes and reads, built and taken apart here a second time and in the plainest way, so that a mistake
// in the library's codecs cannot hide behind the same mistake in its tests. Knows no socket.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

// ---------------------------------------------------------------------------------------------------------- frames

constexpr std::string_view kMask = "\x37\xfa\x21\x3d";

inline std::string masked(std::string_view payload) {
    std::string text(payload);
    for (size_t i = 0; i < text.size(); i++) text[i] = char(text[i] ^ kMask[i % 4]);
    return text;
}

// The header of a client's frame up to and with its mask. `first` is the first byte: FIN, RSV and opcode.
inline std::string header(uint8_t first, uint64_t payload_bytes) {
    const int wide = payload_bytes < 126 ? 0 : payload_bytes < 65536 ? 2 : 8;
    std::string text{char(first), char(0x80 | (wide == 0 ? payload_bytes : wide == 2 ? 126 : 127))};
    for (int shift = (wide - 1) * 8; shift >= 0; shift -= 8) text += char(payload_bytes >> shift);
    return text.append(kMask);
}

inline std::string frame(uint8_t first, std::string_view payload) {
    return header(first, payload.size()) + masked(payload);
}

inline std::string text(std::string_view payload) { return frame(0x81, payload); }
inline std::string binary(std::string_view payload) { return frame(0x82, payload); }
inline std::string ping(std::string_view payload) { return frame(0x89, payload); }
inline std::string pong(std::string_view payload) { return frame(0x8a, payload); }
inline std::string bye(uint16_t code, std::string_view reason = {}) {
    return frame(0x88, std::string{char(code >> 8), char(code)}.append(reason));
}

struct Frame {
    uint8_t first = 0;
    std::string payload;
};

// A frame in words, for a test to compare: "text:hi", "close:1000 bye", "close"; "text+:he", "more+:l", "more:lo" in
// fragments. A reserved bit or opcode shows as a number.
inline std::string show(const Frame& frame) {
    static const char* const kNames[16] = {"more",  "text", "binary", nullptr, nullptr, nullptr, nullptr, nullptr,
                                           "close", "ping", "pong",   nullptr, nullptr, nullptr, nullptr, nullptr};
    const char* const name = kNames[frame.first & 15];
    if (!name || frame.first & 0x70) return "first byte " + std::to_string(frame.first);
    std::string words = name;
    if (!(frame.first & 0x80)) words += '+';
    if ((frame.first & 15) != 8) return words + ":" + frame.payload;
    if (frame.payload.size() < 2) return words + frame.payload;
    words += ":" + std::to_string(uint8_t(frame.payload[0]) << 8 | uint8_t(frame.payload[1]));
    return frame.payload.size() == 2 ? words : words + " " + frame.payload.substr(2);
}

// How many bytes a server's frame takes for `payload_bytes` of payload.
inline size_t frame_bytes(size_t payload_bytes) {
    return payload_bytes + (payload_bytes < 126 ? 2 : payload_bytes < 65536 ? 4 : 10);
}

// Takes the first whole frame of a server off `input`. A masked one, or a length that is not the shortest, is shown
// as a frame that no test expects.
inline std::optional<Frame> take_frame(std::string& input) {
    const auto byte = [&](size_t i) { return uint64_t(uint8_t(input[i])); };
    if (input.size() < 2) return std::nullopt;
    if (byte(1) & 0x80) return Frame{0x7f, "masked"};
    uint64_t payload_bytes = byte(1);
    const size_t wide = payload_bytes < 126 ? 0 : payload_bytes == 126 ? 2 : 8;
    if (input.size() < 2 + wide) return std::nullopt;
    if (wide) payload_bytes = 0;
    for (size_t i = 0; i < wide; i++) payload_bytes = payload_bytes << 8 | byte(2 + i);
    if (frame_bytes(payload_bytes) != 2 + wide + payload_bytes) return Frame{0x7f, "long length"};
    if (input.size() < 2 + wide + payload_bytes) return std::nullopt;
    Frame frame{uint8_t(input[0]), input.substr(2 + wide, payload_bytes)};
    input.erase(0, 2 + wide + payload_bytes);
    return frame;
}

// ------------------------------------------------------------------------------------------------------------ HTTP

constexpr char kKey[] = "dGhlIHNhbXBsZSBub25jZQ==";         // RFC 6455 1.3
constexpr char kAccept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // and what answers it

struct Request {
    std::string line = "GET / HTTP/1.1";
    std::string host = "Host: a\r\n";
    std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    std::string version = "Sec-WebSocket-Version: 13\r\n";
    std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    std::string more = "";  // header lines
    std::string body = "";

    std::string str() const { return line + "\r\n" + host + upgrade + version + key + more + "\r\n" + body; }
};

// A good upgrade with further header lines.
inline std::string upgrade_request(std::string_view more = {}) { return Request{.more = std::string(more)}.str(); }

// A plain request of HTTP/1.1.
inline std::string plain_request(std::string_view line, std::string_view more = {}, std::string_view body = {}) {
    std::string request = std::string(line) + " HTTP/1.1\r\nHost: a\r\n";
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return request.append(more).append("\r\n").append(body);
}

struct Response {
    int status = 0;
    std::string head;  // from the status line on, without the empty line
    std::string body;

    // The value of the only header of that name; "(none)" or "(several)".
    std::string header(std::string_view name) const {
        std::string found = "(none)";
        const std::string line_start = "\r\n" + std::string(name) + ": ";
        for (size_t at = 0; (at = head.find(line_start, at)) != std::string::npos;) {
            if (found != "(none)") return "(several)";
            at += line_start.size();
            found = head.substr(at, head.find("\r\n", at) - at);
        }
        return found;
    }
};

// Takes the first whole response off `input`. `head_only`: it answers HEAD.
inline std::optional<Response> take_response(std::string& input, bool head_only = false) {
    const size_t end = input.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    Response response{std::atoi(input.c_str() + sizeof "HTTP/1.1"), input.substr(0, end), {}};
    const std::string length = response.header("Content-Length");
    const size_t body_bytes = head_only || length == "(none)" ? 0 : size_t(std::atoll(length.c_str()));
    if (input.size() < end + 4 + body_bytes) return std::nullopt;
    response.body = input.substr(end + 4, body_bytes);
    input.erase(0, end + 4 + body_bytes);
    return response;
}

}  // namespace test
