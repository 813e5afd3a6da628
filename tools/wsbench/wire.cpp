#include "wire.h"

#include <algorithm>
#include <cstring>

#include "ws/client_handshake.h"
#include "ws/frame.h"
#include "ws/kernels.h"

namespace wsbench {
namespace {

using wsd::ws::Opcode;

// Nothing depends on either being random: no proxy stands between, which is what masks are for (§10.3).
constexpr uint32_t kMask = 0x3d21fa37;
constexpr const char* kKey = "d3NiZW5jaCB3c2JlbmNoIQ==";

std::string masked_frame(Opcode opcode, wsd::Bytes payload) {
    std::string frame(wsd::ws::kFrameHeaderMax + payload.len, '\0');
    auto* const p = reinterpret_cast<uint8_t*>(frame.data());
    const size_t header = wsd::ws::write_masked_frame_header(p, opcode, true, 0, payload.len, kMask);
    if (payload.len) std::memcpy(p + header, payload.p, payload.len);
    wsd::ws::kernels_find(nullptr)->unmask(p + header, payload.len, kMask);
    frame.resize(header + payload.len);
    return frame;
}

wsd::Bytes bytes_in(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

}  // namespace

Wire make_wire(const Options& options) {
    Wire wire;
    wire.payload = payload_of(options.content, options.size);
    const std::string frame =
        masked_frame(options.content == Content::kBinary ? Opcode::kBinary : Opcode::kText, bytes_in(wire.payload));
    wire.frame_size = frame.size();
    // A frame more than the depth lets a whole window go out in one piece wherever in a frame it begins. Past some
    // size a piece gains nothing and only costs cache.
    constexpr size_t kEnough = 256 * 1024;
    const size_t copies = std::clamp(kEnough / frame.size(), size_t(2), options.depth + 1);
    wire.frames.reserve(copies * frame.size());
    for (size_t i = 0; i < copies; i++) wire.frames += frame;
    return wire;
}

std::string upgrade_request(const std::string& host) {
    std::string request(512 + host.size(), '\0');
    request.resize(wsd::ws::write_client_request(host.c_str(), "/", kKey, nullptr,
                                                 reinterpret_cast<uint8_t*>(request.data()), request.size()));
    return request;
}

bool opens(wsd::Bytes head) { return wsd::ws::check_client_response(head, kKey); }

std::string pong_frame(wsd::Bytes payload) { return masked_frame(Opcode::kPong, payload); }

}  // namespace wsbench
