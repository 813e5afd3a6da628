#include "app/hub/history.h"

namespace app::hub {

bool may_see(const Route& route, Role role, std::string_view user_id) {
    if (role == Role::kInstructor || route.from == user_id) return true;
    if (!route.to.empty()) return route.to == user_id;
    return !route.to_role || *route.to_role == role;
}

}  // namespace app::hub
