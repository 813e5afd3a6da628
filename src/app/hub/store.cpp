#include "app/hub/store.h"

#include <utility>

#include "app/hub/disk_store.h"
#include "app/hub/memory_store.h"

namespace app::hub {

std::unique_ptr<Store> open_store(const StoreOptions& options, wsd_server* server, StoreLog log, std::string* error) {
    if (!log) log = [](bool, std::string_view, std::string_view, std::string_view) {};
    if (options.directory.empty()) return make_memory_store(options, server);
    return open_disk_store(options, server, std::move(log), error);
}

}  // namespace app::hub
