#include "wire.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "deflate/deflate.h"
#include "ws/client_handshake.h"
#include "ws/frame.h"
#include "ws/kernels.h"
#include "ws/pmd.h"

namespace wsbench {
namespace {

using wsd::ws::Opcode;

// Nothing depends on either being random: no proxy stands between, which is what masks are for (§10.3).
constexpr uint32_t kMask = 0x3d21fa37;
constexpr const char* kKey = "d3NiZW5jaCB3c2JlbmNoIQ==";

std::string masked_frame(Opcode opcode, wsd::Bytes payload, uint8_t rsv = 0) {
    std::string frame(wsd::ws::kFrameHeaderMax + payload.len, '\0');
    auto* const p = reinterpret_cast<uint8_t*>(frame.data());
    const size_t header = wsd::ws::write_masked_frame_header(p, opcode, true, rsv, payload.len, kMask);
    if (payload.len) std::memcpy(p + header, payload.p, payload.len);
    wsd::ws::kernels_find(nullptr)->unmask(p + header, payload.len, kMask);
    frame.resize(header + payload.len);
    return frame;
}

wsd::Bytes bytes_in(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

}  // namespace

// What every connection sends, compressed by itself if it is to be (RFC 7692 §7.2.1).
std::string message_frame(const Options& options, const std::string& payload) {
    const Opcode opcode = options.content == Content::kBinary ? Opcode::kBinary : Opcode::kText;
    if (!options.deflate) return masked_frame(opcode, bytes_in(payload));
    const auto encoder = std::make_unique<wsd::deflate::Encoder>();
    wsd::deflate::encoder_init(*encoder);
    std::string packed(wsd::deflate::deflate_bound(payload.size()), '\0');
    packed.resize(wsd::deflate::deflate_alone(*encoder, {wsd::deflate::Level::kBalanced, 15}, bytes_in(payload),
                                              wsd::deflate::End::kMessage, reinterpret_cast<uint8_t*>(packed.data()),
                                              packed.size()));
    return masked_frame(opcode, bytes_in(packed), wsd::ws::kRsv1);
}

Wire make_wire(const Options& options) {
    Wire wire;
    wire.payload = payload_of(options.content, options.size);
    const std::string frame = message_frame(options, wire.payload);
    wire.frame_size = frame.size();
    // A frame more than the depth lets a whole window go out in one piece wherever in a frame it begins. Past some
    // size a piece gains nothing and only costs cache.
    constexpr size_t kEnough = 256 * 1024;
    const size_t copies = std::clamp(kEnough / frame.size(), size_t(2), options.depth + 1);
    wire.frames.reserve(copies * frame.size());
    for (size_t i = 0; i < copies; i++) wire.frames += frame;
    return wire;
}

std::string upgrade_request(const std::string& host, bool deflate) {
    // The same bytes go out over and over, so none of them may refer to what went before.
    const char* const offer =
        deflate ? "permessage-deflate; client_no_context_takeover; server_no_context_takeover" : nullptr;
    std::string request(1024 + host.size(), '\0');
    request.resize(wsd::ws::write_client_request({host.c_str(), "/", kKey, nullptr, offer},
                                                 reinterpret_cast<uint8_t*>(request.data()), request.size()));
    return request;
}

bool opens(wsd::Bytes head, bool deflate) {
    return wsd::ws::check_client_response(head, kKey, deflate ? "permessage-deflate" : nullptr);
}

std::string pong_frame(wsd::Bytes payload) { return masked_frame(Opcode::kPong, payload); }

}  // namespace wsbench
