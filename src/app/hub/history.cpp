#include "app/hub/history.h"

namespace app::hub {

bool may_see(const Route& route, Role role, std::string_view user_id) {
    if (role == Role::kInstructor || route.from == user_id) return true;
    if (!route.to.empty()) return route.to == user_id;
    return !route.to_role || *route.to_role == role;
}

void write_missing(const std::vector<Missing>& missing, JsonWriter* writer) {
    if (missing.empty()) return;
    writer->key("missing").begin_array();
    for (const Missing& range : missing) {
        writer->begin_object().key("first").number(range.first).key("last").number(range.last).end_object();
    }
    writer->end_array();
}

}  // namespace app::hub
