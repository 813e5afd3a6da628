#include "client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/base64.h"
#include "base/random.h"
#include "http/head_scan.h"
#include "ws/client_handshake.h"
#include "ws/frame.h"
#include "ws/kernels.h"

namespace demo {
namespace {

using wsd::Bytes;
using wsd::ws::Opcode;

Bytes bytes_in(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

bool send_all(const Client& client, const std::string& bytes) {
    const ssize_t n = send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0 && size_t(n) < bytes.size()) errno = EAGAIN;
    return n == ssize_t(bytes.size());
}

// Every frame has a mask that nobody could foresee (§5.3).
bool send_frame(const Client& client, Opcode opcode, std::string payload) {
    uint32_t mask = 0;
    if (payload.size() > wsd::ws::kControlPayloadMax || !wsd::random_bytes(&mask, sizeof mask)) return false;
    uint8_t header[wsd::ws::kFrameHeaderMax];
    const size_t size = wsd::ws::write_masked_frame_header(header, opcode, true, 0, payload.size(), mask);
    wsd::ws::kernels_find(nullptr)->unmask(reinterpret_cast<uint8_t*>(payload.data()), payload.size(), mask);
    return send_all(client, std::string(reinterpret_cast<const char*>(header), size) + payload);
}

// Takes the answer to the handshake off the input, if it is whole.
void read_answer(Client& client) {
    wsd::http::HeadScan scan;
    wsd::http::Refusal refusal;
    const Bytes in = bytes_in(client.input);
    const wsd::http::Step step = wsd::http::scan_head(in, {}, &scan, &refusal);
    if (step == wsd::http::Step::kNeedMore) return;
    if (step == wsd::http::Step::kRefused ||
        !wsd::ws::check_client_response(take(in, scan.scanned), client.key.c_str()))
        client.error = "the upgrade was refused";
    else
        client.open = true;
    client.input.erase(0, scan.scanned);
}

// Takes one frame off the input. False if it is not whole yet.
bool read_frame(Client& client) {
    wsd::ws::FrameHeader header;
    wsd::ws::Violation violation = {};
    const wsd::ws::FrameRules rules{false, 0, wsd::ws::kControlPayloadMax};
    const wsd::ws::Parse parse = wsd::ws::read_frame_header(bytes_in(client.input), rules, &header, &violation);
    if (parse == wsd::ws::Parse::kViolation) client.error = violation.why;
    if (parse != wsd::ws::Parse::kDone || client.input.size() < header.size + header.payload_bytes) return false;
    const std::string payload = client.input.substr(header.size, header.payload_bytes);
    client.input.erase(0, header.size + header.payload_bytes);
    if (header.opcode == Opcode::kText && header.fin) client.inbox = payload;
    if (header.opcode == Opcode::kClose) client.ended = true;
    if (header.opcode == Opcode::kPing && !send_frame(client, Opcode::kPong, payload)) client.error = "no pong sent";
    return true;
}

bool dial(Client& client, const std::string& address) {
    const size_t colon = address.rfind(':');
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(uint16_t(std::atoi(address.c_str() + colon + 1)));
    if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) {
        errno = EINVAL;
        return false;
    }
    client.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // The kernel answers for a server that listens, so that this does not wait for the loop in the same thread.
    return client.fd >= 0 && connect(client.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
           fcntl(client.fd, F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

bool client_connect(Client& client, const std::string& address) {
    uint8_t nonce[16];
    if (!dial(client, address) || !wsd::random_bytes(nonce, sizeof nonce)) return false;
    client.key.resize(wsd::base64_encoded_size(sizeof nonce));
    wsd::base64_encode({nonce, sizeof nonce}, client.key.data());
    const std::string target = "/?user=" + client.name;
    std::string request(1024, '\0');
    request.resize(wsd::ws::write_client_request({address.c_str(), target.c_str(), client.key.c_str()},
                                                 reinterpret_cast<uint8_t*>(request.data()), request.size()));
    return send_all(client, request);
}

void client_read(Client& client) {
    char buffer[4096];
    ssize_t n;
    while ((n = recv(client.fd, buffer, sizeof buffer, 0)) > 0) client.input.append(buffer, size_t(n));
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) client.ended = true;
    if (!client.open) read_answer(client);
    while (client.open && !client.error && read_frame(client)) continue;
}

bool client_send(Client& client, const std::string& text) { return send_frame(client, Opcode::kText, text); }

bool client_close(Client& client, unsigned short code) {
    return send_frame(client, Opcode::kClose, {char(code >> 8), char(code & 0xff)});
}

void client_end(Client& client) {
    if (client.fd >= 0) close(client.fd);
    client.fd = -1;
}

}  // namespace demo
