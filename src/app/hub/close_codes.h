// With what the hub closes connections (RFC 6455 §7.4.1), and its own codes beyond that.
#pragma once

#include <cstdint>

namespace app::hub {

constexpr uint16_t kCloseNormal = 1000;
constexpr uint16_t kClosePolicy = 1008;
constexpr uint16_t kCloseInternal = 1011;
constexpr uint16_t kCloseRefused = 4000;  // and the status that a refusal would have had; see refuse()
constexpr uint16_t kCloseReplaced = 4001;
constexpr uint16_t kCloseSessionEnded = 4002;
constexpr uint16_t kCloseKicked = 4003;
constexpr uint16_t kCloseTokenExpired = 4004;
constexpr uint16_t kCloseSlow = 4008;

}  // namespace app::hub
