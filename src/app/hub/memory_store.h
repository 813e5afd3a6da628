// A store that lasts as long as the process. Nothing in it fails, and everything is done before it returns.
#pragma once

#include <memory>

#include "app/hub/store.h"

namespace app::hub {

constexpr size_t kMemoryCountMax = 10000;  // of a history, where retention says nothing
constexpr size_t kMemoryBytesMax = size_t{16} << 20;

std::unique_ptr<Store> make_memory_store(const StoreOptions& options, wsd_server* server);

}  // namespace app::hub
