#include "app/hub/users.h"

#include <algorithm>

#include "app/hub/registry.h"

namespace app::hub {
namespace {

constexpr uint64_t kIdleLookMs = 60000;
constexpr double kWhole = 1 - 1e-9;  // of a token: sums of fractions may fall short of it by a rounding

double burst_of(const HubOptions& options) {
    return options.message_burst ? options.message_burst : options.messages_per_user_min;
}

void fill(RateBucket& bucket, const HubOptions& options, uint64_t now_ms) {
    const double per_ms = options.messages_per_user_min / 60000.0;
    bucket.tokens = std::min(burst_of(options), bucket.tokens + double(now_ms - bucket.filled_ms) * per_ms);
    bucket.filled_ms = now_ms;
}

User& need_user(Hub& hub, std::string_view user_id, uint64_t now_ms) {
    const auto found = hub.users.find(user_id);
    if (found != hub.users.end()) return found->second;
    return hub.users.emplace(user_id, User{{burst_of(hub.options), now_ms}}).first->second;
}

void look_at_idle(wsd_server*, void* arg);

void watch_idle(Hub& hub) {
    // Without memory for a timer the next user who leaves starts one.
    if (hub.idle_timer || hub.idle_users.empty()) return;
    (void)wsd_timer_start(hub.server, kIdleLookMs, look_at_idle, &hub, &hub.idle_timer);
}

// True if the user is not to be looked at again: online, or forgotten.
bool settle(Hub& hub, const std::string& user_id, uint64_t now_ms) {
    const auto found = hub.users.find(user_id);
    User& user = found->second;  // nobody else forgets who is listed
    if (user.person_count > 0) {
        user.idle_listed = false;
        return true;
    }
    fill(user.bucket, hub.options, now_ms);
    if (hub.options.messages_per_user_min && user.bucket.tokens < burst_of(hub.options)) return false;
    hub.users.erase(found);
    return true;
}

void look_at_idle(wsd_server* server, void* arg) {
    Hub& hub = *static_cast<Hub*>(arg);
    hub.idle_timer = 0;
    const uint64_t now_ms = wsd_now_ms(server);
    std::erase_if(hub.idle_users, [&](const std::string& user_id) { return settle(hub, user_id, now_ms); });
    watch_idle(hub);
}

void list_idle(Hub& hub, std::string_view user_id, User& user) {
    if (user.person_count > 0 || user.idle_listed) return;
    user.idle_listed = true;
    hub.idle_users.emplace_back(user_id);
    watch_idle(hub);
}

}  // namespace

void user_came(Hub& hub, std::string_view user_id) { need_user(hub, user_id, wsd_now_ms(hub.server)).person_count++; }

void user_left(Hub& hub, std::string_view user_id) {
    User& user = need_user(hub, user_id, wsd_now_ms(hub.server));
    user.person_count--;
    list_idle(hub, user_id, user);
}

double take_token(Hub& hub, std::string_view user_id, uint64_t now_ms) {
    if (hub.options.messages_per_user_min == 0) return 0;
    User& user = need_user(hub, user_id, now_ms);
    list_idle(hub, user_id, user);
    fill(user.bucket, hub.options, now_ms);
    if (user.bucket.tokens < kWhole) return (1 - user.bucket.tokens) * 60 / hub.options.messages_per_user_min;
    user.bucket.tokens = std::max(0.0, user.bucket.tokens - 1);
    return 0;
}

}  // namespace app::hub
